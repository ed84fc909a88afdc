import { isComposite, isTableOfSettings } from './setting-path.ts'
import { LONGEST_SECONDS, type SettingSchema } from './setting.ts'

const FORMATS: Readonly<Record<string, string>> = {
  path: 'path',
  'proxy-address': 'IP address, or network as address/bits',
  'http-url': 'http or https URL',
  'sentry-dsn-or-empty': 'Sentry DSN, as https://KEY@HOST/PROJECT',
  'postgres-url-or-empty': 'postgres URL',
  host: 'IP address or host name',
  'webhook-secret-or-empty': 'secret, as whsec_ and 24 to 64 bytes in base64',
  'endpoint-name': 'name of at most 63 of a–z, 0–9, ., _ and -, a letter or digit first',
}

const NOUNS: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  integer: 'whole number',
  number: 'number',
  array: 'list',
  object: 'table of names (lower-case letters, digits, _) and texts',
  string: 'text',
}

/** Type and bounds of a setting in words: `whole number 0–10`, `number > 0, seconds`. */
export function describeType(schema: SettingSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  if (schema.format !== undefined) return FORMATS[schema.format] ?? schema.format
  const nouns = typesOf(schema).map((type) => nounOf(type, schema))
  const words = [[nouns.join(', or a '), describeBounds(schema)].filter(Boolean).join(' '), schema.unit]
  return words.filter(Boolean).join(', ')
}

/** What a value of this setting must be, as the end of a sentence: `must be a whole number 0–10`. */
export function demandOf(schema: SettingSchema): string {
  const type = describeType(schema)
  if (/^(one of|true|text)/.test(type)) return `must be ${type}`
  return `must be ${/^(IP|http)/.test(type) ? 'an' : 'a'} ${type}`
}

/** A value on one line, as a variable has it: lists comma-separated, tables and lists of them as JSON, nothing for none. */
export function describeDefault(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The JSON types that a setting may have; none: any. */
export function typesOf(schema: SettingSchema): readonly string[] {
  if (schema.type === undefined) return []
  return typeof schema.type === 'string' ? [schema.type] : schema.type
}

function nounOf(type: string, schema: SettingSchema): string {
  if (isComposite(schema) || isTableOfSettings(schema)) return type === 'array' ? 'JSON list' : 'JSON table'
  if (type === 'array' && schema.items?.format === 'origin') return 'list of origins'
  if (type === 'array' && schema.items?.format === 'host-and-port') return 'list of hosts, or of host:port'
  return schema.uniqueItems === true ? 'list of different names' : (NOUNS[type] ?? type)
}

function describeBounds(schema: SettingSchema): string {
  const { minimum, exclusiveMinimum, maximum, maxItems } = schema
  if (maxItems !== undefined) return `of at most ${maxItems}`
  if (exclusiveMinimum !== undefined) return `> ${exclusiveMinimum}`
  if (minimum === undefined) return ''
  return maximum === undefined || maximum === LONGEST_SECONDS ? `≥ ${minimum}` : `${minimum}–${maximum}`
}
