import {
  attemptClosed,
  closedAttempt,
  endEvent,
  endOf,
  queuedEvent,
  skippedBy,
  skippedEvent,
  zeroUsage,
} from './table-row.ts'
import type { TableRow } from './table-row.ts'
import { stepHappenings, times, workflowHappenings, workflowOf } from './workflow-states.ts'

const rejected = stepHappenings.failed().failure
const unstarted = { seq: 0, claim: null, updatedAt: times.created }
const oneRunning = workflowOf('running', [{ id: 'a', status: 'running' }])
const kept = {
  ...attemptClosed,
  status: 'completed',
  endedAt: times.now,
  keptAttempt: 1,
  finishReason: 'stop',
  model: 'model-1b',
} as const
const plainAnswer = { ...stepHappenings.completed(), artifacts: [], rejected: [] }
const plainData = {
  artifacts: [],
  usage: zeroUsage,
  finish_reason: 'stop',
  model: 'model-1b',
  endpoint: 'default',
  duration_ms: 6500,
}
const keptAttempt = closedAttempt('kept', { finishReason: 'stop', model: 'model-1b' })

/** The table "Workflow" of the contract's states, first part: how a workflow comes to its end. */
export const runningRows: readonly TableRow[] = [
  {
    from: '–',
    happening: 'POST accepted',
    to: 'queued',
    events: '`workflow.queued`, `step.queued` of every root',
    cases: [
      {
        state: workflowOf(
          'queued',
          [
            { id: 'a', status: 'pending' },
            { id: 'b', status: 'pending', after: ['a'] },
            { id: 'c', status: 'pending' },
          ],
          unstarted,
        ),
        happening: 'begin',
        steps: { a: { status: 'queued' }, c: { status: 'queued' } },
        events: [
          [
            'workflow.queued',
            null,
            null,
            {
              status: 'queued',
              created_at: '1970-01-01T00:00:01.000Z',
              workflow_type: 'custom',
              steps: [
                { id: 'a', role: 'developer', task_id: 'task_a', depends_on: [] },
                { id: 'b', role: 'developer', task_id: 'task_b', depends_on: ['a'] },
                { id: 'c', role: 'developer', task_id: 'task_c', depends_on: [] },
              ],
            },
          ],
          queuedEvent('a'),
          queuedEvent('c'),
        ],
        job: { sent: true },
      },
    ],
  },
  {
    from: 'queued',
    happening: 'a replica takes it',
    to: 'running',
    events: '`workflow.started`',
    cases: [
      {
        state: workflowOf('queued', [
          { id: 'a', status: 'queued' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: workflowHappenings.taken,
        workflow: {
          status: 'running',
          startedAt: times.now,
          runningSince: times.now,
          claim: workflowHappenings.taken.claim,
        },
        events: [['workflow.started', null, null, { status: 'running' }]],
      },
    ],
  },
  {
    from: 'running',
    happening: 'a step ends, others can go on',
    to: 'running',
    events: "the step's",
    cases: [
      {
        name: 'it is completed',
        state: workflowOf('running', [
          { id: 'a', status: 'running' },
          { id: 'b', status: 'pending', after: ['a'] },
        ]),
        happening: plainAnswer,
        steps: { a: { ...kept, endedSeq: 11 }, b: { status: 'queued' } },
        attempts: [keptAttempt],
        events: [['step.completed', 'a', 1, plainData], queuedEvent('b')],
      },
      {
        name: 'it fails, another branch runs on',
        state: workflowOf('running', [
          { id: 'a', status: 'running' },
          { id: 'b', status: 'pending', after: ['a'] },
          { id: 'c', status: 'running' },
        ]),
        happening: stepHappenings.failed(),
        steps: {
          a: { ...attemptClosed, status: 'failed', error: rejected, endedAt: times.now, endedSeq: 11 },
          b: skippedBy('a', 12),
        },
        attempts: [closedAttempt('void', { error: rejected })],
        events: [['step.failed', 'a', 1, { error: rejected }], skippedEvent('b', 'a')],
      },
    ],
  },
  {
    from: 'running',
    happening: 'no step can run or wait any more',
    to: 'completed / failed / cancelled',
    events: "the step's, `workflow.completed` / `.failed` / `.cancelled`",
    cases: [
      {
        name: 'completed',
        state: oneRunning,
        happening: plainAnswer,
        workflow: endOf('completed', null),
        steps: { a: { ...kept, endedSeq: 11 } },
        attempts: [keptAttempt],
        events: [['step.completed', 'a', 1, plainData], endEvent('completed', null)],
        job: { completed: 'job-1' },
      },
      {
        name: 'failed',
        state: workflowOf('running', [
          { id: 'b', status: 'completed' },
          { id: 'a', status: 'running', after: ['b'] },
          { id: 'c', status: 'pending', after: ['a'] },
        ]),
        happening: stepHappenings.failed(1),
        workflow: endOf('failed', 'step_failed', { error: rejected }),
        steps: {
          a: { ...attemptClosed, status: 'failed', error: rejected, endedAt: times.now, endedSeq: 11 },
          c: skippedBy('a', 12),
        },
        attempts: [closedAttempt('void', { stepIndex: 1, error: rejected })],
        events: [
          ['step.failed', 'a', 1, { error: rejected }],
          skippedEvent('c', 'a'),
          endEvent('failed', 'step_failed', { error: rejected }),
        ],
        job: { completed: 'job-1' },
      },
      {
        name: 'completed with failures',
        state: workflowOf('running', [{ id: 'a', status: 'running', onFailure: 'continue' }]),
        happening: stepHappenings.failed(),
        workflow: endOf('completed', 'with_failures'),
        steps: { a: { ...attemptClosed, status: 'failed', error: rejected, endedAt: times.now, endedSeq: 11 } },
        attempts: [closedAttempt('void', { error: rejected })],
        events: [['step.failed', 'a', 1, { error: rejected }], endEvent('completed', 'with_failures')],
        job: { completed: 'job-1' },
      },
    ],
  },
]
