import type { StepStatus } from '../../src/workflows/workflow.ts'
import { nobodyAnswered } from './gate-rows.ts'
import { activated, gateOpened, keptData, queuedEvent, resumedEvent, skippedBy, skippedEvent } from './table-row.ts'
import type { RowCase, TableRow } from './table-row.ts'
import { failure, stepHappenings, workflowHappenings, workflowOf } from './workflow-states.ts'

const { rerun } = stepHappenings
const { resumed } = workflowHappenings

/** Changed fields of a step whose end is undone. */
const unended = { endedAt: null, endedSeq: null, reason: null, dependency: null, error: null } as const
const begun = {
  triesUsed: 2,
  timeUsedMs: 5000,
  restarts: 1,
  losses: 3,
  notBefore: 9000,
  carriedText: 'paid',
  carriedContinuations: 1,
  revisions: 2,
}
const anew = {
  triesUsed: 0,
  timeUsedMs: 0,
  restarts: 0,
  losses: 0,
  notBefore: null,
  carriedText: null,
  carriedContinuations: 0,
  revisions: 0,
}
const told = { text: 'Shorter.', attempt: 1 }
const keptText = { gate: true, attempt: 1, keptAttempt: 1, finishReason: 'stop' } as const

function resumeOf(status: 'failed' | 'incomplete' | 'cancelled', from: 'failed' | 'cancelled'): RowCase {
  const attempt = status === 'cancelled' ? 0 : 1
  return {
    name: status,
    state: workflowOf(from, [{ id: 'a', status, feedback: told, ...begun }]),
    happening: resumed,
    workflow: activated,
    steps: { a: { ...unended, ...anew, status: 'queued' } },
    events: [resumedEvent(from, ['a']), queuedEvent('a', attempt)],
    job: { sent: true },
  }
}

function reopened(name: string, step: { status: 'failed' | 'cancelled'; error?: typeof nobodyAnswered }): RowCase {
  const gate = { ...keptText, waitingAttempt: 1, endpoint: 'default', model: 'model-1', runningMs: 700, revisions: 2 }
  return {
    name,
    state: workflowOf(step.status, [{ id: 'a', ...gate, ...step }]),
    happening: resumed,
    workflow: { status: 'waiting', reason: 'approval', endedAt: null },
    steps: { a: { ...unended, ...gateOpened, revisions: 0 } },
    events: [
      resumedEvent(step.status, ['a'], 'waiting'),
      ['step.waiting', 'a', 1, { ...keptData, expires_at: '1970-01-01T00:01:10.000Z' }],
    ],
  }
}

function rerunOf(workflow: 'completed' | 'failed' | 'cancelled', status: StepStatus): RowCase {
  return {
    name: `${status} in a ${workflow} workflow`,
    state: workflowOf(workflow, [{ id: 'a', status, onFailure: 'continue', ...begun }]),
    happening: rerun(),
    workflow: activated,
    steps: { a: { ...unended, ...anew, status: 'queued' } },
    events: [resumedEvent(workflow, ['a']), queuedEvent('a', status === 'cancelled' ? 0 : 1)],
    job: { sent: true },
  }
}

/** The table "Step" of the contract's states, fourth part: what resume and rerun make of a step. */
export const revivalStepRows: readonly TableRow[] = [
  {
    from: 'failed, incomplete, skipped, cancelled, unless tolerated or the next row applies',
    happening: 'resume',
    to: 'pending, then queued',
    events: '–',
    cases: [
      resumeOf('failed', 'failed'),
      resumeOf('incomplete', 'failed'),
      resumeOf('cancelled', 'cancelled'),
      {
        name: 'skipped, and tolerated ones beside it',
        state: workflowOf('failed', [
          { id: 't', status: 'failed', onFailure: 'continue' },
          { id: 'u', status: 'incomplete', onFailure: 'continue' },
          { id: 'v', status: 'failed', onFailure: 'continue', error: failure('budget_exhausted') },
          { id: 'w', status: 'skipped', after: ['t', 'v'], dependency: 'v' },
        ]),
        happening: resumed,
        workflow: activated,
        steps: { v: { ...unended, status: 'queued' }, w: { ...unended, status: 'pending' } },
        events: [resumedEvent('failed', ['v', 'w']), queuedEvent('v', 1)],
        job: { sent: true },
      },
      {
        name: 'rejected: the answer was given, so it runs again',
        state: workflowOf('failed', [
          { id: 'a', status: 'failed', ...keptText, error: failure('rejected'), feedback: told, revisions: 2 },
        ]),
        happening: resumed,
        workflow: activated,
        steps: { a: { ...unended, status: 'queued', revisions: 0 } },
        events: [resumedEvent('failed', ['a']), queuedEvent('a', 1)],
        job: { sent: true },
      },
    ],
  },
  {
    from: 'cancelled or expired, with a kept text that nobody answered',
    happening: 'resume',
    to: 'waiting, not paid for again, a new `expires_at`',
    events: '`step.waiting`',
    attempt: 'same',
    cases: [
      reopened('cancelled', { status: 'cancelled' }),
      reopened('expired', { status: 'failed', error: nobodyAnswered }),
    ],
  },
  {
    from: 'completed, incomplete, failed, cancelled',
    happening: 'rerun of it',
    to: 'queued',
    events: '`step.queued`',
    cases: [
      ...(['completed', 'incomplete', 'failed'] as const).flatMap((status) => [
        rerunOf('completed', status),
        rerunOf('failed', status),
        rerunOf('cancelled', status),
      ]),
      rerunOf('cancelled', 'cancelled'),
      {
        name: 'with feedback on its last text',
        state: workflowOf('completed', [{ id: 'a', status: 'completed', edited: true, feedback: null }]),
        happening: { ...rerun(), feedback: 'Shorter.' },
        workflow: activated,
        steps: { a: { ...unended, status: 'queued', feedback: told } },
        events: [resumedEvent('completed', ['a']), queuedEvent('a', 1)],
        job: { sent: true },
      },
      {
        name: 'whose gate nobody answered: it runs, the gate is not opened again',
        state: workflowOf('failed', [
          { id: 'a', status: 'failed', ...keptText, waitingAttempt: 1, error: nobodyAnswered },
        ]),
        happening: rerun(),
        workflow: activated,
        steps: { a: { ...unended, status: 'queued', waitingAttempt: null } },
        events: [resumedEvent('failed', ['a']), queuedEvent('a', 1)],
        job: { sent: true },
      },
    ],
  },
  {
    from: 'any ended',
    happening: 'rerun of a step that it depends on, directly or not',
    to: 'pending; skipped again at once if another dependency is not done; gates ask again',
    events: '– (`reset` of `workflow.resumed`)',
    cases: [
      {
        name: 'whatever its end was',
        state: workflowOf('cancelled', [
          { id: 'f', status: 'skipped', after: ['e'], dependency: 'e' },
          { id: 'a', status: 'completed' },
          { id: 'b', status: 'completed', after: ['a'], gate: true, ...begun },
          { id: 'c', status: 'cancelled', after: ['b'], ...keptText, waitingAttempt: 1 },
          { id: 'd', status: 'incomplete', after: ['a'], onFailure: 'continue' },
          { id: 'e', status: 'failed', after: ['d'] },
          { id: 'z', status: 'completed' },
        ]),
        happening: rerun(1),
        workflow: activated,
        steps: {
          a: { ...unended, status: 'queued' },
          b: { ...unended, ...anew, status: 'pending' },
          c: { ...unended, status: 'pending', waitingAttempt: null },
          d: { ...unended, status: 'pending' },
          e: { ...unended, status: 'pending' },
          f: { ...unended, status: 'pending' },
        },
        events: [resumedEvent('cancelled', ['f', 'a', 'b', 'c', 'd', 'e']), queuedEvent('a', 1)],
        job: { sent: true },
      },
      {
        name: 'another dependency is not done',
        state: workflowOf('failed', [
          { id: 'a', status: 'completed' },
          { id: 'x', status: 'failed' },
          { id: 'b', status: 'skipped', after: ['a', 'x'], dependency: 'x' },
          { id: 'c', status: 'skipped', after: ['b'], dependency: 'b' },
        ]),
        happening: rerun(),
        workflow: activated,
        steps: { a: { ...unended, status: 'queued' }, b: skippedBy('x', 13), c: skippedBy('b', 14) },
        events: [
          resumedEvent('failed', ['a', 'b', 'c']),
          queuedEvent('a', 1),
          skippedEvent('b', 'x'),
          skippedEvent('c', 'b'),
        ],
        job: { sent: true },
      },
    ],
  },
]
