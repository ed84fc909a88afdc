import type { Queryable } from './database.ts'
import type { Statement } from './statement-parts.ts'

/**
 * The one statement that `work` would run, instead of running it: to be made a part of another. `row` is what `work` is
 * told that it gave. Throws when it is not exactly one.
 */
export async function captureStatement(
  work: (recorder: Queryable) => Promise<unknown>,
  row: Readonly<Record<string, unknown>>,
): Promise<Statement> {
  const seen: Statement[] = []
  const query: Queryable['query'] = async (text, values = []) => {
    seen.push({ text, values })
    return { rows: [row as never], rowCount: 1 }
  }
  await work({ query })
  const [statement] = seen
  if (statement === undefined || seen.length > 1)
    throw new Error(`${seen.length} statements were to be captured as one`)
  return statement
}
