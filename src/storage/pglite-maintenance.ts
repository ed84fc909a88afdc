/** The little of a connection that maintenance needs. */
export type RunStatement = (text: string) => Promise<readonly Record<string, unknown>[]>

// What is written until the next look comes on top of this; together it stays below 128 MB.
const checkpointAfterBytes = 32 * 1024 * 1024
const vacuumAfterBytes = 1024 * 1024
const checkpointAtLeastEveryMs = 300_000
const vacuumEveryMs = 60_000

export interface Maintenance {
  /** Looks how much has been written and plans what that calls for. */
  plan(): Promise<void>
  /** The next piece that is planned; null when there is none. */
  take(): (() => Promise<void>) | null
}

/**
 * The checkpointer and autovacuum that a single-user Postgres does not have. Both go by the growth of the
 * write-ahead log: an idle database is left alone.
 */
export function createMaintenance(run: RunStatement, now: () => number = () => performance.now()): Maintenance {
  const planned: string[] = []
  let checkpointed = { position: 0, at: now() }
  let vacuumed = { position: 0, at: now() }

  async function position(): Promise<number> {
    const rows = await run(`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS position`)
    return Number(rows[0]?.['position'] ?? 0)
  }

  async function planVacuum(): Promise<void> {
    const rows = await run(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind = 'r' AND n.nspname IN ('agents', 'pgboss') ORDER BY c.relname`,
    )
    for (const row of rows) planned.push(`VACUUM (ANALYZE) ${String(row['name'])}`)
  }

  return {
    async plan() {
      const current = await position()
      const grown = current - checkpointed.position
      const overdue = grown > vacuumAfterBytes && now() - checkpointed.at > checkpointAtLeastEveryMs
      if (grown > checkpointAfterBytes || overdue) {
        checkpointed = { position: current, at: now() }
        planned.unshift('CHECKPOINT')
      }
      if (
        planned.length === 0 &&
        current - vacuumed.position > vacuumAfterBytes &&
        now() - vacuumed.at > vacuumEveryMs
      ) {
        vacuumed = { position: current, at: now() }
        await planVacuum()
      }
    },
    take() {
      const statement = planned.shift()
      return statement === undefined ? null : async () => void (await run(statement))
    },
  }
}
