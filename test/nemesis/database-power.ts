import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { PostgresServer } from '../contract/postgres-server.ts'

/** What can be done to a database server. */
export interface DatabasePower {
  /** Ends every process of it at once, without a checkpoint. false: it does not run, or is not ours. */
  crash(): Promise<boolean>
  /** Ends it as an administrator would. false: as with `crash`. */
  shutDown(): Promise<boolean>
  /** Starts it, if it is not running. */
  on(): Promise<void>
  /** Ends every connection to this database. */
  cutConnections(): Promise<void>
}

const lookMs = 20
const betweenStartsMs = 100
const mostStarts = 300

/** Power over the server of a database; `power` is null when it is not ours. */
export function createDatabasePower(url: string, power: PostgresServer['power']): DatabasePower {
  let running = true
  return {
    async crash() {
      if (!running || power === null) return false
      running = false
      const pid = await pidOf(url)
      process.kill(pid, 'SIGQUIT')
      while (isAlive(pid)) await delay(lookMs)
      return true
    },
    async shutDown() {
      if (!running || power === null) return false
      running = false
      await power.off()
      return true
    },
    async on() {
      if (running || power === null) return
      await startAgain(power)
      running = true
    },
    async cutConnections() {
      if (!running) return
      const others = 'pid <> pg_backend_pid() AND datname = current_database()'
      // it may be on its way down, which cuts them too
      await ask(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`).catch(() => undefined)
    },
  }
}

/** After a crash it may take a moment until the last of its processes has let go of the shared memory. */
async function startAgain(power: NonNullable<PostgresServer['power']>): Promise<void> {
  for (let starts = 1; ; starts += 1) {
    const started = await power.on().then(
      () => true,
      () => false,
    )
    if (started) return
    if (starts === mostStarts) throw new Error('Postgres does not start again')
    await delay(betweenStartsMs)
  }
}

async function pidOf(url: string): Promise<number> {
  const [row] = await ask<{ data_directory: string }>(url, 'SHOW data_directory')
  const file = await readFile(join(row?.data_directory ?? '', 'postmaster.pid'), 'utf8')
  return Number(file.split('\n')[0])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Rows of one statement, over a connection of its own. */
export async function ask<Row extends object>(url: string, statement: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url })
  // whoever ends the server ends this connection as well, which the statement then tells
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}
