import type { FailureCode } from '../../src/errors.ts'
import type { LogLine } from '../support/service-process.ts'
import { scriptedAnswer } from './assignments.ts'
import type { ChaosModel } from './chaos-model.ts'
import type { FaultPlan } from './fault-plan.ts'
import type { Outcome } from './run-workflow.ts'
import type { SeenWorkflow } from './workflow-requests.ts'

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly looked: number
  /** What was wrong; empty: nothing. */
  readonly faults: readonly string[]
}

/** What a run left behind. */
export interface Evidence {
  readonly seed: number
  readonly plan: FaultPlan
  /** Tries of a step in one start. */
  readonly tries: number
  readonly outcomes: readonly Outcome[]
  /** Why workflows have no outcome. */
  readonly lost: readonly string[]
  readonly calls: ReturnType<ChaosModel['calls']>
  readonly log: readonly LogLine[]
}

type Step = SeenWorkflow['steps'][number]

/** Codes of the contract that this model server can be the cause of. */
const possibleCodes: ReadonlySet<string> = new Set([
  'llm_unreachable',
  'llm_timeout',
  'llm_rate_limited',
  'llm_error',
  'llm_truncated',
  'circuit_open',
  'task_timeout',
] as const satisfies readonly FailureCode[])

/** Holds a run to everything that it promised. */
export function judge(evidence: Evidence): readonly Check[] {
  const { outcomes, lost, plan, tries, seed, calls, log } = evidence
  const steps = outcomes.flatMap(({ run, workflow }) => workflow.steps.map((step) => ({ run, workflow, step })))
  const readings = outcomes.filter(({ reading }) => reading !== null)
  const callsOf = countBy(calls.known, ({ run, step }) => `${run} ${step}`)
  const callsOfRun = countBy(calls.known, ({ run }) => `${run}`)
  const failed = new Set(
    outcomes.filter(({ workflow }) => workflow.status === 'failed').map(({ workflow }) => workflow.id),
  )
  return [
    { name: 'every workflow ended', looked: outcomes.length + lost.length, faults: lost },
    check('completed or failed, as the faults foretell', outcomes, ({ run, workflow }) =>
      endFault(run, workflow, { plan, tries }),
    ),
    check('failures are typed', outcomes, ({ run, workflow }) => typeFault(run, workflow)),
    check('outputs are whole', steps, ({ run, step }) =>
      outputFault(step, `${run} ${step.id}`, scriptedAnswer(seed, run, step.id)),
    ),
    check('calls per step within the tries', steps, ({ run, step }) => {
      const made = callsOf.get(`${run} ${step.id}`) ?? 0
      const text = `${run} ${step.id}: ${made} calls, attempt ${step.attempt}`
      return made > tries || made !== step.attempt || made !== neededCalls(run, step, { plan, tries }) ? text : null
    }),
    check('usage counts every call', outcomes, ({ run, workflow }) => {
      const [made, counted] = [callsOfRun.get(`${run}`) ?? 0, workflow.usage.llm_calls]
      return made === counted ? null : `${run}: ${counted} counted, ${made} made`
    }),
    {
      name: 'no call that belongs to nobody',
      looked: calls.known.length,
      faults: calls.strangers ? [`${calls.strangers}`] : [],
    },
    check('cut streams are exact', readings, readingFault),
    check('no ERROR in the log but of failed workflows', log, (line) => lineFault(line, failed)),
  ]
}

type Rules = Pick<Evidence, 'plan' | 'tries'>

function neededCalls(run: number, step: Step, { plan, tries }: Rules): number {
  return step.status === 'skipped' ? 0 : Math.min(tries, plan.callsNeeded(run, step.id, tries))
}

/** Each step must have ended as its calls and the steps before it decide; the steps come in the order of the DAG. */
function endFault(run: number, { steps, status }: SeenWorkflow, { plan, tries }: Rules): string | null {
  const expected = new Map<string, string>()
  for (const { id, depends_on: before } of steps) {
    const isReady = before.every((name) => expected.get(name) === 'completed')
    expected.set(id, !isReady ? 'skipped' : plan.callsNeeded(run, id, tries) > tries ? 'failed' : 'completed')
  }
  const wanted = [...expected.values()].every((end) => end === 'completed') ? 'completed' : 'failed'
  const wrong = steps.filter((step) => step.status !== expected.get(step.id))
  if (status === wanted && wrong.length === 0) return null
  return `${run} is ${status}, not ${wanted}: ${wrong.map((step) => `${step.id} ${step.status}`).join(', ')}`
}

function typeFault(run: number, { status, error, steps }: SeenWorkflow): string | null {
  const failed = steps.filter((step) => step.status === 'failed')
  const codes = [...failed.map((step) => step.error?.code), ...(status === 'failed' ? [error?.code] : [])]
  const wrong = codes.filter((code) => code === undefined || !possibleCodes.has(code))
  return wrong.length === 0 ? null : `${run}: ${wrong.join(', ')}`
}

/** A completed step must have the answer as its output, any other none. */
export function outputFault({ status, output }: Step, name: string, answer: string): string | null {
  if (status === 'completed') return output === answer ? null : `${name}: ${output?.length} instead of ${answer.length}`
  return output === null ? null : `${name} is ${status} and has an output`
}

/** What a reader saw must be what the workflow became. */
export function readingFault({ run, workflow, reading }: Outcome): string | null {
  if (reading === null) return null
  const { journal } = reading
  const kept = journal.kept()
  const wrong = workflow.steps
    .filter((step) => (kept[step.id] ?? null) !== step.output)
    .map((step) => `output of ${step.id}`)
  const last = journal.lifecycle().at(-1)?.type
  const faults = [
    ...journal.faults(),
    ...wrong,
    ...(last === `workflow.${workflow.status}` ? [] : [`ended with ${last}`]),
  ]
  return faults.length === 0 ? null : `${run}: ${faults.join('; ')}`
}

/** Nothing may be logged as an error but the end of a failed workflow. */
export function lineFault(line: LogLine, failed: ReadonlySet<string>): string | null {
  if (line.level !== 'ERROR' && line.level !== 'CRITICAL') return null
  const isOfFailed = /^(Task|Workflow) failed/.test(line.message) && failed.has(String(line['workflow_id']))
  return isOfFailed ? null : JSON.stringify(line)
}

/** Looks at each of the things. */
export function check<T>(name: string, things: readonly T[], fault: (thing: T) => string | null): Check {
  return { name, looked: things.length, faults: things.map(fault).filter((text) => text !== null) }
}

/** How many of the things have each key. */
export function countBy<T>(things: readonly T[], keyOf: (thing: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const thing of things) counts.set(keyOf(thing), (counts.get(keyOf(thing)) ?? 0) + 1)
  return counts
}
