import { readdir, readFile } from 'node:fs/promises'

import type { Database } from './database.ts'

export interface Migration {
  readonly name: string
  readonly text: string
}

// Any number will do that nothing else in the database locks.
const setupLock = 0x61_67_65_6e

/** The migrations in their order, forward only. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const folder = new URL('./migrations/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })))
}

/**
 * Runs `work` while no other replica of this Postgres does. The lock is held on a connection of its own, as `work` uses
 * others, so this is not for PGlite, which has one; there nobody else is there either.
 */
export async function withSetupLock(database: Database, work: () => Promise<void>): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [setupLock])
    await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    await work()
  })
}

/** Brings the schema `agents` up to date, in one transaction. Replicas hold the setup lock meanwhile. */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('SET LOCAL statement_timeout = 0')
    await tx.query('SET LOCAL client_min_messages = warning')
    await tx.query('CREATE SCHEMA IF NOT EXISTS agents')
    await tx.query(
      'CREATE TABLE IF NOT EXISTS agents.migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    )
    const { rows } = await tx.query<{ name: string }>('SELECT name FROM agents.migrations')
    const applied = new Set(rows.map((row) => row.name))
    for (const { name, text } of migrations) {
      if (applied.has(name)) continue
      await tx.query(text)
      await tx.query('INSERT INTO agents.migrations (name) VALUES ($1)', [name])
    }
  })
}
