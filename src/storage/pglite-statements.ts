import { messages, protocol, types } from '@electric-sql/pglite'
import type { PGlite, Results } from '@electric-sql/pglite'

/** Statements that an embedded database keeps parsed and planned; its own `query` does both each time. */
export interface PGliteStatements {
  /** Throws the database's error; it can go on then. */
  run(statement: NamedStatement): Promise<Results>
}

export interface NamedStatement {
  /** The same for the same text. */
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

interface Prepared {
  readonly parameters: readonly number[]
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
}

const { serialize } = protocol

/** Speaks Postgres' protocol to the database: parse once, then bind and execute, in one message each time. */
export function createPGliteStatements(database: PGlite): PGliteStatements {
  const known = new Map<string, Prepared>()

  async function prepare({ name, text }: NamedStatement): Promise<Prepared> {
    const prepared = known.get(name)
    if (prepared !== undefined) return prepared
    const answer = await database.execProtocol(
      Buffer.concat([serialize.parse({ name, text }), serialize.describe({ type: 'S', name }), serialize.sync()]),
    )
    const parameters = answer.messages.find((one) => one instanceof messages.ParameterDescriptionMessage)
    const row = answer.messages.find((one) => one instanceof messages.RowDescriptionMessage)
    const described = { parameters: parameters?.dataTypeIDs ?? [], fields: row?.fields ?? [] }
    known.set(name, described)
    return described
  }

  const toText = (value: unknown, type: number | undefined): string | null => {
    if (value === null || value === undefined) return null
    const serializer = type === undefined ? undefined : database.serializers[type]
    if (serializer !== undefined) return serializer(value)
    return typeof value === 'string' ? value : JSON.stringify(value)
  }

  return {
    async run(statement) {
      const { parameters, fields } = await prepare(statement)
      const values = statement.values.map((value, n) => toText(value, parameters[n]))
      const answer = await database.execProtocol(
        Buffer.concat([serialize.bind({ statement: statement.name, values }), serialize.execute({}), serialize.sync()]),
      )
      const rows = answer.messages.flatMap((one) => (one instanceof messages.DataRowMessage ? [one.fields] : []))
      const done = answer.messages.find((one) => one instanceof messages.CommandCompleteMessage)
      return {
        fields: [...fields],
        rows: rows.map((cells) => toObject(cells, fields, database)),
        rowCount: Number(done?.text.split(' ').at(-1) ?? 0),
      }
    },
  }
}

function toObject(cells: readonly (string | null)[], fields: Prepared['fields'], { parsers }: PGlite) {
  return Object.fromEntries(
    fields.map(({ name, dataTypeID }, n): [string, unknown] => [
      name,
      types.parseType(cells[n] ?? null, dataTypeID, parsers),
    ]),
  )
}
