import type { Clock } from '../workflows/queue.ts'
import type { Queryable } from './database.ts'

/** Whether the database answers, asked once a second. */
export interface Probe {
  readonly clock: Clock
  /** Asks once; throws when there is no answer. */
  ask(): Promise<void>
  start(): void
  stop(): void
  state(): { readonly ok: boolean; readonly detail: string }
  /** Milliseconds that the latest answer took; null before the first. */
  tookMs(): number | null
}

export interface ProbeOptions {
  /** The database has a clock of its own, on another machine. */
  readonly ownClock: boolean
  readonly intervalMs?: number
  /** A question that is not answered for so long counts as refused. */
  readonly patienceMs?: number
}

/** Asks `SELECT clock_timestamp()`; from its answers comes the clock. */
export function createProbe(database: Queryable, options: ProbeOptions): Probe {
  const { ownClock, intervalMs = 1000, patienceMs = 3000 } = options
  let offsetMs = 0
  let detail = 'not open yet'
  let ok = false
  let tookMs: number | null = null
  let askedAt: number | null = null
  let timer: NodeJS.Timeout | null = null

  async function ask(): Promise<void> {
    const started = performance.now()
    askedAt = started
    try {
      const { rows } = await database.query<{ now: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
      )
      const tripMs = performance.now() - started
      tookMs = tripMs
      // Half the way was before the database looked at its clock, half after.
      if (ownClock && rows[0]) offsetMs = rows[0].now + tripMs / 2 - Date.now()
      ok = true
      detail = 'ok'
    } catch (error) {
      ok = false
      detail = error instanceof Error ? error.message : String(error)
      throw error
    } finally {
      askedAt = null
    }
  }

  return {
    tookMs: () => tookMs,
    clock: { now: () => Math.floor(Date.now() + offsetMs) },
    ask,
    start() {
      timer ??= setInterval(() => {
        if (askedAt === null) void ask().catch(() => undefined)
      }, intervalMs).unref()
    },
    stop() {
      if (timer) clearInterval(timer)
      timer = null
      ok = false
      detail = 'closed'
    },
    state() {
      const waitedMs = askedAt === null ? 0 : performance.now() - askedAt
      return waitedMs > patienceMs ? { ok: false, detail: 'does not answer' } : { ok, detail }
    },
  }
}
