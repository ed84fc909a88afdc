import type { Failure } from '../../src/errors.ts'
import {
  attemptClosed,
  closedAttempt,
  endEvent,
  endOf,
  gateClosed,
  putToWait,
  skippedBy,
  skippedEvent,
  waitingEvent,
} from './table-row.ts'
import type { TableRow } from './table-row.ts'
import { failure, times, workflowHappenings, workflowOf } from './workflow-states.ts'

/** The error of every step that the workflow's time leaves unfinished. */
export const timeIsUp: Failure = {
  code: 'budget_exhausted',
  message: 'The time that this workflow may spend running is used up (WORKFLOW_TIMEOUT).',
  retryable: true,
  budget: 'max_duration_seconds',
}
const workerLost = {
  code: 'worker_lost',
  message: 'The process that ran this step was lost; it starts again.',
  retryable: true,
} as const
const shutdown = {
  code: 'shutdown',
  message: 'The process that ran this step is shutting down; it starts again elsewhere.',
  retryable: true,
} as const
const byClient = { reason: 'cancelled_by_client' }
const cancelledStep = { ...byClient, status: 'cancelled', endedAt: times.now } as const

const oneRunning = workflowOf('running', [{ id: 'a', status: 'running' }])
const twoRunning = workflowOf('running', [
  { id: 'a', status: 'running' },
  { id: 'b', status: 'queued', attempt: 2 },
  { id: 'c', status: 'running' },
  { id: 'd', status: 'pending', after: ['a'] },
])
const bothLost = { ...attemptClosed, status: 'queued', triesUsed: 0, timeUsedMs: 0 } as const

/** The table "Workflow" of the contract's states, second part: what stops a workflow from outside. */
export const interruptionRows: readonly TableRow[] = [
  {
    from: 'queued, running',
    happening: 'its time is up (`max_duration_seconds`)',
    to: 'by the end rule',
    events:
      '`step.failed` {budget_exhausted} of every running and queued step, `step.skipped` of what depends on them, the end if no gate is open',
    cases: [
      {
        name: 'queued',
        state: workflowOf('queued', [
          { id: 'a', status: 'queued' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: workflowHappenings.timeUp,
        workflow: endOf('failed', 'budget_exhausted', { error: timeIsUp, runningMs: 0 }),
        steps: {
          a: { status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 11 },
          b: skippedBy('a', 12),
        },
        events: [
          ['step.failed', 'a', 0, { error: timeIsUp }],
          skippedEvent('b', 'a'),
          endEvent('failed', 'budget_exhausted', { error: timeIsUp, runningMs: 0 }),
        ],
        job: { completed: 'job-1' },
      },
      {
        name: 'running, nothing of it tolerated',
        state: workflowOf('running', [
          { id: 'a', status: 'running', onFailure: 'continue' },
          { id: 'b', status: 'queued' },
          { id: 'c', status: 'pending', after: ['a'], onFailure: 'continue' },
        ]),
        happening: workflowHappenings.timeUp,
        workflow: endOf('failed', 'budget_exhausted', { error: timeIsUp }),
        steps: {
          a: { ...attemptClosed, status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 11 },
          b: { status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 12 },
          c: skippedBy('a', 13),
        },
        attempts: [closedAttempt('void', { error: timeIsUp })],
        events: [
          ['step.failed', 'a', 1, { error: timeIsUp }],
          ['step.failed', 'b', 0, { error: timeIsUp }],
          skippedEvent('c', 'a'),
          endEvent('failed', 'budget_exhausted', { error: timeIsUp }),
        ],
        job: { completed: 'job-1' },
      },
      {
        name: 'queued, while a gate is open',
        state: workflowOf('queued', [
          { id: 'g', status: 'waiting' },
          { id: 'a', status: 'queued' },
        ]),
        happening: workflowHappenings.timeUp,
        workflow: { ...putToWait, runningMs: 0 },
        steps: { a: { status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 11 } },
        events: [['step.failed', 'a', 0, { error: timeIsUp }], waitingEvent],
        job: { completed: 'job-1' },
      },
      {
        name: 'running, while a gate is open',
        state: workflowOf('running', [
          { id: 'a', status: 'running' },
          { id: 'b', status: 'pending', after: ['a', 'g'] },
          { id: 'g', status: 'waiting' },
        ]),
        happening: workflowHappenings.timeUp,
        workflow: putToWait,
        steps: {
          a: { ...attemptClosed, status: 'failed', error: timeIsUp, endedAt: times.now, endedSeq: 11 },
          b: skippedBy('a', 12),
        },
        attempts: [closedAttempt('void', { error: timeIsUp })],
        events: [['step.failed', 'a', 1, { error: timeIsUp }], skippedEvent('b', 'a'), waitingEvent],
        job: { completed: 'job-1' },
      },
    ],
  },
  {
    from: 'running',
    happening: 'its replica is lost, hands it over, or shuts down',
    to: 'running',
    events: '`step.retrying` of every running step',
    cases: [
      {
        name: 'lost, and taken by another',
        state: twoRunning,
        happening: workflowHappenings.taken,
        workflow: { claim: workflowHappenings.taken.claim },
        steps: { a: { ...bothLost, losses: 1 }, c: { ...bothLost, losses: 1 } },
        attempts: [
          closedAttempt('void', { error: workerLost }),
          closedAttempt('void', { stepIndex: 2, error: workerLost }),
        ],
        events: [
          ['step.retrying', 'a', 1, { delay_ms: 0, error: workerLost }],
          ['step.retrying', 'c', 1, { delay_ms: 0, error: workerLost }],
        ],
      },
      {
        name: 'lost, and handed over at boot',
        state: oneRunning,
        happening: workflowHappenings.lost,
        workflow: { activation: 2, jobId: 'job-2' },
        steps: { a: { ...bothLost, losses: 1 } },
        attempts: [closedAttempt('void', { error: workerLost })],
        events: [['step.retrying', 'a', 1, { delay_ms: 0, error: workerLost }]],
        job: { completed: 'job-1', sent: true },
      },
      {
        name: 'shuts down',
        state: oneRunning,
        happening: workflowHappenings.handedOver,
        workflow: { activation: 2, jobId: 'job-2' },
        steps: { a: bothLost },
        attempts: [closedAttempt('void', { error: shutdown })],
        events: [['step.retrying', 'a', 1, { delay_ms: 0, error: shutdown }]],
        job: { completed: 'job-1', sent: true },
      },
      {
        name: 'its runner fetches its own job again: nothing is lost',
        state: oneRunning,
        happening: workflowHappenings.adopted,
        workflow: { claim: workflowHappenings.adopted.claim },
        events: [],
      },
    ],
  },
  {
    from: 'queued',
    happening: 'its replica is lost before it took it (design: "Hand over")',
    to: 'queued',
    events: '–',
    cases: [
      {
        name: 'at boot',
        state: workflowOf('queued', [{ id: 'a', status: 'queued' }]),
        happening: workflowHappenings.lost,
        workflow: { activation: 2, jobId: 'job-2' },
        events: [],
        job: { completed: 'job-1', sent: true },
      },
      {
        name: 'its job is fetched again',
        state: workflowOf('queued', [{ id: 'a', status: 'queued' }]),
        happening: workflowHappenings.adopted,
        workflow: { claim: workflowHappenings.adopted.claim },
        events: [],
      },
    ],
  },
  {
    from: 'queued, running, waiting',
    happening: 'cancel',
    to: 'cancelled',
    events: '`step.cancelled` each, `workflow.cancelled`',
    cases: [
      {
        name: 'queued',
        state: workflowOf('queued', [
          { id: 'a', status: 'queued' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: workflowHappenings.cancelled,
        workflow: endOf('cancelled', 'cancelled_by_client', { runningMs: 0 }),
        steps: { a: { ...cancelledStep, endedSeq: 11 }, b: { ...cancelledStep, endedSeq: 12 } },
        events: [
          ['step.cancelled', 'a', 0, byClient],
          ['step.cancelled', 'b', 0, byClient],
          endEvent('cancelled', 'cancelled_by_client', { runningMs: 0 }),
        ],
        job: { completed: 'job-1' },
      },
      {
        name: 'running: what has ended stays as it is',
        state: workflowOf('running', [
          { id: 'a', status: 'running' },
          { id: 'b', status: 'completed' },
          { id: 'c', status: 'failed', error: failure() },
          { id: 'd', status: 'skipped', after: ['c'] },
        ]),
        happening: workflowHappenings.cancelled,
        workflow: endOf('cancelled', 'cancelled_by_client'),
        steps: { a: { ...attemptClosed, ...cancelledStep, endedSeq: 11 } },
        attempts: [closedAttempt('void')],
        events: [['step.cancelled', 'a', 1, byClient], endEvent('cancelled', 'cancelled_by_client')],
        job: { completed: 'job-1' },
      },
      {
        name: 'waiting',
        state: workflowOf('waiting', [{ id: 'a', status: 'waiting' }], { jobId: null }),
        happening: workflowHappenings.cancelled,
        workflow: endOf('cancelled', 'cancelled_by_client', { runningMs: 3000 }),
        steps: { a: { ...cancelledStep, ...gateClosed, endedSeq: 11 } },
        events: [
          ['step.cancelled', 'a', 1, byClient],
          endEvent('cancelled', 'cancelled_by_client', { runningMs: 3000 }),
        ],
      },
    ],
  },
]
