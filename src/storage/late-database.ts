import type { ConnectionFigures, Database } from './database.ts'
import { unavailable } from './database-errors.ts'

/** A database that can be handed out before it is there. */
export interface LateDatabase extends Database {
  /** From now on statements go to `database`. */
  open(database: Database): void
  /** null: it has no pool, or is not there. */
  connections(): ConnectionFigures | null
}

/** Throws `unavailable` for every statement before `open` and after `close`. */
export function createLateDatabase(): LateDatabase {
  let target: Database | null = null
  const ready = (): Database => {
    if (!target) throw unavailable('The database is not open yet.')
    return target
  }
  return {
    query: async (text, values) => ready().query(text, values),
    transaction: async (work) => ready().transaction(work),
    open: (database) => {
      target = database
    },
    connections: () => target?.connections?.() ?? null,
    async close() {
      const closing = target
      target = null
      await closing?.close()
    },
  }
}
