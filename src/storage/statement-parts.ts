import { columnDefinitions, columnNames, toRow } from './columns.ts'
import type { Columns, JsonRow } from './columns.ts'

/** One statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Collects the parts of one statement in which everything hangs on the workflow's row `w`. */
export interface StatementParts {
  /** `$n` for a value. */
  bind(value: unknown): string
  /** Adds a part as a common table expression; what must not happen without the workflow's row reads from `w`. */
  add(name: string, text: string): void
  /** Adds a whole statement as such a part; `express` makes of the `$n` of a value what stands in its place. */
  addStatement(name: string, statement: Statement, express?: (value: string) => string): void
  finish(): Statement
}

/** Starts a statement; the first part has to be `w`. */
export function createStatementParts(): StatementParts {
  const values: unknown[] = []
  const parts: string[] = []
  const add = (name: string, text: string) => void parts.push(`${name} AS (${text})`)
  return {
    bind: (value) => `$${values.push(value)}`,
    add,
    addStatement(name, statement, express = (value) => value) {
      const before = values.length
      values.push(...statement.values)
      add(
        name,
        statement.text.replaceAll(/\$(\d+)/g, (_, n: string) => express(`$${Number(n) + before}`)),
      )
    },
    finish: () => ({ text: `WITH ${parts.join(',\n')} SELECT * FROM w`, values }),
  }
}

/** `rows` as the table `r`. */
export function recordset(parts: StatementParts, columns: object, rows: readonly JsonRow[]): string {
  return `json_to_recordset(${parts.bind(JSON.stringify(rows))}::json) AS r(${columnDefinitions(columns)})`
}

interface Insertion {
  readonly name: string
  readonly table: string
  readonly columns: object
  readonly rows: readonly JsonRow[]
  readonly onConflict?: string
}

/** Adds `INSERT … SELECT … FROM w, rows`; without rows nothing. */
export function addInsert(parts: StatementParts, insertion: Insertion): void {
  const { name, table, columns, rows, onConflict = '' } = insertion
  if (rows.length === 0) return
  const names = columnNames(columns)
  parts.add(
    name,
    `INSERT INTO agents.${table} (workflow_id, ${names.join(', ')})
     SELECT w.id, ${names.map((column) => `r.${column}`).join(', ')} FROM w, ${recordset(parts, columns, rows)} ${onConflict}`,
  )
}

/** `values` as rows of `columns`. */
export function toRows<T extends object>(columns: Columns<T>, values: readonly T[]): readonly JsonRow[] {
  return values.map((value) => toRow(columns, value))
}
