import type { Failure } from '../errors.ts'
import { Draft } from './draft.ts'
import type { Decision, Moment } from './draft.ts'
import { freshStart } from './fresh-start.ts'
import { openGate, passGate } from './gates.ts'
import type { GateHappening } from './gates.ts'
import { advance, queueStep, stepHasEnded } from './progress.ts'
import { revive } from './revival.ts'
import type { RevivalHappening } from './revival.ts'
import { closingData, emitArtifacts } from './step-results.ts'
import type { CreatedArtifact } from './step-results.ts'
import { wireTime } from './wire.ts'
import type { Claim, StepState, WorkflowState } from './workflow.ts'

/** Everything that can happen to a workflow. Steps are named by index. */
export type Happening =
  | { readonly type: 'taken'; readonly claim: Claim; readonly maxWorkerLosses: number }
  /** The runner itself fetched its own lapsed job again: its claim grows, nothing else changes. */
  | { readonly type: 'adopted'; readonly claim: Claim }
  | {
      readonly type: 'handed_over'
      readonly code: 'shutdown' | 'worker_lost'
      readonly jobId: string
      readonly maxWorkerLosses: number
    }
  | {
      readonly type: 'step_started'
      readonly step: number
      readonly endpoint: string
      readonly model: string
      readonly truncatedInput: boolean
    }
  | { readonly type: 'step_continued'; readonly step: number; readonly n: number }
  | {
      readonly type: 'step_retried'
      readonly step: number
      readonly failure: Failure
      readonly delayMs: number
      /** Tries and time as they stand for the next try. */
      readonly count: Pick<StepState, 'triesUsed' | 'timeUsedMs' | 'restarts'>
      readonly carried: Pick<StepState, 'carriedText' | 'carriedContinuations'>
    }
  | {
      readonly type: 'step_kept'
      readonly step: number
      readonly status: 'completed' | 'incomplete'
      readonly finishReason: string | null
      readonly model: string
      readonly artifacts: readonly CreatedArtifact[]
      readonly rejected: StepState['rejectedArtifacts']
      readonly error: Failure | null
      /** How long a gate stays open; 0: for ever. */
      readonly approvalTimeoutMs: number
    }
  | { readonly type: 'step_failed'; readonly step: number; readonly failure: Failure }
  /** It has spent the time that it may spend running, by a setting or by its own budget. */
  | { readonly type: 'time_up'; readonly limitedBy: 'WORKFLOW_TIMEOUT' | 'max_duration_seconds' }
  | { readonly type: 'cancelled' }
  | GateHappening
  | RevivalHappening

/** What a happening makes of a workflow; null when the state does not allow it. Pure. */
export function decide(state: WorkflowState, happening: Happening, moment: Moment): Decision | null {
  const draft = new Draft(state, moment)
  return apply(draft, happening) ? draft.decision() : null
}

/** The first state of a workflow: its roots queued, active, its job to be sent. */
export function begin(state: WorkflowState, moment: Moment): Decision {
  const draft = new Draft(state, moment)
  const { workflow } = draft
  draft.emit('workflow.queued', {
    data: {
      status: workflow.status,
      created_at: wireTime(workflow.createdAt),
      workflow_type: workflow.type,
      steps: workflow.steps.map(({ definition, taskId }) => ({
        id: definition.id,
        role: definition.role,
        task_id: taskId,
        depends_on: definition.dependsOn,
      })),
    },
  })
  for (const { index, definition } of workflow.steps) {
    if (definition.dependsOn.length === 0) queueStep(draft, index)
  }
  draft.sendJob = true
  return draft.decision()
}

function apply(draft: Draft, happening: Happening): boolean {
  if ('step' in happening && happening.type !== 'rerun') return applyToStep(draft, happening)
  switch (happening.type) {
    case 'taken':
      return take(draft, happening)
    case 'adopted':
      return adopt(draft, happening)
    case 'handed_over':
      return handOver(draft, happening)
    case 'time_up':
      return runOutOfTime(draft, happening)
    case 'cancelled':
      return cancel(draft)
    case 'resumed':
    case 'rerun':
      return revive(draft, happening)
    default:
      return happening satisfies never
  }
}

type StepHappening = Of<'step_started' | 'step_continued' | 'step_retried' | 'step_kept' | 'step_failed'>

function applyToStep(draft: Draft, happening: StepHappening | GateHappening): boolean {
  switch (happening.type) {
    case 'step_started':
      return startStep(draft, happening)
    case 'step_continued':
      return continueStep(draft, happening)
    case 'step_retried':
      return retryStep(draft, happening)
    case 'step_kept':
      return keepStep(draft, happening)
    case 'step_failed':
      return failStep(draft, happening)
    case 'approved':
    case 'rejected':
    case 'gate_expired':
      return passGate(draft, happening)
    default:
      return happening satisfies never
  }
}

type Of<T extends Happening['type']> = Extract<Happening, { type: T }>

function take(draft: Draft, { claim, maxWorkerLosses }: Of<'taken'>): boolean {
  const { workflow } = draft
  if (!workflow.active) return false
  workflow.claim = claim
  if (workflow.status === 'queued') {
    workflow.status = 'running'
    workflow.startedAt ??= draft.at
    workflow.runningSince = draft.at
    draft.emit('workflow.started', { data: { status: 'running' } })
  }
  loseRunningSteps(draft, 'worker_lost', maxWorkerLosses)
  return true
}

function adopt(draft: Draft, { claim }: Of<'adopted'>): boolean {
  draft.workflow.claim = claim
  return draft.workflow.active
}

function handOver(draft: Draft, { code, jobId, maxWorkerLosses }: Of<'handed_over'>): boolean {
  const { workflow } = draft
  if (!workflow.active) return false
  draft.completeJob = workflow.jobId
  loseRunningSteps(draft, code, maxWorkerLosses)
  if (!workflow.active) return true
  workflow.activation += 1
  workflow.jobId = jobId
  draft.sendJob = true
  return true
}

const lossMessages = {
  worker_lost: 'The process that ran this step was lost; it starts again.',
  shutdown: 'The process that ran this step is shutting down; it starts again elsewhere.',
}

function loseRunningSteps(draft: Draft, code: 'shutdown' | 'worker_lost', maxWorkerLosses: number): void {
  for (const { index, status, losses } of draft.workflow.steps) {
    if (status !== 'running') continue
    const lost = losses + (code === 'worker_lost' ? 1 : 0)
    const failure: Failure = { code, message: lossMessages[code], retryable: true }
    // A loss begins a new start of the step, so tries and time begin anew.
    const count = { losses: lost, triesUsed: 0, timeUsedMs: 0 }
    if (code === 'worker_lost' && lost > maxWorkerLosses) {
      const message = `The step lost its process ${lost} times (MAX_WORKER_LOSSES).`
      endFailed(draft, index, { code, message, retryable: true })
    } else {
      const step = draft.closeAttempt(index, 'void', { ...count, status: 'queued', error: failure })
      draft.patch(index, { error: null })
      draft.emit('step.retrying', { step, data: { delay_ms: 0, error: failure } })
    }
  }
  advance(draft)
}

function startStep(draft: Draft, { step: index, endpoint, model, truncatedInput }: Of<'step_started'>): boolean {
  if (draft.step(index).status !== 'queued' || draft.workflow.status !== 'running') return false
  draft.patch(index, { truncatedInput })
  const step = draft.openAttempt(index, { endpoint, model })
  const { role } = step.definition
  draft.emit('step.started', { step, data: { role, task_id: step.taskId, model, endpoint } })
  return true
}

function continueStep(draft: Draft, { step: index, n }: Of<'step_continued'>): boolean {
  const step = draft.step(index)
  if (step.status !== 'running') return false
  draft.emit('step.continued', { step, data: { n } })
  return true
}

function retryStep(
  draft: Draft,
  { step: index, failure: error, delayMs, count, carried }: Of<'step_retried'>,
): boolean {
  if (draft.step(index).status !== 'running') return false
  const notBefore = delayMs > 0 ? draft.at + delayMs : null
  const step = draft.closeAttempt(index, 'void', { ...count, ...carried, status: 'queued', notBefore, error })
  draft.patch(index, { error: null })
  draft.emit('step.retrying', { step, data: { delay_ms: Math.round(delayMs), error } })
  return true
}

function keepStep(draft: Draft, happening: Of<'step_kept'>): boolean {
  const { step: index, status, finishReason, model, artifacts, rejected, error } = happening
  const { attempt, definition, status: before } = draft.step(index)
  if (before !== 'running') return false
  const paths = artifacts.map((artifact) => artifact.path)
  const result = { artifacts: paths, rejectedArtifacts: rejected, finishReason, model, error, edited: false }
  const kept = { ...freshStart, keptAttempt: attempt, feedback: null }
  const waits = definition.approval && status === 'completed'
  const closing = waits ? { waitingAttempt: attempt } : { status, endedAt: draft.at }
  const step = draft.closeAttempt(index, 'kept', { ...result, ...kept, ...closing })
  emitArtifacts(draft, step, artifacts)
  if (waits) openGate(draft, index, happening.approvalTimeoutMs)
  else draft.patch(index, { endedSeq: draft.emit(`step.${status}`, { step, data: closingData(step) }) })
  advance(draft)
  return true
}

function failStep(draft: Draft, { step: index, failure }: Of<'step_failed'>): boolean {
  const { status } = draft.step(index)
  if (draft.workflow.status !== 'running' || (status !== 'running' && status !== 'queued')) return false
  endFailed(draft, index, failure)
  advance(draft)
  return true
}

function endFailed(draft: Draft, index: number, error: Failure): void {
  const ended = { status: 'failed', error, endedAt: draft.at, carriedText: null, carriedContinuations: 0 } as const
  const open = draft.step(index).status === 'running'
  const step = open ? draft.closeAttempt(index, 'void', ended) : draft.patch(index, ended)
  const seq = draft.emit('step.failed', { step, data: { error } })
  draft.patch(index, { endedSeq: seq })
}

function runOutOfTime(draft: Draft, { limitedBy }: Of<'time_up'>): boolean {
  if (draft.workflow.status !== 'queued' && draft.workflow.status !== 'running') return false
  const message = `The time that this workflow may spend running is used up (${limitedBy}).`
  const budget = 'max_duration_seconds'
  for (const { index, status } of draft.workflow.steps) {
    if (status !== 'running' && status !== 'queued') continue
    endFailed(draft, index, { code: 'budget_exhausted', message, retryable: true, budget })
  }
  advance(draft)
  return true
}

function cancel(draft: Draft): boolean {
  const { status } = draft.workflow
  if (status !== 'queued' && status !== 'running' && status !== 'waiting') return false
  const reason = 'cancelled_by_client'
  for (const before of draft.workflow.steps) {
    if (stepHasEnded(before)) continue
    const ended = { status: 'cancelled', reason, endedAt: draft.at, waitingSince: null, expiresAt: null } as const
    const open = before.status === 'running'
    const step = open ? draft.closeAttempt(before.index, 'void', ended) : draft.patch(before.index, ended)
    const seq = draft.emit('step.cancelled', { step, data: { reason } })
    draft.patch(before.index, { endedSeq: seq })
  }
  advance(draft)
  return true
}
