import type { Failure } from '../errors.ts'
import type { Draft } from './draft.ts'
import { wireUsage } from './wire.ts'
import type { StepState } from './workflow.ts'

const neverTolerated = new Set(['budget_exhausted', 'rejected', 'approval_expired'])

/** A failed or incomplete step that `on_failure: continue` covers: those who depend on it get what there is. */
export function isTolerated(step: StepState): boolean {
  return (
    step.definition.onFailure === 'continue' &&
    (step.status === 'failed' || step.status === 'incomplete') &&
    !neverTolerated.has(step.error?.code ?? '')
  )
}

/** Done, as far as those who depend on it are concerned. */
export function countsAsDone(step: StepState): boolean {
  return step.status === 'completed' || isTolerated(step)
}

/** Rests for good, unless somebody asks for it again. */
export function stepHasEnded(step: StepState): boolean {
  return ['completed', 'incomplete', 'failed', 'skipped', 'cancelled'].includes(step.status)
}

/** Queues or skips what has become ready or hopeless; the workflow waits or ends when nothing can go on. */
export function advance(draft: Draft): void {
  while (advanceOnce(draft)) {
    // One round may make another step ready or hopeless.
  }
  const { status, steps } = draft.workflow
  if (steps.every(stepHasEnded)) return endByRule(draft)
  const isIdle = !steps.some((step) => step.status === 'queued' || step.status === 'running')
  if (isIdle && (status === 'running' || status === 'queued')) waitForPerson(draft)
}

function waitForPerson(draft: Draft): void {
  draft.workflow.status = 'waiting'
  draft.workflow.reason = 'approval'
  draft.letGo()
  draft.emit('workflow.waiting', { data: { status: 'waiting' } })
}

/** A waiting workflow goes on. */
function goOn(draft: Draft): void {
  draft.workflow.status = 'queued'
  draft.workflow.reason = null
  draft.activate()
  draft.emit('workflow.resumed', { data: { status: 'queued', from: 'waiting', reset: [] } })
}

function advanceOnce(draft: Draft): boolean {
  let moved = false
  for (const { index, status } of draft.workflow.steps) {
    if (status !== 'pending') continue
    const dependencies = dependenciesOf(draft, index)
    const hopeless = dependencies.find((step) => stepHasEnded(step) && !countsAsDone(step))
    if (hopeless !== undefined) skip(draft, index, hopeless)
    else if (dependencies.every(countsAsDone)) queueStep(draft, index)
    else continue
    moved = true
  }
  return moved
}

function dependenciesOf(draft: Draft, index: number): readonly StepState[] {
  const { steps } = draft.workflow
  const names = draft.step(index).definition.dependsOn
  return names.map((id) => steps.find((step) => step.definition.id === id)).filter((step) => step !== undefined)
}

/** Everything that the step depends on counts as done. */
export function isReady(draft: Draft, index: number): boolean {
  return dependenciesOf(draft, index).every(countsAsDone)
}

/** Makes a step ready to be taken; a workflow that waits goes on with it. */
export function queueStep(draft: Draft, index: number): void {
  if (draft.workflow.status === 'waiting') goOn(draft)
  const step = draft.patch(index, { status: 'queued' })
  draft.emit('step.queued', { step, data: { role: step.definition.role } })
}

function skip(draft: Draft, index: number, because: StepState): void {
  const dependency = because.definition.id
  const step = draft.patch(index, { status: 'skipped', reason: 'dependency_failed', dependency, endedAt: draft.at })
  const seq = draft.emit('step.skipped', { step, data: { reason: 'dependency_failed', dependency } })
  draft.patch(index, { endedSeq: seq })
}

/** The end, by the rule of the contract: nothing failed is ever called completed. */
function endByRule(draft: Draft): void {
  const { steps } = draft.workflow
  const cancelled = steps.some((step) => step.status === 'cancelled')
  const bad = steps.filter((step) => step.status !== 'completed' && step.status !== 'cancelled' && !isTolerated(step))
  if (cancelled) return end(draft, { status: 'cancelled', reason: 'cancelled_by_client', error: null })
  if (bad.length > 0) return end(draft, { status: 'failed', ...failureOf(bad) })
  const withFailures = steps.some((step) => step.status !== 'completed')
  end(draft, { status: 'completed', reason: withFailures ? 'with_failures' : null, error: null })
}

function failureOf(bad: readonly StepState[]): { reason: string; error: Failure | null } {
  const inOrder = bad.filter((step) => step.error !== null).toSorted((a, b) => (a.endedSeq ?? 0) - (b.endedSeq ?? 0))
  for (const code of neverTolerated) {
    const first = inOrder.find((step) => step.error?.code === code)
    if (first !== undefined) return { reason: code, error: first.error }
  }
  return { reason: 'step_failed', error: inOrder[0]?.error ?? null }
}

interface End {
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly reason: string | null
  readonly error: Failure | null
}

function end(draft: Draft, { status, reason, error }: End): void {
  const { workflow } = draft
  workflow.status = status
  workflow.reason = reason
  workflow.error = error
  workflow.endedAt = draft.at
  draft.letGo()
  draft.emit(`workflow.${status}`, {
    data: {
      status,
      reason,
      usage: wireUsage(draft.usage()),
      duration_ms: workflow.runningMs,
      ...(error === null ? {} : { error }),
    },
  })
}
