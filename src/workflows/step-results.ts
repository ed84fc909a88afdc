import { wireUsage } from './wire.ts'
import type { Draft } from './draft.ts'
import type { StepState } from './workflow.ts'

/** A file that a step's answer holds, with the version that it becomes. */
export interface CreatedArtifact {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly version: number
}

/** Tells of each file of a step's result. */
export function emitArtifacts(draft: Draft, step: StepState, artifacts: readonly CreatedArtifact[]): void {
  for (const { path, bytes, sha256, version } of artifacts) {
    draft.emit('artifact.created', { step, data: { path, bytes, sha256, version } })
  }
}

/** What `step.completed`, `step.incomplete` and `step.waiting` tell of a result, beside its text. */
export function closingData(step: StepState): Readonly<Record<string, unknown>> {
  const { artifacts, rejectedArtifacts, usage, finishReason, model, endpoint, runningMs, error, edited } = step
  return {
    artifacts,
    usage: wireUsage(usage),
    finish_reason: finishReason,
    model,
    endpoint,
    duration_ms: runningMs,
    ...(error === null ? {} : { error }),
    ...(rejectedArtifacts.length === 0 ? {} : { rejected_artifacts: rejectedArtifacts }),
    ...(edited ? { edited } : {}),
  }
}
