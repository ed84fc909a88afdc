import { activated, gateOpened, keptData, queuedEvent, resumedEvent } from './table-row.ts'
import type { RowCase, TableRow } from './table-row.ts'
import { failure, stepHappenings, workflowHappenings, workflowOf } from './workflow-states.ts'

/** Changed fields of a step whose end is undone. */
const unended = { endedAt: null, endedSeq: null, reason: null, dependency: null, error: null } as const
const queued = { ...unended, status: 'queued' } as const
const pending = { ...unended, status: 'pending' } as const
const gateData = { ...keptData, expires_at: '1970-01-01T00:01:10.000Z' }

/** A gate that a cancel closed: nobody answered its text. */
const cancelledGate = {
  status: 'cancelled',
  gate: true,
  attempt: 1,
  keptAttempt: 1,
  waitingAttempt: 1,
  finishReason: 'stop',
  endpoint: 'default',
  model: 'model-1',
  runningMs: 700,
} as const

function rerunCase(status: 'completed' | 'failed' | 'cancelled'): RowCase {
  return {
    name: status,
    state: workflowOf(status, [
      { id: 'z', status },
      { id: 'a', status: 'completed' },
      { id: 'b', status: 'completed', after: ['a'] },
      { id: 'c', status: 'completed', after: ['b'] },
      { id: 'd', status: 'completed' },
    ]),
    happening: { ...stepHappenings.rerun(1), options: { model: 'other' }, priority: 7, stepOptions: { maxTokens: 9 } },
    workflow: { ...activated, options: { model: 'other' }, priority: 7 },
    steps: {
      a: { ...queued, definition: { ...rerunDefinition, options: { maxTokens: 9 } } },
      b: pending,
      c: pending,
    },
    events: [resumedEvent(status, ['a', 'b', 'c']), queuedEvent('a', 1)],
    job: { sent: true },
  }
}
const rerunDefinition = {
  id: 'a',
  role: 'developer',
  taskType: null,
  instruction: 'do a',
  dependsOn: [],
  onFailure: 'stop',
  approval: false,
  context: {},
} as const

/** The table "Workflow" of the contract's states, fourth part: what makes an ended workflow go on. */
export const revivalRows: readonly TableRow[] = [
  {
    from: 'failed, cancelled',
    happening: 'resume',
    to: 'queued (waiting, if only gates are open)',
    events: '`workflow.resumed`, then in the order of the DAG `step.queued` / `step.waiting`; no `workflow.waiting`',
    cases: [
      {
        name: 'failed: results and what was tolerated stay',
        state: workflowOf(
          'failed',
          [
            { id: 'c', status: 'skipped', after: ['b'], dependency: 'b' },
            { id: 'a', status: 'completed' },
            { id: 'b', status: 'failed', after: ['a'] },
            { id: 't', status: 'failed', onFailure: 'continue' },
            { id: 'u', status: 'incomplete', after: ['t'] },
          ],
          { reason: 'step_failed', error: failure() },
        ),
        happening: { ...workflowHappenings.resumed, options: { maxTokens: 50 }, priority: -3 },
        workflow: { ...activated, options: { maxTokens: 50 }, priority: -3 },
        steps: { c: pending, b: queued, u: queued },
        events: [resumedEvent('failed', ['c', 'b', 'u']), queuedEvent('b', 1), queuedEvent('u', 1)],
        job: { sent: true },
      },
      {
        name: 'cancelled, with a gate that nobody answered',
        state: workflowOf(
          'cancelled',
          [
            { id: 'a', status: 'cancelled' },
            { id: 'g', ...cancelledGate },
            { id: 'b', status: 'cancelled', after: ['g'] },
            { id: 'c', status: 'cancelled', attempt: 2 },
          ],
          { reason: 'cancelled_by_client' },
        ),
        happening: workflowHappenings.resumed,
        workflow: activated,
        steps: { a: queued, g: { ...unended, ...gateOpened }, b: pending, c: queued },
        events: [
          resumedEvent('cancelled', ['a', 'g', 'b', 'c']),
          queuedEvent('a'),
          ['step.waiting', 'g', 1, gateData],
          queuedEvent('c', 2),
        ],
        job: { sent: true },
      },
      {
        name: 'only gates are open',
        state: workflowOf(
          'cancelled',
          [
            { id: 'b', status: 'cancelled', after: ['g'] },
            { id: 'g', ...cancelledGate },
          ],
          { reason: 'cancelled_by_client' },
        ),
        happening: workflowHappenings.resumed,
        workflow: { status: 'waiting', reason: 'approval', endedAt: null },
        steps: { b: pending, g: { ...unended, ...gateOpened } },
        events: [resumedEvent('cancelled', ['b', 'g'], 'waiting'), ['step.waiting', 'g', 1, gateData]],
      },
    ],
  },
  {
    from: 'completed, failed, cancelled',
    happening: 'rerun of a step',
    to: 'queued',
    events: '`workflow.resumed`, `step.queued`',
    cases: [rerunCase('completed'), rerunCase('failed'), rerunCase('cancelled')],
  },
  {
    from: 'completed, failed, cancelled',
    happening: 'DELETE, retention',
    to: 'gone',
    events: '–',
    later: 'not a transition: the store removes the row, and its contract suite holds it to that',
  },
]
