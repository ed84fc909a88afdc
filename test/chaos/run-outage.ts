import { setTimeout as delay } from 'node:timers/promises'
import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { LogLine } from '../support/service-process.ts'
import { startMortalModel } from './mortal-model.ts'
import type { MortalModel } from './mortal-model.ts'
import type { OutageOptions } from './options.ts'
import { deviations, modelSettings } from './outage-scenarios.ts'
import type { OutageForm, Scenario } from './outage-scenarios.ts'
import { readWithCuts } from './run-workflow.ts'
import type { Outcome } from './run-workflow.ts'
import { countWorkflows, endings, lookAt, startWorkflow } from './workflow-requests.ts'

/** When a model died, and what was on its way then. Times are those of `Date.now`. */
export interface Outage {
  readonly diedAt: number
  /** null: everything had ended before. */
  readonly revivedAt: number | null
  readonly workflowsRunning: number
  readonly callsRunning: number
}

/** What one run of the service left behind. */
export interface OutageRun {
  readonly scenario: Scenario
  readonly seed: number
  /** How many workflows could run at once. */
  readonly mostAtOnce: number
  readonly outcomes: readonly Outcome[]
  /** null: nothing died. */
  readonly outage: Outage | null
  /** Calls that reached each model server, the first one first. */
  readonly seen: readonly number[]
  readonly strangers: number
  /** From when all run to the end of the last. */
  readonly elapsedMs: number
  /** `Date.now` at its end. */
  readonly endedAt: number
  readonly log: readonly LogLine[]
  /** How the service ended when it was asked to. */
  readonly exitCode: number | null
}

const outageMs = 30_000
/** The model dies when so many of the calls that could run do run, and so many as a share of them were answered before. */
const [runningShare, answeredShare] = [0.8, 0.5]
const workflowsRead = 8
const linesShown = 5
const lookMs = 200
const glanceMs = 5

type Options = Omit<OutageOptions, 'outages'>

/** Runs the workflows against the real service, and lets its first model die under them. Stops everything with `stop`. */
export async function runOutage(scenario: Scenario, options: Options, stop: AbortSignal): Promise<OutageRun> {
  await preparedForTests()
  const { seed, agents } = options
  const directory = await temporaryDirectory()
  const first = await startMortalModel(seed)
  const models = scenario.hasSecond ? [first, await startMortalModel(seed)] : [first]
  const env = { ...modelSettings(models.map(({ url }) => url)), ...deviations(scenario, agents) }
  const service = startServiceProcess({ directory: directory.path, env })
  const kill = () => void service.kill()
  stop.addEventListener('abort', kill)
  try {
    await service.ready()
    const watched = await watch(await service.listening, models, { scenario, options })
    service.signal('SIGTERM')
    const { code: exitCode } = await service.ended
    const seen = models.map((model) => model.seen())
    const strangers = models.reduce((sum, model) => sum + model.strangers(), 0)
    return {
      scenario,
      seed,
      mostAtOnce: mostRunning(options),
      ...watched,
      seen,
      strangers,
      log: service.log(),
      exitCode,
    }
  } catch (error) {
    const last = service.stdout().trimEnd().split('\n').slice(-linesShown)
    throw new Error(`${String(error)}\nThe service said last:\n${last.join('\n')}`, { cause: error })
  } finally {
    stop.removeEventListener('abort', kill)
    await service.kill()
    await Promise.all(models.map((model) => model.close()))
    await directory.remove()
  }
}

async function watch(
  url: string,
  models: readonly MortalModel[],
  { scenario, options }: { readonly scenario: Scenario; readonly options: Options },
): Promise<Pick<OutageRun, 'outcomes' | 'outage' | 'elapsedMs' | 'endedAt'>> {
  const { workflows } = options
  const started = await startAll(url, workflows)
  const readings = started.slice(0, workflowsRead).map((id) => readWithCuts(eventsOf(url, id), () => Infinity))
  const allRead = Promise.all(readings)
  allRead.catch(() => undefined)

  await until(async () => (await countWorkflows(url, ['running'])) === mostRunning(options))

  const since = Date.now()
  for (const model of models) model.begin()
  const ended = new AbortController()
  const struck = strike(url, models[0], { form: scenario.form, mostAtOnce: mostRunning(options), ended: ended.signal })
  struck.catch(() => undefined)
  try {
    await until(async () => (await countWorkflows(url, endings)) === workflows)
  } finally {
    ended.abort()
  }
  const endedAt = Date.now()
  const [outage, journals] = await Promise.all([struck, allRead])
  const seen = await Promise.all(started.map((id) => lookAt(`${url}/workflows/${id}`)))
  const outcomes = seen.map((workflow, run) => ({ run, workflow, reading: journals[run] ?? null }))
  return { outcomes, outage, elapsedMs: endedAt - since, endedAt }
}

/** Each that runs has a step to do. */
function mostRunning({ workflows, agents }: Options): number {
  return Math.min(workflows, agents)
}

function eventsOf(url: string, id: string): string {
  return `${url}/workflows/${id}/events`
}

/** Their ids. One after the other, so that the n-th of them is the oldest but n. */
async function startAll(url: string, workflows: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let run = 0; run < workflows; run += 1) {
    const requirement = `Assignment number ${run}: make it good.`
    const { id } = await startWorkflow(url, { type: 'feature_development', requirement })
    ids.push(id)
  }
  return ids
}

/** Lets the model die, if it is to, in the middle of its answers, and come back when its time is over or everything has ended. */
async function strike(
  url: string,
  model: MortalModel | undefined,
  {
    form,
    mostAtOnce,
    ended,
  }: { readonly form: OutageForm | null; readonly mostAtOnce: number; readonly ended: AbortSignal },
): Promise<Outage | null> {
  if (model === undefined || form === null) return null
  const answered = (): number => model.seen() - model.inFlight()
  while (model.inFlight() < runningShare * mostAtOnce || answered() < answeredShare * mostAtOnce) {
    if (ended.aborted) return null
    await delay(glanceMs)
  }
  const workflowsRunning = await countWorkflows(url, ['running'])
  const callsRunning = model.inFlight()
  const diedAt = Date.now()
  await model.die(form)
  await delay(outageMs, undefined, { signal: ended }).catch(() => undefined)
  await model.revive()
  return { diedAt, revivedAt: ended.aborted ? null : Date.now(), workflowsRunning, callsRunning }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(lookMs)
}
