import { Client } from 'pg'

const everyMs = 5

// of whoever waits for a row, a table, a page or a transaction, and whether it is retention that has it
const waiting = `
  SELECT extract(epoch FROM clock_timestamp() - waitstart)::float8 * 1000 AS ms, EXISTS (
    SELECT FROM unnest(pg_blocking_pids(l.pid)) AS blocking JOIN pg_stat_activity a ON a.pid = blocking
    WHERE a.query LIKE '%DELETE FROM agents.workflows w USING old%') AS "ofRetention"
  FROM pg_locks l
  WHERE NOT granted AND waitstart IS NOT NULL
    AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))`

interface LockWait {
  readonly ms: number
  readonly ofRetention: boolean
}

/** Longest waits for locks, in milliseconds; 0: nobody was seen to wait. */
export interface LongestWaits {
  readonly ofRetention: number
  readonly ofAnybody: number
}

/** Nobody has waited. */
export const none: LongestWaits = { ofRetention: 0, ofAnybody: 0 }

/** Looks every few milliseconds how long somebody has been waiting for a lock. */
export interface LockWatch {
  /** What was seen since the last call. */
  take(): LongestWaits
  stop(): Promise<void>
}

/** Connects. */
export async function watchLocks(databaseUrl: string): Promise<LockWatch> {
  const client = new Client({ connectionString: databaseUrl })
  // an end of the server, as at a signal, is told by whoever works with it
  client.on('error', () => undefined)
  await client.connect()
  const state = { going: true, longest: none }
  const watch = async () => {
    while (state.going) {
      const { rows } = await client.query<LockWait>(waiting)
      state.longest = rows.reduce((longest, wait) => longer(longest, waitsOf(wait)), state.longest)
      await new Promise((resolve) => void setTimeout(resolve, everyMs))
    }
  }
  const watching = watch().catch(() => undefined)
  return {
    take() {
      const { longest } = state
      state.longest = none
      return longest
    },
    async stop() {
      state.going = false
      await watching
      await client.end()
    },
  }
}

function waitsOf({ ms, ofRetention }: LockWait): LongestWaits {
  return { ofAnybody: ms, ofRetention: ofRetention ? ms : 0 }
}

/** The longest of both. */
export function longer(one: LongestWaits, other: LongestWaits): LongestWaits {
  return {
    ofRetention: Math.max(one.ofRetention, other.ofRetention),
    ofAnybody: Math.max(one.ofAnybody, other.ofAnybody),
  }
}
