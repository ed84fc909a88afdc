import { createHash } from 'node:crypto'
import type { Agents, Artifact } from '../agents/agent.ts'
import type { Failure } from '../errors.ts'
import type { HeldWorkflow, PlannedChange } from './held-workflow.ts'
import type { NewArtifact, WorkflowStore } from './store.ts'

export interface KeptAnswer {
  readonly text: string
  readonly finishReason: string | null
  readonly model: string
  /** Why it is incomplete; null: it is whole. */
  readonly error: Failure | null
}

/** Closes a step's open attempt with its text and the files in it. false: the step is no longer ours. */
export function keepAnswer(
  parts: { readonly agents: Agents; readonly store: WorkflowStore },
  { hold, index }: { readonly hold: HeldWorkflow; readonly index: number },
  answer: KeptAnswer,
): Promise<boolean> {
  const found = parts.agents.extract(answer.text, { complete: answer.error === null })
  return hold.change(async (): Promise<PlannedChange> => {
    const { attempt } = hold.step(index)
    const versions = await versionsOf(parts.store, hold.state().id, found.artifacts)
    const artifacts = found.artifacts.map((file): NewArtifact => {
      const sha256 = createHash('sha256').update(file.content).digest('hex')
      return { ...file, stepIndex: index, attempt, sha256, version: (versions.get(file.path) ?? 0) + 1 }
    })
    return {
      happening: {
        type: 'step_kept',
        step: index,
        status: answer.error === null ? 'completed' : 'incomplete',
        finishReason: answer.finishReason,
        model: answer.model,
        artifacts: artifacts.map(({ path, content, sha256, version }) => {
          return { path, bytes: Buffer.byteLength(content), sha256, version }
        }),
        rejected: found.rejected,
        error: answer.error,
      },
      outputs: [{ stepIndex: index, attempt, text: answer.text }],
      artifacts,
    }
  })
}

async function versionsOf(store: WorkflowStore, id: string, files: readonly Artifact[]) {
  if (files.length === 0) return new Map<string, number>()
  return store.artifactVersions(
    id,
    files.map((file) => file.path),
  )
}
