import type { Settings, SettingsFile } from './settings.ts'

type Table = Readonly<Record<string, unknown>>

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
  return freeze(translate(file, toCamelCase)) as unknown as Settings
}

/** The service's form → the file's, for printing. */
export function settingsToFile(settings: Settings): Table {
  return translate(settings, toSnakeCase)
}

function translate(settings: Table, rename: (name: string) => string): Table {
  return mapEntries(settings, (name, value) => [
    rename(name),
    name === 'agents'
      ? byName(mapEntries(value as Table, (role, own) => [role, translateRole(own as Table, rename)]))
      : value,
  ])
}

function translateRole(role: Table, rename: (name: string) => string): Table {
  const given = Object.fromEntries(Object.entries(role).filter(([, value]) => value !== ''))
  return mapEntries(given, (name, value) => [
    rename(name),
    name === 'task_types' || name === 'taskTypes' ? byName(value as Table) : value,
  ])
}

function mapEntries(table: Table, change: (name: string, value: unknown) => [string, unknown]): Table {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => change(name, value)))
}

/** For tables that a client's words are looked up in: without a prototype there is no role called `constructor`. */
function byName(table: Table): Table {
  return Object.assign(Object.create(null) as object, table)
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}
