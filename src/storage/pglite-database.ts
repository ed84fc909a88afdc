import type { Database, Queryable, QueryResult } from './database.ts'
import { withConflictRetries } from './database-errors.ts'
import { createStatementNames } from './statement-names.ts'
import { createPGliteLine } from './pglite-line.ts'

export interface PGliteOptions {
  /** Directory of the database's files; null: in memory, for tests. */
  readonly directory: string | null
  /** A transaction that is open for longer is rolled back; default 30 s. */
  readonly transactionLimitMs?: number
  /** How often it is seen whether to checkpoint or vacuum; default a second, in which it writes some 50 MB at most. */
  readonly maintenanceIntervalMs?: number
}

export interface PGliteParts {
  /** The database must not be used any more and the process has to end: disk full, or the worker died. */
  onFatal(message: string): void
}

/**
 * PGlite in a worker thread, so that a chain of statements does not starve the event loop. One unit of work at a time:
 * an open transaction holds up everybody else. Rejects when the directory cannot be opened.
 */
export async function openPGliteDatabase(options: PGliteOptions, parts: PGliteParts): Promise<Database> {
  const { directory, transactionLimitMs = 30_000, maintenanceIntervalMs = 250 } = options
  const data = { directory, transactionLimitMs, maintenanceIntervalMs }
  const line = createPGliteLine(data, (message) => parts.onFatal(message))
  const names = createStatementNames()
  // Without values it may be several statements, which cannot be kept under a name.
  const nameOf = (text: string, values: readonly unknown[] = []) => (values.length === 0 ? undefined : names.of(text))
  let lastTransaction = 0
  try {
    await line.opened
  } catch (error) {
    await line.close()
    throw error
  }

  async function query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    const statement = { text, values, name: nameOf(text, values) }
    const result = await line.ask({ kind: 'query', statement, transaction: null, begins: false })
    return result as QueryResult<Row>
  }

  async function transact<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const transaction = (lastTransaction += 1)
    let begun = false
    const tx: Queryable = {
      async query<Row>(text: string, values?: readonly unknown[]) {
        const begins = !begun
        begun = true
        const statement = { text, values, name: nameOf(text, values) }
        return (await line.ask({ kind: 'query', statement, transaction, begins })) as QueryResult<Row>
      },
    }
    const end = async (commit: boolean): Promise<void> => {
      if (begun) await line.ask({ kind: 'end', transaction, commit })
    }
    try {
      const result = await work(tx)
      await end(true)
      return result
    } catch (error) {
      await end(false).catch(() => undefined)
      throw error
    }
  }

  return {
    query: <Row>(text: string, values?: readonly unknown[]) =>
      withConflictRetries(() => query<Row>(text, values), names.dropAfter),
    transaction: (work) => withConflictRetries(() => transact(work), names.dropAfter),
    close: () => line.close(),
  }
}
