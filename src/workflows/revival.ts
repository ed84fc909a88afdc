import { descendants } from './dag.ts'
import type { Draft } from './draft.ts'
import { freshStart } from './fresh-start.ts'
import { openGate } from './gates.ts'
import { advance, isReady, isTolerated, queueStep, stepHasEnded } from './progress.ts'
import type { RunOptions, StepState } from './workflow.ts'
import { hasEnded } from './workflow.ts'

/** What makes an ended workflow go on. */
export type RevivalHappening =
  | {
      readonly type: 'resumed'
      /** As merged with those that it had. */
      readonly options: RunOptions
      readonly priority: number
      readonly approvalTimeoutMs: number
    }
  | {
      readonly type: 'rerun'
      readonly step: number
      readonly feedback: string | null
      /** As merged with those that it had. */
      readonly options: RunOptions
      readonly priority: number
      /** Those that the step has of its own. */
      readonly stepOptions: RunOptions
    }

/** What ended it is undone, and its revisions begin anew. */
const unended = { endedAt: null, endedSeq: null, reason: null, dependency: null, error: null, revisions: 0 } as const
const startedAnew = {
  ...freshStart,
  ...unended,
  status: 'pending',
  waitingAttempt: null,
  waitingSince: null,
  expiresAt: null,
} as const

/** Revives a workflow that has ended. false: it has not, or there is nothing to do like this. */
export function revive(draft: Draft, happening: RevivalHappening): boolean {
  return happening.type === 'resumed' ? resume(draft, happening) : rerun(draft, happening)
}

type Of<T extends RevivalHappening['type']> = Extract<RevivalHappening, { type: T }>

/** What failed, was skipped or was cancelled runs again; what was tolerated, and every result, stays. */
function resume(draft: Draft, { options, priority, approvalTimeoutMs }: Of<'resumed'>): boolean {
  const { status: from, steps } = draft.workflow
  if (from !== 'failed' && from !== 'cancelled') return false
  const lost = steps.filter((step) => stepHasEnded(step) && step.status !== 'completed' && !isTolerated(step))
  const reopened = new Set(lost.filter(isUnanswered).map(({ index }) => index))
  for (const { index } of lost) draft.patch(index, reopened.has(index) ? unended : startedAnew)
  for (const index of reopened) draft.patch(index, { status: 'waiting' })
  const runs = lost.some(({ index }) => !reopened.has(index) && isReady(draft, index))
  goOnFrom(draft, { from, reset: lost, options, priority, runs })
  for (const { index } of lost) {
    if (reopened.has(index)) openGate(draft, index, approvalTimeoutMs)
    else if (draft.step(index).status === 'pending' && isReady(draft, index)) queueStep(draft, index)
  }
  advance(draft)
  return true
}

/** A kept text that nobody answered is not paid for again. */
function isUnanswered({ status, waitingAttempt, error }: StepState): boolean {
  return waitingAttempt !== null && (status === 'cancelled' || error?.code === 'approval_expired')
}

/** One step runs again, and after it only what depends on it. */
function rerun(draft: Draft, { step: index, feedback: text, options, priority, stepOptions }: Of<'rerun'>): boolean {
  const { status: from, steps } = draft.workflow
  if (!hasEnded(from) || !mayRerun(draft, index)) return false
  const { definition, keptAttempt, feedback } = draft.step(index)
  const after = descendants(
    steps.map((step) => step.definition),
    definition.id,
  )
  const reset = steps.filter((step) => step.index === index || after.has(step.definition.id))
  for (const step of reset) draft.patch(step.index, startedAnew)
  draft.patch(index, {
    // What was said of its last text holds until it has a new one.
    feedback: text === null ? feedback : { text, attempt: keptAttempt },
    definition: { ...definition, options: stepOptions },
  })
  goOnFrom(draft, { from, reset, options, priority, runs: true })
  queueStep(draft, index)
  advance(draft)
  return true
}

/** It has ended, was not skipped, and everything that it depends on is done. */
function mayRerun(draft: Draft, index: number): boolean {
  const { status } = draft.step(index)
  return ['completed', 'incomplete', 'failed', 'cancelled'].includes(status) && isReady(draft, index)
}

interface Revival {
  readonly from: string
  readonly reset: readonly StepState[]
  readonly options: RunOptions
  readonly priority: number
  /** Something can run; otherwise only gates are open. */
  readonly runs: boolean
}

function goOnFrom(draft: Draft, { from, reset, options, priority, runs }: Revival): void {
  const { workflow } = draft
  workflow.status = runs ? 'queued' : 'waiting'
  workflow.reason = runs ? null : 'approval'
  Object.assign(workflow, { error: null, endedAt: null, options, priority })
  if (runs) draft.activate()
  const ids = reset.map(({ definition }) => definition.id)
  draft.emit('workflow.resumed', { data: { status: workflow.status, from, reset: ids } })
}
