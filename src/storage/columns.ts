/** How a value is stored. `time` is milliseconds since the epoch in code and `timestamptz` in SQL; `jsonb` loses the order of keys. */
type ColumnType = 'text' | 'uuid' | 'integer' | 'double precision' | 'boolean' | 'time' | 'json' | 'jsonb'

/** The columns of a table by the names that they have in code: the one place where camelCase meets snake_case. */
export type Columns<T> = { readonly [K in keyof T]-?: ColumnType }

/** A row on its way to or from `json_to_recordset` and `row_to_json`. */
export type JsonRow = Record<string, unknown>

const sqlTypes: Partial<Record<ColumnType, string>> = { time: 'timestamptz' }

/** `finishReason` → `finish_reason`. */
function toColumnName(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

interface Column {
  readonly property: string
  readonly name: string
  readonly type: ColumnType
}

interface Shape {
  readonly columns: readonly Column[]
  readonly names: readonly string[]
  readonly definitions: string
}

// Tables never change and every row needs their names, so each is worked out once.
const shapes = new WeakMap<object, Shape>()

function shapeOf(table: object): Shape {
  const known = shapes.get(table)
  if (known !== undefined) return known
  const columns = Object.entries(table as Record<string, ColumnType>).map(([property, type]) => {
    return { property, type, name: toColumnName(property) }
  })
  const shape = {
    columns,
    names: columns.map(({ name }) => name),
    definitions: columns.map(({ name, type }) => `${name} ${sqlTypes[type] ?? type}`).join(', '),
  }
  shapes.set(table, shape)
  return shape
}

/** Names of the columns, for a list in a statement. */
export function columnNames(columns: object): readonly string[] {
  return shapeOf(columns).names
}

/** `name type, …`: what follows `AS row` after `json_to_recordset`. */
export function columnDefinitions(columns: object): string {
  return shapeOf(columns).definitions
}

/** `name = row.name, …`, without those in `except`. */
export function columnAssignments(columns: object, row: string, except: readonly string[] = []): string {
  return columnNames(columns)
    .filter((name) => !except.includes(name))
    .map((name) => `${name} = ${row}.${name}`)
    .join(', ')
}

/** The value as a row; properties without a column are left out, and so is what is null. */
export function toRow<T extends object>(columns: Columns<T>, value: T): JsonRow {
  const row: JsonRow = {}
  for (const { property, name, type } of shapeOf(columns).columns) {
    const cell = (value as JsonRow)[property]
    if (cell === null || cell === undefined) continue
    row[name] = type === 'time' && typeof cell === 'number' ? new Date(cell).toISOString() : cell
  }
  return row
}

/** The value in a row that `row_to_json` made. */
export function fromRow<T extends object>(columns: Columns<T>, row: Readonly<JsonRow>): T {
  const value: JsonRow = {}
  for (const { property, name, type } of shapeOf(columns).columns) {
    const cell = row[name]
    value[property] = type === 'time' && typeof cell === 'string' ? Date.parse(cell) : cell
  }
  return value as T
}
