import { stringify } from 'yaml'
import { settingsToFile } from './casing.ts'
import { settingAt } from './setting-path.ts'
import type { Settings } from './settings.ts'
import { variablesOf } from './variable-names.ts'
import { yamlLine } from './yaml-line.ts'

/** The settings as YAML, each with its variable, and every secret masked. Ends with a newline. */
export function printSettings(settings: Settings): string {
  return Object.entries(settingsToFile(settings))
    .map(([name, value]) => printSetting(name, value))
    .join('')
}

function printSetting(name: string, value: unknown): string {
  if (name === 'agents') return stringify({ agents: value }, { lineWidth: 0 })
  return `${yamlLine(name, masked(name, value))} # ${variablesOf([name]).join(' or ')}\n`
}

function masked(name: string, value: unknown): unknown {
  const schema = settingAt([name])
  if (schema?.secret === true) return value === '' ? '' : '***'
  return schema?.format === 'http-url' ? withoutCredentials(String(value)) : value
}

function withoutCredentials(address: string): string {
  return address.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1***@')
}
