import { Client } from 'pg'

const everyMs = 5

// of whoever waits for a row, a table, a page or a transaction of somebody else
const waiting = `
  SELECT extract(epoch FROM clock_timestamp() - waitstart)::float8 * 1000 AS ms,
    concat_ws(' ', locktype, 'of', coalesce(relation::regclass::text, 'somebody')) AS what
  FROM pg_locks
  WHERE NOT granted AND waitstart IS NOT NULL
    AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))
  ORDER BY ms DESC LIMIT 1`

/** Somebody waiting for a lock. */
export interface LockWait {
  readonly ms: number
  /** Its kind and its table. */
  readonly what: string
}

/** Looks every few milliseconds how long somebody has been waiting for a lock. */
export interface LockWatch {
  /** The longest wait that was seen since the last call; null: nobody has waited. */
  take(): LockWait | null
  stop(): Promise<void>
}

/** Connects. */
export async function watchLocks(databaseUrl: string): Promise<LockWatch> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const state = { going: true, longest: null as LockWait | null }
  const watch = async () => {
    while (state.going) {
      const wait = (await client.query<LockWait>(waiting)).rows[0] ?? null
      state.longest = longer(state.longest, wait)
      await new Promise((resolve) => void setTimeout(resolve, everyMs))
    }
  }
  const watching = watch().catch(() => undefined)
  return {
    take() {
      const { longest } = state
      state.longest = null
      return longest
    },
    async stop() {
      state.going = false
      await watching
      await client.end()
    },
  }
}

/** Of two waits. */
export function longer(one: LockWait | null, other: LockWait | null): LockWait | null {
  return (other?.ms ?? 0) > (one?.ms ?? 0) ? other : one
}
