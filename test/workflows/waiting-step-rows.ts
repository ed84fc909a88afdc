import { attemptClosed, closedAttempt, queuedEvent, skippedBy, skippedEvent, zeroUsage } from './table-row.ts'
import type { TableRow } from './table-row.ts'
import { failure, stepHappenings, times, workflowOf } from './workflow-states.ts'

const { started, completed, incomplete, failed } = stepHappenings
const rejected = failed().failure
const cut = failure('output_limit')

/** Another branch that goes on, so that a case is about its own step only. */
const other = { id: 'z', status: 'running' } as const
const plainResult = { finish_reason: 'stop', model: 'model-1b', endpoint: 'default', duration_ms: 6500 }
const kept = { ...attemptClosed, endedAt: times.now, keptAttempt: 1, model: 'model-1b' }
const ended = { ...attemptClosed, endedAt: times.now, endedSeq: 11 }
const noCarry = { carriedText: null, carriedContinuations: 0 }

/** The table "Step" of the contract's states, first part: until a step runs. */
export const waitingStepRows: readonly TableRow[] = [
  {
    from: '–',
    happening: 'created with dependencies',
    to: 'pending',
    events: '–',
    attempt: '0',
    cases: [
      {
        state: workflowOf('queued', [{ id: 'b', status: 'pending', after: ['a'] }], { seq: 0 }),
        happening: 'begin',
        events: [
          [
            'workflow.queued',
            null,
            null,
            {
              status: 'queued',
              created_at: '1970-01-01T00:00:01.000Z',
              workflow_type: 'custom',
              steps: [{ id: 'b', role: 'developer', task_id: 'task_b', depends_on: ['a'] }],
            },
          ],
        ],
        job: { sent: true },
      },
    ],
  },
  {
    from: '–, pending',
    happening: 'every dependency counts as done',
    to: 'queued',
    events: '`step.queued`',
    cases: [
      {
        name: 'the last of two is completed',
        state: workflowOf('running', [
          { id: 'b', status: 'completed' },
          { id: 'a', status: 'running' },
          { id: 'c', status: 'pending', after: ['a', 'b'] },
          { id: 'd', status: 'pending', after: ['c'] },
        ]),
        happening: { ...completed(1), artifacts: [], rejected: [] },
        steps: { a: { ...kept, status: 'completed', finishReason: 'stop', endedSeq: 11 }, c: { status: 'queued' } },
        attempts: [closedAttempt('kept', { stepIndex: 1, finishReason: 'stop', model: 'model-1b' })],
        events: [['step.completed', 'a', 1, { ...plainResult, artifacts: [], usage: zeroUsage }], queuedEvent('c')],
      },
      {
        name: 'it failed, and is tolerated',
        state: workflowOf('running', [
          { id: 'a', status: 'running', onFailure: 'continue' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: failed(),
        steps: { a: { ...ended, status: 'failed', error: rejected }, b: { status: 'queued' } },
        attempts: [closedAttempt('void', { error: rejected })],
        events: [['step.failed', 'a', 1, { error: rejected }], queuedEvent('b')],
      },
      {
        name: 'it is incomplete, and tolerated',
        state: workflowOf('running', [
          { id: 'a', status: 'running', onFailure: 'continue' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: incomplete(),
        steps: {
          a: { ...kept, status: 'incomplete', finishReason: 'length', error: cut, endedSeq: 11 },
          b: { status: 'queued' },
        },
        attempts: [closedAttempt('kept', { finishReason: 'length', model: 'model-1b', error: cut })],
        events: [
          [
            'step.incomplete',
            'a',
            1,
            { ...plainResult, finish_reason: 'length', artifacts: [], usage: zeroUsage, error: cut },
          ],
          queuedEvent('b'),
        ],
      },
    ],
  },
  {
    from: 'pending',
    happening: 'a dependency ended otherwise',
    to: 'skipped',
    events: '`step.skipped` {reason}',
    cases: [
      {
        name: 'and what depends on it, in one transaction',
        state: workflowOf('running', [
          { id: 'c', status: 'pending', after: ['b'] },
          { id: 'b', status: 'pending', after: ['a', 'z'], onFailure: 'continue' },
          { id: 'a', status: 'running' },
          other,
        ]),
        happening: failed(2),
        steps: {
          a: { ...ended, status: 'failed', error: rejected },
          b: skippedBy('a', 12),
          c: skippedBy('b', 13),
        },
        attempts: [closedAttempt('void', { stepIndex: 2, error: rejected })],
        events: [['step.failed', 'a', 1, { error: rejected }], skippedEvent('b', 'a'), skippedEvent('c', 'b')],
      },
    ],
  },
  {
    from: 'queued',
    happening: 'a place is free and its call is within budget',
    to: 'running',
    events: '`step.started`',
    attempt: '**+1, opens**',
    cases: [
      {
        state: workflowOf('running', [
          { id: 'a', status: 'queued', attempt: 2, startedAt: 3000, runningMs: 90, notBefore: 9000 },
        ]),
        happening: started(),
        steps: {
          a: {
            status: 'running',
            attempt: 3,
            runningSince: times.now,
            endpoint: 'backup',
            model: 'model-2',
            truncatedInput: true,
            notBefore: null,
          },
        },
        attempts: [
          closedAttempt('void', {
            status: 'open',
            attempt: 3,
            startedAt: times.now,
            endedAt: null,
            endpoint: 'backup',
            model: 'model-2',
          }),
        ],
        events: [
          ['step.started', 'a', 3, { role: 'developer', task_id: 'task_a', model: 'model-2', endpoint: 'backup' }],
        ],
      },
    ],
  },
  {
    from: 'queued',
    happening:
      'budget refused; its time ran out waiting for the breaker (`circuit_open`, not started again); losses used up',
    to: 'failed',
    events: '`step.failed`',
    cases: [
      {
        name: 'its time ran out',
        state: workflowOf('running', [
          { id: 'a', status: 'queued', attempt: 1, carriedText: 'paid', carriedContinuations: 1 },
          other,
        ]),
        happening: failed(0, 'circuit_open'),
        steps: {
          a: {
            ...noCarry,
            status: 'failed',
            error: failed(0, 'circuit_open').failure,
            endedAt: times.now,
            endedSeq: 11,
          },
        },
        events: [['step.failed', 'a', 1, { error: failed(0, 'circuit_open').failure }]],
      },
    ],
  },
]
