import type { Failure } from '../../src/errors.ts'
import type { LifecycleType } from '../../src/workflows/events.ts'
import type { AttemptRecord } from '../../src/workflows/store.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { StepState, WorkflowState } from '../../src/workflows/workflow.ts'
import { gateClosesAt, times } from './workflow-states.ts'

/** An event as a row expects it: type, step, attempt, data. Number, time and correlation follow from the state. */
export type ExpectedEvent = readonly [
  type: LifecycleType,
  step: string | null,
  attempt: number | null,
  data: Readonly<Record<string, unknown>>,
]

/** One way to run a row: everything that is not named here must stay as it was. */
export interface RowCase {
  readonly name?: string
  readonly state: WorkflowState
  /** `begin`: the workflow's creation. */
  readonly happening: Happening | 'begin'
  readonly events: readonly ExpectedEvent[]
  /** Changed fields of the workflow, `seq` and `updatedAt` apart. */
  readonly workflow?: Partial<WorkflowState>
  /** Changed fields of steps, by id. */
  readonly steps?: Readonly<Record<string, Partial<StepState>>>
  readonly attempts?: readonly AttemptRecord[]
  readonly job?: { readonly completed?: string; readonly sent?: boolean }
}

/** One row of the tables of states. A row is run by its cases, or says why it cannot be yet. */
export interface TableRow {
  readonly from: string
  readonly happening: string
  readonly to: string
  readonly events: string
  readonly attempt?: string
  readonly cases?: readonly RowCase[]
  readonly later?: string
}

export const zeroUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  reasoning_tokens: 0,
  llm_calls: 0,
  cost_usd: null,
  estimated: false,
}

/** The workflow's end: its changed fields. A workflow that ran since `times.started` ran until now. */
export function endOf(
  status: 'completed' | 'failed' | 'cancelled',
  reason: string | null,
  { error = null, runningMs = 8000 }: { readonly error?: Failure | null; readonly runningMs?: number } = {},
): Partial<WorkflowState> {
  return { status, reason, error, runningMs, endedAt: times.now, runningSince: null, active: false }
}

/** The event of such an end. */
export function endEvent(
  status: 'completed' | 'failed' | 'cancelled',
  reason: string | null,
  { error, runningMs = 8000, usage = zeroUsage }: { error?: Failure; runningMs?: number; usage?: unknown } = {},
): ExpectedEvent {
  const data = { status, reason, usage, duration_ms: runningMs, ...(error === undefined ? {} : { error }) }
  return [`workflow.${status}`, null, null, data]
}

export function queuedEvent(step: string, attempt = 0): ExpectedEvent {
  return ['step.queued', step, attempt, { role: 'developer' }]
}

export function skippedEvent(step: string, dependency: string): ExpectedEvent {
  return ['step.skipped', step, 0, { reason: 'dependency_failed', dependency }]
}

/** Changed fields of a step that became skipped by event `seq`. */
export function skippedBy(dependency: string, seq: number): Partial<StepState> {
  return { status: 'skipped', reason: 'dependency_failed', dependency, endedAt: times.now, endedSeq: seq }
}

/** Changed fields of a running step (as the fixtures have it) whose attempt closes now. */
export const attemptClosed = { runningMs: 6500, runningSince: null }

/** Changed fields of a step that waits (as the fixtures have it) when its gate closes without an answer, and with one. */
export const gateClosed = { waitingSince: null, expiresAt: null }
export const gateAnswered = { ...gateClosed, waitingAttempt: null }

/** Changed fields of a step whose gate opens now. */
export const gateOpened = { status: 'waiting', waitingSince: times.now, expiresAt: gateClosesAt } as const

/** Changed fields of a running workflow that has only gates left. */
export const putToWait: Partial<WorkflowState> = {
  status: 'waiting',
  reason: 'approval',
  active: false,
  runningMs: 8000,
  runningSince: null,
}

/** Changed fields of a workflow that nobody ran and that goes on. */
export const activated: Partial<WorkflowState> = {
  status: 'queued',
  reason: null,
  error: null,
  endedAt: null,
  active: true,
  activation: 2,
  jobId: 'job-2',
}

export const waitingEvent: ExpectedEvent = ['workflow.waiting', null, null, { status: 'waiting' }]

export function resumedEvent(from: string, reset: readonly string[], status = 'queued'): ExpectedEvent {
  return ['workflow.resumed', null, null, { status, from, reset }]
}

/** What the fixtures' kept text looks like in `step.completed`, `step.incomplete` and `step.waiting`. */
export const keptData = {
  artifacts: [],
  usage: zeroUsage,
  finish_reason: 'stop',
  model: 'model-1',
  endpoint: 'default',
  duration_ms: 700,
}

/** The record of the first attempt of a running step, closed now. */
export function closedAttempt(status: 'kept' | 'void', change: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    stepIndex: 0,
    attempt: 1,
    status,
    startedAt: times.attempt,
    endedAt: times.now,
    endpoint: 'default',
    model: 'model-1',
    finishReason: null,
    error: null,
    ...change,
  }
}
