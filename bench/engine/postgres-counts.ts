import { Client } from 'pg'
import type { DatabaseCounts } from './contender.ts'

/** Reads what a Postgres database has done, over a connection of its own. */
export interface PostgresCounts {
  readonly read: () => Promise<DatabaseCounts>
  close(): Promise<void>
}

// Numbers of transactions are one row for the whole server, on which nothing else runs while somebody is measured.
const counts = `
  SELECT (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE dbid = d.oid)::float8 AS statements,
    pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS commits
  FROM pg_database d WHERE d.datname = current_database()`

/** Connects. */
export async function openPostgresCounts(databaseUrl: string): Promise<PostgresCounts> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  return {
    async read() {
      const { rows } = await client.query<DatabaseCounts>(counts)
      return rows[0] ?? { statements: 0, commits: 0 }
    },
    close: () => client.end(),
  }
}
