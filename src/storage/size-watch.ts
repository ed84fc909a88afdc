import type { Queryable } from './database.ts'

/** Sizes, null where they are not known, or not told to this user of the database. */
export interface DatabaseSizes {
  readonly sizeBytes: number | null
  /** Write-ahead log that is kept. */
  readonly walSizeBytes: number | null
  /** Write-ahead log that was ever written, by everybody on that server. */
  readonly walWrittenBytes: number | null
}

/** Knows how large the database is, as of its last look. */
export interface SizeWatch {
  /** Looks soon and then every interval. */
  start(): void
  stop(): void
  latest(): DatabaseSizes
}

const statements = {
  sizeBytes: 'SELECT pg_database_size(current_database())::float8 AS bytes',
  walSizeBytes: 'SELECT sum(size)::float8 AS bytes FROM pg_ls_waldir()',
  walWrittenBytes: "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes",
} as const satisfies Record<keyof DatabaseSizes, string>

type SizeName = keyof typeof statements

const unknownSizes: DatabaseSizes = { sizeBytes: null, walSizeBytes: null, walWrittenBytes: null }

export interface SizeWatchOptions {
  /** Until the first look: who has just started has better things to do. */
  readonly firstMs?: number
  /** From the end of one look to the next. */
  readonly intervalMs?: number
}

/** Asks one thing after the other, each on its own: what may not be asked for (`pg_ls_waldir`) spoils no other. */
export function createSizeWatch(database: Queryable, options: SizeWatchOptions = {}): SizeWatch {
  const { firstMs = 2_000, intervalMs = 60_000 } = options
  const names = Object.keys(statements) as SizeName[]
  const refused = new Set<SizeName>()
  const latest: Record<SizeName, number | null> = { ...unknownSizes }
  let timer: NodeJS.Timeout | null = null

  async function ask(name: SizeName): Promise<number | null> {
    try {
      const { rows } = await database.query<{ bytes: number | null }>(statements[name])
      return rows[0]?.bytes ?? null
    } catch (error) {
      if (isRefusal(error)) refused.add(name)
      return null
    }
  }
  async function look(): Promise<void> {
    for (const name of names) {
      if (!refused.has(name)) latest[name] = await ask(name)
    }
    if (timer !== null) lookIn(intervalMs)
  }
  function lookIn(ms: number): void {
    timer = setTimeout(() => void look(), ms).unref()
  }

  return {
    start() {
      if (timer === null) lookIn(firstMs)
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      Object.assign(latest, unknownSizes)
    },
    latest: () => latest,
  }
}

/** Insufficient privilege, or no such function: an outage passes, this does not. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return code === '42501' || code === '42883' || code === '0A000'
}
