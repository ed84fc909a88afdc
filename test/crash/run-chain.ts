import { setTimeout as delay } from 'node:timers/promises'
import { temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import { startReplicas } from './replicas.ts'
import type { PlannedCrash } from './replicas.ts'
import { runCase } from './run-case.ts'
import type { CasePlace } from './run-case.ts'
import { faultsOf } from './verdict.ts'

/** The deaths in the life of one workflow: one in its run, others in the recoveries from those before. */
export type PlannedCase = readonly PlannedCrash[]

export interface ChainOptions {
  /** A Postgres database; null: the embedded one, in a directory of its own. */
  readonly databaseUrl: string | null
  /** null: there is no further case. */
  readonly nextCase: () => PlannedCase | null
  /** Told of every case when it is over. */
  readonly onCase: (result: CaseResult) => void
  readonly stop: AbortSignal
}

/** What came of one case. */
export interface CaseResult {
  /** The last of its points. */
  readonly point: PlannedCrash
  /** Writing statements that the process of this point had counted, in order. */
  readonly statements: readonly string[]
  /** The process got as far as the point. */
  readonly reached: boolean
  readonly elapsedMs: number
  /** What broke a promise; empty: nothing. */
  readonly faults: readonly string[]
}

/** A workflow takes 2 s when nobody dies and nothing else is done on the machine. */
const mostMs = 120_000
/** For the rest of it, when a process is ready that can go on. A sweep, which takes a minute to come, is too late. */
const goingOnMs = 55_000
const momentsShown = 12
const linesShown = 5

/**
 * Runs case after case on one database: the process that goes on where one died is the next to die. Stops after a case
 * with faults, as the ones behind it would be judged by what it left; resolves with one that was taken and not tried.
 */
export async function runChain({ databaseUrl, nextCase, onCase, stop }: ChainOptions): Promise<PlannedCase | null> {
  const cases: PlannedCase[] = []
  const model = await startModelServer()
  const directory = await temporaryDirectory()
  const env = environment(model.url, databaseUrl)
  const replicas = startReplicas({ directory: directory.path, env, nextPoint: unrolled(nextCase, cases) })
  try {
    await replicas.up()
    await replicas.inspect(0)
    for (let index = 0, process = 0; ; index += 1) {
      const planned = cases[index]
      const point = planned?.at(-1)
      if (planned === undefined || point === undefined || stop.aborted) return null
      const since = performance.now()
      const faults = await judgeCase({ replicas, model, index, process, signal: stop }, planned.length)
      process += planned.length
      const statements = replicas.statements(process - 1)
      const reached = statements.length >= point.statement
      onCase({ point, statements, reached, elapsedMs: performance.now() - since, faults })
      if (faults.length > 0) return cases[index + 1] ?? null
    }
  } finally {
    await replicas.close()
    await model.close()
    await directory.remove()
  }
}

/** The points of case after case; a case is taken when its first process starts, and put into `taken`. */
function unrolled(nextCase: ChainOptions['nextCase'], taken: PlannedCase[]): () => PlannedCrash | null {
  const points: PlannedCrash[] = []
  return () => {
    if (points.length === 0) {
      const next = nextCase()
      if (next === null) return null
      taken.push(next)
      points.push(...next)
    }
    return points.shift() ?? null
  }
}

function environment(modelUrl: string, databaseUrl: string | null) {
  return {
    OPENAI_API_BASE: modelUrl,
    LLM_RETRY_INITIAL_DELAY: '0.02',
    LOG_LEVEL: 'WARNING',
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
  }
}

async function judgeCase({ signal: stop, ...place }: Omit<CasePlace, 'onMoment'>, deaths: number) {
  const over = new AbortController()
  const signal = AbortSignal.any([stop, over.signal])
  const since = performance.now()
  const moments: string[] = []
  const onMoment = (what: string) => void moments.push(`${Math.round(performance.now() - since)} ms ${what}`)
  const whole = { ...place, signal, onMoment }
  try {
    return faultsOf(await Promise.race([runCase(whole), failWhenLate(whole, deaths)]))
  } catch (error) {
    const lines = place.replicas.log().filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')
    const last = [...moments.slice(-momentsShown), ...lines.slice(-linesShown).map((line) => JSON.stringify(line))]
    return [String(error), ...last.map((text) => `  ${text}`)]
  } finally {
    over.abort(new Error('the case is over'))
  }
}

async function failWhenLate({ replicas, process, signal, onMoment }: CasePlace, deaths: number): Promise<never> {
  const isLate = delay(mostMs, true, { signal, ref: false })
  if ((await Promise.race([replicas.gone(process), isLate])) === true) throw new Error('it did not end in time')
  onMoment('the process has died')
  await replicas.up()
  onMoment('the next one is ready')
  await delay(goingOnMs * deaths, undefined, { signal, ref: false })
  throw new Error('it did not go on in time')
}
