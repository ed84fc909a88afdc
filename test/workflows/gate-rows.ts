import type { Failure } from '../../src/errors.ts'
import {
  activated,
  attemptClosed,
  closedAttempt,
  endEvent,
  endOf,
  gateAnswered,
  gateClosed,
  gateOpened,
  keptData,
  putToWait,
  queuedEvent,
  resumedEvent,
  skippedBy,
  skippedEvent,
  waitingEvent,
  zeroUsage,
} from './table-row.ts'
import type { ExpectedEvent, TableRow } from './table-row.ts'
import { stepHappenings, times, workflowOf } from './workflow-states.ts'

const { approved, rejected, expired } = stepHappenings
const { feedback } = rejected()

/** The errors of a gate that closed without an approval. */
export const noRevisionLeft: Failure = {
  code: 'rejected',
  message: 'The result was rejected, and no revision is left (max_revisions is 2).',
  retryable: true,
}
export const nobodyAnswered: Failure = {
  code: 'approval_expired',
  message: 'Nobody answered in time (APPROVAL_TIMEOUT_SECONDS).',
  retryable: true,
}

const plainAnswer = { ...stepHappenings.completed(), artifacts: [], rejected: [] }
const answerData = { ...keptData, model: 'model-1b', duration_ms: 6500, usage: zeroUsage }
const keptNow = { ...attemptClosed, keptAttempt: 1, finishReason: 'stop', model: 'model-1b' } as const
const keptAttempt = closedAttempt('kept', { finishReason: 'stop', model: 'model-1b' })
const approvedStep = { ...gateAnswered, status: 'completed', endedAt: times.now } as const
const sentBack = { ...gateAnswered, status: 'queued', revisions: 1, feedback: { text: feedback, attempt: 1 } } as const
const due = { expiresAt: times.now }
const failedStep = { status: 'failed', endedAt: times.now } as const

const approvedEvents = (step: string): readonly ExpectedEvent[] => [
  ['step.approved', step, 1, {}],
  ['step.completed', step, 1, keptData],
]

/** The table "Workflow" of the contract's states, third part: what waits for a person, and the answers. */
export const gateRows: readonly TableRow[] = [
  {
    from: 'running',
    happening: 'nothing queued or running, at least one waits',
    to: 'waiting',
    events: "the step's, `workflow.waiting`",
    cases: [
      {
        name: 'its last running step comes to its gate',
        state: workflowOf('running', [
          { id: 'a', status: 'running', gate: true },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: plainAnswer,
        workflow: putToWait,
        steps: { a: { ...keptNow, ...gateOpened, waitingAttempt: 1 } },
        attempts: [keptAttempt],
        events: [['step.waiting', 'a', 1, { ...answerData, expires_at: '1970-01-01T00:01:10.000Z' }], waitingEvent],
        job: { completed: 'job-1' },
      },
      {
        name: 'the last branch beside an open gate ends',
        state: workflowOf('running', [
          { id: 'a', status: 'running' },
          { id: 'g', status: 'waiting' },
          { id: 'b', status: 'pending', after: ['a', 'g'] },
        ]),
        happening: plainAnswer,
        workflow: putToWait,
        steps: { a: { ...keptNow, status: 'completed', endedAt: times.now, endedSeq: 11 } },
        attempts: [keptAttempt],
        events: [['step.completed', 'a', 1, answerData], waitingEvent],
        job: { completed: 'job-1' },
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'an answer, something becomes ready',
    to: 'queued',
    events: '`step.approved` …, `workflow.resumed`, `step.queued`',
    cases: [
      {
        name: 'approved',
        state: workflowOf('waiting', [
          { id: 'b', status: 'pending', after: ['g'] },
          { id: 'g', status: 'waiting' },
          { id: 'c', status: 'pending', after: ['g'] },
          { id: 'd', status: 'pending', after: ['b', 'h'] },
          { id: 'h', status: 'waiting' },
        ]),
        happening: approved(1),
        workflow: activated,
        steps: { g: { ...approvedStep, endedSeq: 12 }, b: { status: 'queued' }, c: { status: 'queued' } },
        events: [...approvedEvents('g'), resumedEvent('waiting', []), queuedEvent('b'), queuedEvent('c')],
        job: { sent: true },
      },
      {
        name: 'rejected, revisions left',
        state: workflowOf('waiting', [{ id: 'g', status: 'waiting' }]),
        happening: rejected(),
        workflow: activated,
        steps: { g: sentBack },
        events: [['step.rejected', 'g', 1, { feedback }], resumedEvent('waiting', []), queuedEvent('g', 1)],
        job: { sent: true },
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'an answer or an expiry, nothing ready, others still wait',
    to: 'waiting',
    events: "the step's",
    cases: [
      {
        name: 'approved',
        state: workflowOf('waiting', [
          { id: 'g', status: 'waiting' },
          { id: 'h', status: 'waiting' },
          { id: 'b', status: 'pending', after: ['g', 'h'] },
        ]),
        happening: approved(),
        steps: { g: { ...approvedStep, endedSeq: 12 } },
        events: approvedEvents('g'),
      },
      {
        name: 'rejected, no revision left',
        state: workflowOf('waiting', [
          { id: 'g', status: 'waiting', revisions: 2 },
          { id: 'h', status: 'waiting' },
        ]),
        happening: rejected(),
        steps: {
          g: { ...sentBack, ...failedStep, revisions: 2, error: noRevisionLeft, endedSeq: 12 },
        },
        events: [
          ['step.rejected', 'g', 1, { feedback }],
          ['step.failed', 'g', 1, { error: noRevisionLeft }],
        ],
      },
      {
        name: 'expired',
        state: workflowOf('waiting', [
          { id: 'g', status: 'waiting', ...due },
          { id: 'b', status: 'pending', after: ['g'] },
          { id: 'h', status: 'waiting' },
        ]),
        happening: expired(),
        steps: {
          g: { ...gateClosed, ...failedStep, error: nobodyAnswered, endedSeq: 11 },
          b: skippedBy('g', 12),
        },
        events: [['step.failed', 'g', 1, { error: nobodyAnswered }], skippedEvent('b', 'g')],
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'an answer or an expiry, nothing left',
    to: 'completed / failed / cancelled',
    events: "the step's, the end",
    cases: [
      {
        name: 'completed',
        state: workflowOf('waiting', [
          { id: 'g', status: 'waiting' },
          { id: 'a', status: 'completed' },
        ]),
        happening: approved(),
        workflow: endOf('completed', null, { runningMs: 3000 }),
        steps: { g: { ...approvedStep, endedSeq: 12 } },
        events: [...approvedEvents('g'), endEvent('completed', null, { runningMs: 3000 })],
      },
      {
        name: 'rejected, no revision left',
        state: workflowOf('waiting', [{ id: 'g', status: 'waiting', revisions: 2 }]),
        happening: rejected(),
        workflow: endOf('failed', 'rejected', { error: noRevisionLeft, runningMs: 3000 }),
        steps: {
          g: { ...sentBack, ...failedStep, revisions: 2, error: noRevisionLeft, endedSeq: 12 },
        },
        events: [
          ['step.rejected', 'g', 1, { feedback }],
          ['step.failed', 'g', 1, { error: noRevisionLeft }],
          endEvent('failed', 'rejected', { error: noRevisionLeft, runningMs: 3000 }),
        ],
      },
      {
        name: 'expired',
        state: workflowOf('waiting', [
          { id: 'b', status: 'pending', after: ['g'] },
          { id: 'g', status: 'waiting', ...due },
        ]),
        happening: expired(1),
        workflow: endOf('failed', 'approval_expired', { error: nobodyAnswered, runningMs: 3000 }),
        steps: {
          g: { ...gateClosed, ...failedStep, error: nobodyAnswered, endedSeq: 11 },
          b: skippedBy('g', 12),
        },
        events: [
          ['step.failed', 'g', 1, { error: nobodyAnswered }],
          skippedEvent('b', 'g'),
          endEvent('failed', 'approval_expired', { error: nobodyAnswered, runningMs: 3000 }),
        ],
      },
      {
        name: 'cancelled: what a rerun left alone is still cancelled',
        state: workflowOf('waiting', [
          { id: 'g', status: 'waiting' },
          { id: 'a', status: 'cancelled' },
        ]),
        happening: approved(),
        workflow: endOf('cancelled', 'cancelled_by_client', { runningMs: 3000 }),
        steps: { g: { ...approvedStep, endedSeq: 12 } },
        events: [...approvedEvents('g'), endEvent('cancelled', 'cancelled_by_client', { runningMs: 3000 })],
      },
    ],
  },
  {
    from: 'queued, running',
    happening: 'an answer to an open gate, or its expiry',
    to: 'unchanged',
    events: "the step's; `step.queued` of what became ready",
    cases: (['queued', 'running'] as const).flatMap((status) => [
      {
        name: `${status}: approved`,
        state: workflowOf(status, [
          { id: 'g', status: 'waiting' },
          { id: 'b', status: 'pending', after: ['g'] },
          { id: 'z', status: 'queued' },
        ]),
        happening: approved(),
        steps: { g: { ...approvedStep, endedSeq: 12 }, b: { status: 'queued' } },
        events: [...approvedEvents('g'), queuedEvent('b')],
      },
      {
        name: `${status}: rejected`,
        state: workflowOf(status, [
          { id: 'g', status: 'waiting' },
          { id: 'z', status: 'queued' },
        ]),
        happening: rejected(),
        steps: { g: sentBack },
        events: [['step.rejected', 'g', 1, { feedback }], queuedEvent('g', 1)],
      },
      {
        name: `${status}: expired`,
        state: workflowOf(status, [
          { id: 'g', status: 'waiting', ...due },
          { id: 'b', status: 'pending', after: ['g'] },
          { id: 'z', status: 'queued' },
        ]),
        happening: expired(),
        steps: {
          g: { ...gateClosed, ...failedStep, error: nobodyAnswered, endedSeq: 11 },
          b: skippedBy('g', 12),
        },
        events: [['step.failed', 'g', 1, { error: nobodyAnswered }], skippedEvent('b', 'g')],
      },
    ]),
  },
]
