import type { Failure } from '../../src/errors.ts'
import type { StepState } from '../../src/workflows/workflow.ts'
import { timeIsUp } from './interruption-rows.ts'
import {
  attemptClosed,
  closedAttempt,
  endEvent,
  endOf,
  gateClosed,
  putToWait,
  waitingEvent,
  zeroUsage,
} from './table-row.ts'
import type { RowCase, TableRow } from './table-row.ts'
import { failure, stepHappenings, times, usage, workflowHappenings, workflowOf } from './workflow-states.ts'

const { continued, retried, completed, incomplete, failed } = stepHappenings
const rejected = failed().failure
const cut = failure('output_limit')

/** Other branches that go on or wait, so that a case is about its own step only. */
const other = { id: 'z', status: 'running' } as const
const gate = { id: 'g', status: 'waiting' } as const
const running = workflowOf('running', [{ id: 'a', status: 'running' }, other])

const plainResult = { finish_reason: 'stop', model: 'model-1b', endpoint: 'default', duration_ms: 6500 }
const kept = { ...attemptClosed, endedAt: times.now, keptAttempt: 1, model: 'model-1b' }
const ended = { ...attemptClosed, endedAt: times.now, endedSeq: 11 }
const carrying = { carriedText: 'paid', carriedContinuations: 1 }
const noCarry = { carriedText: null, carriedContinuations: 0 }

function lostStep(code: 'worker_lost' | 'shutdown', losses: number): RowCase {
  const doing = code === 'shutdown' ? 'is shutting down; it starts again elsewhere.' : 'was lost; it starts again.'
  const error: Failure = { code, message: `The process that ran this step ${doing}`, retryable: true }
  const begun = { triesUsed: 2, timeUsedMs: 5000, restarts: 1, losses: 3 }
  return {
    name: code,
    state: workflowOf('running', [
      { id: 'a', status: 'running', carriedText: 'paid', carriedContinuations: 1, ...begun },
    ]),
    happening: code === 'shutdown' ? workflowHappenings.handedOver : workflowHappenings.lost,
    workflow: { activation: 2, jobId: 'job-2' },
    steps: { a: { ...attemptClosed, status: 'queued', triesUsed: 0, timeUsedMs: 0, losses } },
    attempts: [closedAttempt('void', { error })],
    events: [['step.retrying', 'a', 1, { delay_ms: 0, error }]],
    job: { completed: 'job-1', sent: true },
  }
}

const closing = { pending: {}, queued: {}, running: attemptClosed, waiting: gateClosed }

function cancelledFrom(status: 'pending' | 'queued' | 'running' | 'waiting', rest: Partial<RowCase> = {}): RowCase {
  const change: Partial<StepState> = { status: 'cancelled', reason: 'cancelled_by_client', endedAt: times.now }
  const attempt = status === 'running' || status === 'waiting' ? 1 : 0
  return {
    name: status,
    state: workflowOf('running', [{ id: 'a', status }]),
    happening: workflowHappenings.cancelled,
    workflow: endOf('cancelled', 'cancelled_by_client'),
    steps: { a: { ...closing[status], ...change, endedSeq: 11 } },
    events: [
      ['step.cancelled', 'a', attempt, { reason: 'cancelled_by_client' }],
      endEvent('cancelled', 'cancelled_by_client'),
    ],
    job: { completed: 'job-1' },
    ...rest,
  }
}

function keptWith(error: Failure): RowCase {
  return {
    name: error.code,
    state: running,
    happening: { ...incomplete(), error },
    steps: { a: { ...kept, status: 'incomplete', finishReason: 'length', error, endedSeq: 11 } },
    attempts: [closedAttempt('kept', { finishReason: 'length', model: 'model-1b', error })],
    events: [
      ['step.incomplete', 'a', 1, { ...plainResult, finish_reason: 'length', artifacts: [], usage: zeroUsage, error }],
    ],
  }
}

/** The table "Step" of the contract's states, second part: from its start to its end. */
export const runningStepRows: readonly TableRow[] = [
  {
    from: 'queued, running',
    happening: "the workflow's time is up",
    to: 'failed',
    events: '`step.failed` {budget_exhausted}',
    attempt: 'void if open',
    cases: [
      {
        name: 'queued',
        state: workflowOf('running', [{ id: 'a', status: 'queued', attempt: 1, ...carrying }, gate]),
        happening: workflowHappenings.timeUp,
        workflow: putToWait,
        steps: { a: { ...noCarry, status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 11 } },
        events: [['step.failed', 'a', 1, { error: timeIsUp }], waitingEvent],
        job: { completed: 'job-1' },
      },
      {
        name: 'running',
        state: workflowOf('running', [{ id: 'a', status: 'running', ...carrying }, gate]),
        happening: workflowHappenings.timeUp,
        workflow: putToWait,
        steps: { a: { ...ended, ...noCarry, status: 'failed', error: timeIsUp } },
        attempts: [closedAttempt('void', { error: timeIsUp })],
        events: [['step.failed', 'a', 1, { error: timeIsUp }], waitingEvent],
        job: { completed: 'job-1' },
      },
    ],
  },
  {
    from: 'running',
    happening: 'a try failed, another is allowed',
    to: 'queued, not before `delay_ms`',
    events: '`step.retrying`',
    attempt: 'void',
    cases: [
      {
        state: running,
        happening: retried(),
        steps: {
          a: { ...attemptClosed, ...retried().count, ...retried().carried, status: 'queued', notBefore: 11_500 },
        },
        attempts: [closedAttempt('void', { error: retried().failure })],
        events: [['step.retrying', 'a', 1, { delay_ms: 1500, error: retried().failure }]],
      },
    ],
  },
  {
    from: 'running',
    happening: 'worker lost, hand-over, shutdown',
    to: 'queued',
    events: '`step.retrying` {worker_lost, shutdown}',
    attempt: 'void',
    cases: [lostStep('worker_lost', 4), lostStep('shutdown', 3)],
  },
  {
    from: 'running',
    happening: 'output limit, continuation left',
    to: 'running',
    events: '`step.continued`',
    cases: [{ state: running, happening: continued(), events: [['step.continued', 'a', 1, { n: 1 }]] }],
  },
  {
    from: 'running',
    happening: 'answer whole, no gate',
    to: 'completed',
    events: '`artifact.created` …, `step.completed`',
    attempt: 'kept',
    cases: [
      {
        state: workflowOf('running', [
          { id: 'a', status: 'running', usage, carriedText: 'paid', carriedContinuations: 1 },
          other,
        ]),
        happening: completed(),
        steps: {
          a: {
            ...kept,
            ...noCarry,
            status: 'completed',
            finishReason: 'stop',
            artifacts: ['src/a.ts', 'README.md'],
            rejectedArtifacts: completed().rejected,
            endedSeq: 13,
          },
        },
        attempts: [closedAttempt('kept', { finishReason: 'stop', model: 'model-1b' })],
        events: [
          ['artifact.created', 'a', 1, { path: 'src/a.ts', bytes: 12, sha256: 'aa', version: 1 }],
          ['artifact.created', 'a', 1, { path: 'README.md', bytes: 34, sha256: 'bb', version: 3 }],
          [
            'step.completed',
            'a',
            1,
            {
              ...plainResult,
              artifacts: ['src/a.ts', 'README.md'],
              usage: { ...zeroUsage, input_tokens: 30, output_tokens: 12, llm_calls: 2 },
              rejected_artifacts: completed().rejected,
            },
          ],
        ],
      },
    ],
  },
  {
    from: 'running',
    happening:
      'still cut after the last continuation (`output_limit`); or a continuation failed with no try left, or was refused its budget',
    to: 'incomplete',
    events: '`artifact.created` …, `step.incomplete` with the `error`; its output is all that this attempt delivered',
    attempt: 'kept',
    cases: [keptWith(cut), keptWith(failure('llm_truncated', { attempts: 4 }))],
  },
  {
    from: 'running',
    happening: 'no try left, or not retryable',
    to: 'failed',
    events: '`step.failed`',
    attempt: 'void',
    cases: [
      {
        state: running,
        happening: failed(),
        steps: { a: { ...ended, status: 'failed', error: rejected } },
        attempts: [closedAttempt('void', { error: rejected })],
        events: [['step.failed', 'a', 1, { error: rejected }]],
      },
    ],
  },
  {
    from: 'pending, queued, running, waiting',
    happening: 'cancel',
    to: 'cancelled',
    events: '`step.cancelled`',
    attempt: 'void if open',
    cases: [
      cancelledFrom('pending'),
      cancelledFrom('queued'),
      cancelledFrom('running', { attempts: [closedAttempt('void')] }),
      cancelledFrom('waiting'),
    ],
  },
]
