import { settingsToFile } from './casing.ts'
import { childOf, isTableOfSettings, memberOf, ROOT } from './setting-path.ts'
import type { SettingSchema } from './setting.ts'
import type { Settings } from './settings.ts'
import { variablesOf } from './variable-names.ts'
import { yamlLine } from './yaml-line.ts'

type Table = Readonly<Record<string, unknown>>

/** The settings as YAML, each with its variable, and every secret masked. Ends with a newline. */
export function printSettings(settings: Settings): string {
  return printTable(settingsToFile(settings), ROOT, [])
}

function printTable(table: Table, schema: SettingSchema, path: readonly string[]): string {
  const indent = '  '.repeat(path.length)
  return Object.entries(table)
    .map(([name, value]) => {
      const child = childOf(schema, name) ?? {}
      const at = [...path, name]
      if (isTableOfSettings(child) && Object.keys(value as Table).length > 0) {
        return `${indent}${name}:\n${printTable(value as Table, child, at)}`
      }
      return `${indent}${yamlLine(name, masked(value, child))} # ${variablesOf(at).join(' or ')}\n`
    })
    .join('')
}

function masked(value: unknown, schema: SettingSchema): unknown {
  if (schema.secret === true) return value === '' || (Array.isArray(value) && value.length === 0) ? value : '***'
  if (schema.format === 'http-url') return withoutCredentials(String(value))
  if (Array.isArray(value)) return value.map((item) => masked(item, memberOf(schema) ?? {}))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, part]) => [name, masked(part, childOf(schema, name) ?? {})])
  return Object.fromEntries(entries) as unknown
}

function withoutCredentials(address: string): string {
  return address.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1***@')
}
