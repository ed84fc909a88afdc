import { openDataDirectory, restorePrepared } from './data-directory.ts'
import type { Database } from './database.ts'

/** Where the database is and how it is used. Times are milliseconds. */
export interface StorageOptions {
  /** null: PGlite in `dataDirectory`. */
  readonly databaseUrl: string | null
  readonly dataDirectory: string
  readonly poolSize: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  /** A prepared database to begin with where there is none yet, as `prepareDatabase` makes it. */
  readonly preparedDirectory?: string
  /** Every workflow that ends gets a job in `publications`, in the same transaction; default false. */
  readonly publishes?: boolean
  /** How long a transaction of PGlite may stay open; default 30 s. */
  readonly transactionLimitMs?: number
}

/** Whom storage tells what nobody asked for. */
export interface StorageParts {
  /** The embedded database must not be used any more: end the process with this code, at once. */
  onFatal(exitCode: number, message: string): void
  /** Something failed in the background and will be tried again. */
  onError?(error: unknown): void
  /** Stands between storage and its database, to count its statements or to break them. */
  around?(database: Database): Database
}

// EX_SOFTWARE: what waits in the process is lost, what was acknowledged is on disk.
const fatalExitCode = 70

async function openEmbedded(options: StorageOptions, parts: OpeningParts): Promise<Database> {
  const directory = await openDataDirectory(options.dataDirectory)
  try {
    await restorePrepared(directory, options.preparedDirectory)
    const { transactionLimitMs } = options
    const { openPGliteDatabase } = await import('./pglite-database.ts')
    const opening = openPGliteDatabase(
      { directory: directory.databasePath, ...(transactionLimitMs === undefined ? {} : { transactionLimitMs }) },
      { onFatal: (message) => parts.onFatal(fatalExitCode, message) },
    )
    parts.onThreadStarted?.()
    const database = await opening
    await directory.markWhole()
    return {
      ...database,
      async close() {
        await database.close()
        directory.release()
      },
    }
  } catch (error) {
    directory.release()
    throw error
  }
}

/** What `openDatabase` tells besides. */
interface OpeningParts extends StorageParts {
  /** The embedded database has its thread: this one is free for something else. */
  onThreadStarted?(): void
}

/** Opens the database that the options name; a Postgres need not be there yet. */
export async function openDatabase(options: StorageOptions, parts: OpeningParts): Promise<Database> {
  const { databaseUrl } = options
  if (databaseUrl === null) return openEmbedded(options, parts)
  // Each kind loads its own driver only.
  const { createPostgresDatabase } = await import('./postgres-database.ts')
  return createPostgresDatabase({ ...options, databaseUrl }, parts)
}
