import { demandOf, typesOf } from './describe.ts'
import type { SettingSchema } from './setting.ts'

/** A value in the form that validation expects, or what it should have been. */
type Conversion = { readonly value: unknown } | { readonly fault: string }

const TRUE = new Set(['true', '1', 'yes', 'on'])
const FALSE = new Set(['false', '0', 'no', 'off'])
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * Reads what a person wrote for a setting, in YAML or in a variable: words for booleans, lists with commas or ends of
 * lines between, tables as JSON, aliases. Bounds are left to validation.
 */
export function convert(schema: SettingSchema, raw: unknown): Conversion {
  const written = typeof raw === 'string' ? raw.trim() : raw
  const types = typesOf(schema)
  const found = types.map((type) => readers[type]?.(written, schema)).find((value) => value !== undefined)
  if (types.length > 0 && found === undefined) return { fault: demandOf(schema) }
  return { value: found ?? written }
}

/** Each gives undefined for what is not of its type. */
const readers: Readonly<Record<string, (written: unknown, schema: SettingSchema) => unknown>> = {
  boolean: readBoolean,
  integer: readNumber,
  number: readNumber,
  string: readText,
  array: readList,
  object: readTable,
}

function readBoolean(written: unknown): boolean | undefined {
  const word = String(written).toLowerCase()
  if (TRUE.has(word)) return true
  return FALSE.has(word) ? false : undefined
}

function readNumber(written: unknown): number | undefined {
  if (typeof written === 'string') return DECIMAL.test(written) ? Number(written) : undefined
  return typeof written === 'number' && Number.isFinite(written) ? written : undefined
}

function readText(written: unknown, schema: SettingSchema): string | undefined {
  if (typeof written !== 'string') return undefined
  if (schema.aliases === undefined) return written
  const word = written.toUpperCase()
  return schema.aliases[word] ?? word
}

function readList(written: unknown): readonly unknown[] | undefined {
  if (Array.isArray(written)) return written
  if (typeof written !== 'string') return undefined
  return written
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function readTable(written: unknown): object | undefined {
  const table = typeof written === 'string' ? parseJson(written) : written
  return typeof table === 'object' && table !== null && !Array.isArray(table) ? table : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
