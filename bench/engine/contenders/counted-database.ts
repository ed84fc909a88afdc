import type { Database, Queryable } from '../../../src/storage/database.ts'
import type { DatabaseCounts } from '../contender.ts'

/** Stands around a database and counts what goes through. */
export interface CountedDatabase {
  readonly around: (database: Database) => Database
  readonly read: () => Promise<DatabaseCounts>
}

const commits = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS commits'

/** Counts nothing before it stands around one. */
export function createCountedDatabase(): CountedDatabase {
  let statements = 0
  let inner: Database | null = null
  const counted = (queryable: Queryable): Queryable => ({
    query: (text, values) => {
      statements += 1
      return queryable.query(text, values)
    },
  })
  return {
    around(database) {
      inner = database
      return {
        ...database,
        ...counted(database),
        transaction: (work) => {
          statements += 2
          return database.transaction((tx) => work(counted(tx)))
        },
      }
    },
    async read() {
      const rows = (await inner?.query<{ readonly commits: number }>(commits))?.rows
      return { statements, commits: rows?.[0]?.commits ?? 0 }
    },
  }
}
