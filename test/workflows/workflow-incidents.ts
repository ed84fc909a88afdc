import fc from 'fast-check'
import type { Happening } from '../../src/workflows/transitions.ts'
import { hasEnded } from '../../src/workflows/workflow.ts'
import type { Claim, StepState, WorkflowState } from '../../src/workflows/workflow.ts'
import { failure, stepHappenings, times } from './workflow-states.ts'
import type { StepSketch } from './workflow-states.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type IncidentName =
  | 'taken'
  | 'adopted'
  | 'started'
  | 'retried'
  | 'continued'
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'spent'
  | 'shutdown'
  | 'worker_lost'
  | 'time_up'
  | 'cancelled'
  | 'approved'
  | 'edited'
  | 'rejected'
  | 'expired'
  | 'resumed'
  | 'rerun'

/** Something that may happen: to a step, if it is about one, and how long after what was before. */
export interface Incident {
  readonly name: IncidentName
  /** Which of the steps: of those for which it makes sense, if `fitting`, else of all. */
  readonly step: number
  readonly fitting: boolean
  /** If it is a runner's work, a workflow that is queued is taken before, as a free replica does. */
  readonly attended: boolean
  /** Negative: the clock was set back. */
  readonly afterMs: number
  readonly tokens: number
}

/** What a whole run has in common. */
export interface Limits {
  readonly maxWorkerLosses: number
  readonly maxRevisions: number
  /** 0: gates never close. */
  readonly approvalTimeoutMs: number
}

export const limits: fc.Arbitrary<Limits> = fc.record({
  maxWorkerLosses: fc.nat(2),
  maxRevisions: fc.nat(2),
  approvalTimeoutMs: fc.constantFrom(0, 1500, 60_000),
})

const work = ['started', 'started', 'completed', 'completed', 'retried', 'continued'] as const
const answers = ['approved', 'edited', 'rejected', 'expired'] as const

const mostly = fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })

const incident: fc.Arbitrary<Incident> = fc.record({
  // Most of it is work: an early end would leave little to look at.
  name: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom<IncidentName>(...work) },
    { weight: 12, arbitrary: fc.constantFrom<IncidentName>(...answers) },
    { weight: 8, arbitrary: fc.constantFrom<IncidentName>('resumed', 'rerun') },
    { weight: 4, arbitrary: fc.constantFrom<IncidentName>('failed', 'incomplete', 'spent') },
    { weight: 3, arbitrary: fc.constantFrom<IncidentName>('taken', 'adopted', 'shutdown', 'worker_lost') },
    { weight: 2, arbitrary: fc.constantFrom<IncidentName>('time_up', 'cancelled') },
  ),
  step: fc.nat(1000),
  fitting: mostly,
  attended: mostly,
  afterMs: fc.oneof(fc.integer({ min: -50, max: 2000 }), fc.constant(0)),
  tokens: fc.nat(1000),
})

export const incidents = fc.array(incident, { maxLength: 60, size: 'max' })

/** A DAG of one to eight steps, given in an order that need not be that of its edges. */
export const dag: fc.Arbitrary<readonly StepSketch[]> = fc
  .array(
    fc.record({
      before: fc.array(fc.nat(7), { maxLength: 3 }),
      kind: fc.constantFrom('plain', 'plain', 'gate', 'tolerant'),
      place: fc.nat(1000),
    }),
    { minLength: 1, maxLength: 8, size: 'max' },
  )
  .map((nodes) =>
    nodes
      .map(({ before, kind, place }, index) => ({
        place,
        id: `s${index}`,
        status: 'pending' as const,
        after: [...new Set(before.filter((other) => other < index))].map((other) => `s${other}`),
        onFailure: kind === 'tolerant' ? ('continue' as const) : ('stop' as const),
        gate: kind === 'gate',
      }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ place: _place, ...sketch }) => sketch),
  )

/** The claim of the job's next fetch: that is how the queue makes claims grow. */
function nextClaim({ activation, claim }: WorkflowState): Claim {
  return { activation, retry: claim?.activation === activation ? claim.retry + 1 : 0 }
}

/** What an incident is to the step of that index. */
export function happeningOf(
  name: IncidentName,
  run: WorkflowRun,
  { step, ...of }: Limits & { step: number },
): Happening {
  const { state } = run
  const { maxWorkerLosses, maxRevisions, approvalTimeoutMs } = of
  const text = `of step ${step} at ${state.seq}`
  const handedOver = { type: 'handed_over', jobId: `job-${state.activation + 1}`, maxWorkerLosses } as const
  const same = { options: state.options, priority: state.priority }
  const makers: Readonly<Record<IncidentName, () => Happening>> = {
    taken: () => ({ type: 'taken', claim: nextClaim(state), maxWorkerLosses }),
    adopted: () => ({ type: 'adopted', claim: nextClaim(state) }),
    shutdown: () => ({ ...handedOver, code: 'shutdown' }),
    worker_lost: () => ({ ...handedOver, code: 'worker_lost' }),
    time_up: () => ({ type: 'time_up', limitedBy: 'WORKFLOW_TIMEOUT' }),
    cancelled: () => ({ type: 'cancelled' }),
    started: () => stepHappenings.started(step),
    retried: () => stepHappenings.retried(step),
    continued: () => stepHappenings.continued(step),
    completed: () => ({ ...stepHappenings.completed(step), approvalTimeoutMs }),
    incomplete: () => ({
      ...stepHappenings.incomplete(step),
      error: failure('output_limit', { message: `cut ${text}` }),
    }),
    failed: () => ({ type: 'step_failed', step, failure: failure('llm_error', { message: `failure ${text}` }) }),
    spent: () => {
      const budget = { budget: 'max_llm_calls', message: `refusal ${text}` }
      return { type: 'step_failed', step, failure: failure('budget_exhausted', budget) }
    },
    approved: () => stepHappenings.approved(step),
    edited: () => ({ ...stepHappenings.approved(step), edit: { artifacts: [], rejected: [] } }),
    rejected: () => ({ type: 'rejected', step, feedback: `wish ${text}`, maxRevisions }),
    expired: () => stepHappenings.expired(step),
    resumed: () => ({ type: 'resumed', ...same, approvalTimeoutMs }),
    rerun: () => {
      const feedback = state.seq % 2 === 0 ? null : `other wish ${text}`
      return { type: 'rerun', step, feedback, ...same, stepOptions: {} }
    },
  }
  return makers[name]()
}

const fits: Partial<Record<IncidentName, readonly StepState['status'][]>> = {
  started: ['queued'],
  retried: ['running'],
  continued: ['running'],
  completed: ['running'],
  incomplete: ['running'],
  failed: ['running', 'queued'],
  spent: ['running', 'queued'],
  approved: ['waiting'],
  edited: ['waiting'],
  rejected: ['waiting'],
  expired: ['waiting'],
  rerun: ['completed', 'incomplete', 'failed', 'cancelled'],
}

/** What makes sense instead of something that does not, as the workflow stands. */
const instead: readonly IncidentName[] = ['completed', 'started', 'rejected', 'expired', 'edited', 'rerun']

function indexesFor(name: IncidentName, { state }: WorkflowRun): readonly number[] {
  return state.steps.filter(({ status }) => fits[name]?.includes(status)).map(({ index }) => index)
}

/** The incident itself, or another one instead, and the step that it happens to. */
function choose(run: WorkflowRun, { name: given, step, fitting }: Incident): { name: IncidentName; index: number } {
  const somewhere = step % run.state.steps.length
  if (!fitting || fits[given] === undefined) return { name: given, index: somewhere }
  const others = instead.filter((other) => indexesFor(other, run).length > 0)
  const name = indexesFor(given, run).length > 0 ? given : (others[step % others.length] ?? given)
  const fit = indexesFor(name, run)
  return { name, index: fit[step % fit.length] ?? somewhere }
}

/** Lets an incident happen. false: it was refused. */
export function happen(run: WorkflowRun, of: Limits, given: Incident): boolean {
  run.now = Math.max(times.created, run.now + given.afterMs)
  const ofRunner = fits[given.name] !== undefined && !answers.some((answer) => answer === given.name)
  if (given.attended && ofRunner && run.state.status === 'queued') {
    run.apply(happeningOf('taken', run, { ...of, step: 0 }))
  }
  const { name, index } = choose(run, given)
  // A person may be away for long; otherwise hardly any gate would ever close by itself.
  if (name === 'expired' && given.fitting) run.now = Math.max(run.now, run.state.steps[index]?.expiresAt ?? 0)
  if (['completed', 'failed', 'retried'].includes(name)) run.addTokens(index, given.tokens)
  return run.apply(happeningOf(name, run, { ...of, step: index }))
}

/** Everything that can run is run to its end, and every gate is answered: so the workflow has to end. */
export function finish(run: WorkflowRun, of: Limits, outcomes: readonly IncidentName[]): void {
  const { steps } = run.state
  const each = (names: readonly IncidentName[]) => {
    for (const { index } of steps) {
      const happening = happeningOf(names[index % names.length] ?? 'completed', run, { ...of, step: index })
      if (run.allows(happening)) run.apply(happening)
    }
  }
  // A step runs at most once for each of its revisions, and once before.
  const rounds = steps.length * (of.maxRevisions + 2)
  for (let round = 0; round <= rounds && !hasEnded(run.state.status); round += 1) {
    if (run.state.status === 'queued') each(['taken'])
    each(['started'])
    each(outcomes.filter((name) => name === 'completed' || name === 'failed'))
    each(outcomes.filter((name) => name === 'approved' || name === 'rejected'))
  }
}
