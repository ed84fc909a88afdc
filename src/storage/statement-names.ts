import { codeOf } from './database-errors.ts'

/** Names under which connections keep their statements, so that the server parses and plans each text once. */
export interface StatementNames {
  /** The same for the same text; undefined: the text is to be sent without one. */
  readonly of: (text: string) => string | undefined
  /** Gives no names any more, if that is what this error of the server asks for; then the statement may be run again. */
  readonly dropAfter: (error: unknown) => boolean
}

/** A connection keeps every statement that it was given a name for, so their number is bounded. */
const maxNames = 400

/**
 * No such statement, or one of that name already: a pooler in between gives each transaction another connection.
 * "cached plan must not change result type": a newer replica has migrated the schema.
 */
const unusable = new Set(['26000', '42P05', '0A000'])

/** Creates names for the texts of one database. */
export function createStatementNames(): StatementNames {
  const names = new Map<string, string>()
  let dropped = false
  return {
    of(text) {
      if (dropped) return undefined
      const known = names.get(text)
      if (known !== undefined || names.size >= maxNames) return known
      const name = `s${names.size}`
      names.set(text, name)
      return name
    },
    dropAfter(error) {
      const useless = unusable.has(codeOf(error))
      dropped ||= useless
      return useless
    },
  }
}
