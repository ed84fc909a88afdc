import { PGlite, types } from '@electric-sql/pglite'
import type { Results } from '@electric-sql/pglite'

import type { PGliteColumns, PGliteFailure, PGliteStatement } from './pglite-messages.ts'
import { createPGliteStatements } from './pglite-statements.ts'

const diskFull = '53100'
const failedTransaction = '25P02'
const asText = (text: string): string => text

/** An error in the form in which it crosses the thread boundary. */
export function describeFailure(error: unknown): PGliteFailure {
  const fields: Error & Partial<PGliteFailure> = error instanceof Error ? error : new Error(String(error))
  const { message, code = '', detail, schema, table, constraint } = fields
  return { message, code, detail, schema, table, constraint }
}

/** Columns that the other side of the boundary has to turn into objects. */
export function columnsOf(results: readonly Results[]): PGliteColumns {
  const named = (...typeIds: number[]): string[] =>
    results.flatMap(({ fields }) => fields.filter((f) => typeIds.includes(f.dataTypeID)).map((f) => f.name))
  return { json: named(types.JSON, types.JSONB), bytes: named(types.BYTEA) }
}

/** Opens PGlite; JSON stays text, because parsing it on the other side is cheaper than cloning it. */
export async function openPGlite(directory: string | null): Promise<PGlite> {
  return PGlite.create({
    ...(directory === null ? {} : { dataDir: directory }),
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
    parsers: { [types.JSON]: asText, [types.JSONB]: asText, [types.INT8]: Number },
  })
}

/** The only connection of an embedded database. For one user at a time. */
export interface PGliteSession {
  run(statement: PGliteStatement): Promise<readonly Results[]>
  /** As `run`, outside a transaction: whatever a failed text has left open is undone. */
  runAlone(statement: PGliteStatement): Promise<readonly Results[]>
  /** Throws when the commit turned out to be a rollback. */
  end(commit: boolean): Promise<readonly Results[]>
  undo(): Promise<void>
  close(): Promise<void>
}

/** `onFatal` is called at once when no further statement may be run, before `run` throws. */
export function createSession(database: PGlite, onFatal: (message: string) => void): PGliteSession {
  const statements = createPGliteStatements(database)

  async function run({ text, values = [], name }: PGliteStatement): Promise<readonly Results[]> {
    try {
      if (name !== undefined) return [await statements.run({ name, text, values })]
      if (values.length > 0) return [await database.query<Record<string, unknown>>(text, [...values])]
      return await database.exec(text)
    } catch (error) {
      const { code, message } = describeFailure(error)
      // After a full disk the very next statement would spin for ever.
      if (code === diskFull) onFatal('The disk is full.')
      else if (code === '') onFatal(`The embedded database broke: ${message}`)
      throw error
    }
  }

  async function undo(): Promise<void> {
    await run({ text: 'ROLLBACK' }).catch(() => undefined)
  }

  return {
    run,
    undo,
    async runAlone(statement) {
      try {
        return await run(statement)
      } catch (error) {
        const { code } = describeFailure(error)
        if (code !== diskFull && code !== '' && !statement.values?.length) await undo()
        throw error
      }
    },
    async end(commit) {
      const results = await run({ text: commit ? 'COMMIT' : 'ROLLBACK' })
      if (commit && results[0]?.command === 'ROLLBACK') {
        const message = 'The transaction was rolled back because a statement in it had failed.'
        throw Object.assign(new Error(message), { code: failedTransaction })
      }
      return results
    },
    async close() {
      await database.exec('CHECKPOINT')
      await database.close()
    },
  }
}
