import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../chaos/verdict.ts'
import type { PostgresServer } from '../contract/postgres-server.ts'
import { temporaryDirectory } from '../support/database.ts'
import { checkCalls } from './check-calls.ts'
import { checkLogs } from './check-log.ts'
import { checkReaders } from './check-readers.ts'
import { createCluster } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import { createDatabasePower } from './database-power.ts'
import { startFaultyModel } from './faulty-model.ts'
import type { FaultyModel } from './faulty-model.ts'
import { createHistory, writeHistory } from './history.ts'
import type { History } from './history.ts'
import type { NemesisOptions } from './options.ts'
import { describeRun, summaryOf } from './report.ts'
import { runStorm } from './run-storm.ts'

/** What came of a run. */
export interface NemesisRun {
  readonly checks: readonly Check[]
  /** How much happened. */
  readonly summary: string
  /** Of a run with faults: what happened to the workflows concerned, and where the logs are. */
  readonly story: string | null
}

export interface NemesisParts {
  readonly postgres: PostgresServer
  /** Gives the run up. */
  readonly stop: AbortSignal
}

const replicas = 3

/** Lets clients, readers and the nemesis loose on three replicas, heals everything, and judges what is left. */
export async function runNemesis(options: NemesisOptions, { postgres, stop }: NemesisParts): Promise<NemesisRun> {
  const databaseUrl = await postgres.createDatabase()
  const database = createDatabasePower(databaseUrl, postgres.power)
  const model = await startFaultyModel(options.seed)
  const directory = await temporaryDirectory()
  const history = createHistory()
  const env = settings(databaseUrl, model)
  const cluster = createCluster({ count: replicas, directory: directory.path, env, history, stop })
  const kill = () => void cluster.kill()
  stop.addEventListener('abort', kill)
  // no way of ending may leave a process behind
  process.on('exit', kill)
  let failed = true
  try {
    await cluster.heal()
    history.note('all are ready')
    const world = { options, databaseUrl, database, model, cluster, history, stop }
    const evidence = await runStorm(world)
    const checks = [...checkLogs(evidence), ...checkReaders(evidence), ...checkCalls(evidence)]
    failed = checks.some(({ faults }) => faults.length > 0)
    const story = failed
      ? describeRun(evidence, checks, history) + (await keep(directory.path, cluster, history))
      : null
    return { checks, summary: summaryOf(evidence, history), story }
  } catch (error) {
    const where = await keep(directory.path, cluster, history)
    throw new Error(`${String(error)}\n${where}`, { cause: error })
  } finally {
    stop.removeEventListener('abort', kill)
    process.off('exit', kill)
    await cluster.kill()
    await database.on()
    await model.close()
    if (!failed) await directory.remove()
  }
}

function settings(databaseUrl: string, model: FaultyModel) {
  return {
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_SIZE: '6',
    OPENAI_API_BASE: model.url,
    LLM_RETRY_INITIAL_DELAY: '0.05',
    LLM_RETRY_BUDGET_PERCENT: '100',
    LLM_CIRCUIT_BREAKER_TIMEOUT: '1',
    LLM_IDLE_TIMEOUT: '3',
    MAX_CONCURRENT_AGENTS: '10',
    SHUTDOWN_GRACE_SECONDS: '1',
  }
}

/** Keeps the logs and the history of a run that went wrong, and tells where. */
async function keep(directory: string, cluster: Cluster, history: History): Promise<string> {
  const folder = join(directory, 'nemesis')
  await mkdir(folder, { recursive: true })
  await cluster.writeLogs(folder)
  await writeFile(join(folder, 'history.log'), writeHistory(history))
  return `The logs of all processes and the whole history are in ${folder}\n`
}
