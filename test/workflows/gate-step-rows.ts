import { noRevisionLeft, nobodyAnswered } from './gate-rows.ts'
import {
  attemptClosed,
  closedAttempt,
  gateAnswered,
  gateClosed,
  gateOpened,
  keptData,
  queuedEvent,
  zeroUsage,
} from './table-row.ts'
import type { TableRow } from './table-row.ts'
import { stepHappenings, times, usage, workflowOf } from './workflow-states.ts'

const { completed, approved, rejected, expired } = stepHappenings
const { feedback } = rejected()

/** Another branch that goes on, so that a case is about its own step only. */
const other = { id: 'z', status: 'running' } as const
const waiting = workflowOf('running', [{ id: 'a', status: 'waiting' }, other])
const begun = { triesUsed: 2, timeUsedMs: 5000, restarts: 1, losses: 3, carriedText: 'paid', carriedContinuations: 1 }
const anew = { triesUsed: 0, timeUsedMs: 0, restarts: 0, losses: 0, carriedText: null, carriedContinuations: 0 }
const told = { text: feedback, attempt: 1 }

/** The table "Step" of the contract's states, third part: a result that waits for a person. */
export const gateStepRows: readonly TableRow[] = [
  {
    from: 'running',
    happening: 'answer whole, gate',
    to: 'waiting',
    events: '`artifact.created` …, `step.waiting`',
    attempt: 'kept',
    cases: [
      {
        name: 'and what was wanted otherwise is done with',
        state: workflowOf('running', [
          { id: 'a', status: 'running', gate: true, usage, feedback: { text: 'Shorter.', attempt: null }, ...begun },
          other,
        ]),
        happening: completed(),
        steps: {
          a: {
            ...attemptClosed,
            ...gateOpened,
            ...anew,
            keptAttempt: 1,
            waitingAttempt: 1,
            feedback: null,
            finishReason: 'stop',
            model: 'model-1b',
            artifacts: ['src/a.ts', 'README.md'],
            rejectedArtifacts: completed().rejected,
          },
        },
        attempts: [closedAttempt('kept', { finishReason: 'stop', model: 'model-1b' })],
        events: [
          ['artifact.created', 'a', 1, { path: 'src/a.ts', bytes: 12, sha256: 'aa', version: 1 }],
          ['artifact.created', 'a', 1, { path: 'README.md', bytes: 34, sha256: 'bb', version: 3 }],
          [
            'step.waiting',
            'a',
            1,
            {
              artifacts: ['src/a.ts', 'README.md'],
              usage: { ...zeroUsage, input_tokens: 30, output_tokens: 12, llm_calls: 2 },
              finish_reason: 'stop',
              model: 'model-1b',
              endpoint: 'default',
              duration_ms: 6500,
              rejected_artifacts: completed().rejected,
              expires_at: '1970-01-01T00:01:10.000Z',
            },
          ],
        ],
      },
      {
        name: 'that never closes by itself',
        state: workflowOf('running', [{ id: 'a', status: 'running', gate: true }, other]),
        happening: { ...completed(), artifacts: [], rejected: [], approvalTimeoutMs: 0 },
        steps: {
          a: {
            ...attemptClosed,
            ...gateOpened,
            expiresAt: null,
            keptAttempt: 1,
            waitingAttempt: 1,
            finishReason: 'stop',
            model: 'model-1b',
          },
        },
        attempts: [closedAttempt('kept', { finishReason: 'stop', model: 'model-1b' })],
        events: [['step.waiting', 'a', 1, { ...keptData, model: 'model-1b', duration_ms: 6500, expires_at: null }]],
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'approve',
    to: 'completed',
    events: '`step.approved`, (`artifact.created` … of an edited output,) `step.completed`',
    attempt: '–',
    cases: [
      {
        name: 'as it is',
        state: waiting,
        happening: approved(),
        steps: { a: { ...gateAnswered, status: 'completed', endedAt: times.now, endedSeq: 12 } },
        events: [
          ['step.approved', 'a', 1, {}],
          ['step.completed', 'a', 1, keptData],
        ],
      },
      {
        name: 'edited: its files are those of the edit',
        state: workflowOf('running', [
          { id: 'a', status: 'waiting', artifacts: ['old.md'], rejectedArtifacts: [{ path: '/etc', reason: 'x' }] },
          other,
        ]),
        happening: { ...approved(), edit: { artifacts: completed().artifacts, rejected: [] } },
        steps: {
          a: {
            ...gateAnswered,
            status: 'completed',
            endedAt: times.now,
            endedSeq: 14,
            edited: true,
            artifacts: ['src/a.ts', 'README.md'],
            rejectedArtifacts: [],
          },
        },
        events: [
          ['step.approved', 'a', 1, {}],
          ['artifact.created', 'a', 1, { path: 'src/a.ts', bytes: 12, sha256: 'aa', version: 1 }],
          ['artifact.created', 'a', 1, { path: 'README.md', bytes: 34, sha256: 'bb', version: 3 }],
          ['step.completed', 'a', 1, { ...keptData, artifacts: ['src/a.ts', 'README.md'], edited: true }],
        ],
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'reject, revisions left',
    to: 'queued',
    events: '`step.rejected`, `step.queued`',
    attempt: '–',
    cases: [
      {
        state: workflowOf('running', [{ id: 'a', status: 'waiting', revisions: 1, ...begun }, other]),
        happening: rejected(),
        steps: { a: { ...gateAnswered, ...anew, status: 'queued', revisions: 2, feedback: told } },
        events: [['step.rejected', 'a', 1, { feedback }], queuedEvent('a', 1)],
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'reject, none left',
    to: 'failed (`rejected`)',
    events: '`step.rejected`, `step.failed`',
    attempt: '–',
    cases: [
      {
        state: workflowOf('running', [{ id: 'a', status: 'waiting', revisions: 2 }, other]),
        happening: rejected(),
        steps: {
          a: {
            ...gateAnswered,
            status: 'failed',
            error: noRevisionLeft,
            feedback: told,
            endedAt: times.now,
            endedSeq: 12,
          },
        },
        events: [
          ['step.rejected', 'a', 1, { feedback }],
          ['step.failed', 'a', 1, { error: noRevisionLeft }],
        ],
      },
    ],
  },
  {
    from: 'waiting',
    happening: 'expires',
    to: 'failed (`approval_expired`)',
    events: '`step.failed`',
    attempt: '–',
    cases: [
      {
        state: workflowOf('running', [{ id: 'a', status: 'waiting', expiresAt: times.now }, other]),
        happening: expired(),
        steps: { a: { ...gateClosed, status: 'failed', error: nobodyAnswered, endedAt: times.now, endedSeq: 11 } },
        events: [['step.failed', 'a', 1, { error: nobodyAnswered }]],
      },
    ],
  },
]
