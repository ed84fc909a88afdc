import { withDerivedDefaults } from './derived-defaults.ts'
import type { SettingSchema } from './setting.ts'
import { childOf, memberOf, ROOT } from './setting-path.ts'
import type { Settings, SettingsFile } from './settings.ts'

type Table = Readonly<Record<string, unknown>>
type Rename = (name: string) => string

/** `llm_timeout` → `llmTimeout`. */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `llmTimeout` → `llm_timeout`. */
function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The file's form → the service's. Takes a validated file, and freezes the result all the way down. */
export function settingsFromFile(file: SettingsFile): Settings {
  return freeze(translate(withDerivedDefaults(file), ROOT, toCamelCase)) as Settings
}

/** The service's form → the file's, for printing. */
export function settingsToFile(settings: Settings): Table {
  return translate(settings, ROOT, toSnakeCase) as Table
}

/** Renames the keys that are ours, and leaves those of the operator's own as they are. */
function translate(value: unknown, schema: SettingSchema, rename: Rename): unknown {
  if (Array.isArray(value)) return value.map((item) => translate(item, schema.items ?? {}, rename))
  if (typeof value !== 'object' || value === null) return value
  if (memberOf(schema) !== undefined) return byName(value as Table, schema, rename)
  return schema.properties === undefined ? value : renameKeys(value as Table, schema, rename)
}

function renameKeys(table: Table, schema: SettingSchema, rename: Rename): Table {
  const entries = Object.entries(table).map(([name, value]) => [toSnakeCase(name), value] as const)
  // an optional text that is empty is the absence of a value
  const given = entries.filter(([name, value]) => value !== '' || schema.required?.includes(name) === true)
  return Object.fromEntries(
    given.map(([name, value]) => [rename(name), translate(value, childOf(schema, name) ?? {}, rename)]),
  )
}

/** Keeps the keys. For tables that somebody's words are looked up in: without a prototype there is no role called `constructor`. */
function byName(table: Table, schema: SettingSchema, rename: Rename): Table {
  const entries = Object.entries(table).map(([name, value]) => {
    return { [name]: translate(value, childOf(schema, name) ?? {}, rename) }
  })
  return Object.assign(Object.create(null) as Table, ...entries) as Table
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}
