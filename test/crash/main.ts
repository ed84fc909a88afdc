import { postgresForTests } from '../contract/postgres-server.ts'
import { preparedForTests } from '../support/database.ts'
import { parseCrashOptions } from './options.ts'
import type { CrashOptions, DatabaseName } from './options.ts'
import { writeCase, writeTables } from './report.ts'
import type { CaseResult } from './run-chain.ts'
import { runPoints } from './run-points.ts'

/** A machine has two cores at least; on Postgres nearly all of the time is waiting for the heartbeat to lapse. */
const chainsOf: Readonly<Record<DatabaseName, number>> = { pglite: 2, postgres: 6 }
const mostMs = 30 * 60 * 1000

const write = (text: string): void => void process.stdout.write(text)

async function openPlace(database: DatabaseName) {
  if (database === 'pglite') {
    await preparedForTests()
    return { newDatabase: async () => null, close: async () => undefined }
  }
  const server = await postgresForTests()
  if (server === null) throw new Error('There is no Postgres.')
  return { newDatabase: () => server.createDatabase(), close: () => server.stop() }
}

async function tryAll(database: DatabaseName, ranges: CrashOptions['ranges'], stop: AbortSignal): Promise<boolean> {
  const place = await openPlace(database)
  const results: CaseResult[] = []
  const onCase = (result: CaseResult): void => {
    results.push(result)
    write(writeCase(database, result))
  }
  try {
    await runPoints({ ranges, newDatabase: place.newDatabase, chains: chainsOf[database], onCase, stop })
  } finally {
    await place.close()
  }
  write(writeTables(database, results))
  return results.length > 0 && results.every(({ faults }) => faults.length === 0)
}

async function main(): Promise<boolean> {
  const options = parseCrashOptions(process.argv.slice(2))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const timer = setTimeout(() => stop.abort(new Error('this took too long')), mostMs)
  try {
    const kept: boolean[] = []
    for (const database of options.databases) kept.push(await tryAll(database, options.ranges, stop.signal))
    return kept.every(Boolean) && !stop.signal.aborted
  } finally {
    clearTimeout(timer)
  }
}

// the embedded Postgres sets an exit code of its own when the process ends by itself
try {
  process.exit((await main()) ? 0 : 1)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
