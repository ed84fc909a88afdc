import type { SettingSchema } from './setting.ts'
import { SettingsFile } from './settings.ts'

const ROOT: SettingSchema = SettingsFile

const SECRET_FILE = '_file'

/** Names of all settings at the top of `config.yaml`, `agents` included. */
export const TOP_LEVEL_NAMES: readonly string[] = Object.keys(SettingsFile.properties)

/** Those of the settings that are secret. */
export const SECRET_NAMES: readonly string[] = TOP_LEVEL_NAMES.filter((name) => settingAt([name])?.secret === true)

/** `openai_api_key` → `openai_api_key_file`, which names a file that holds the secret. */
export function secretFileName(secret: string): string {
  return secret + SECRET_FILE
}

/** The secret whose file this setting names; undefined for every other setting. */
export function secretOfFile(name: string): string | undefined {
  return SECRET_NAMES.find((secret) => secretFileName(secret) === name)
}

/** The schema of a setting or table of settings; undefined where there is none. A role may have any name. */
export function settingAt(path: readonly string[]): SettingSchema | undefined {
  return path.reduce<SettingSchema | undefined>((schema, name) => schema && childOf(schema, name), ROOT)
}

/** A table whose entries are settings of their own: `agents`, a role, a role's `config`. */
export function isTableOfSettings(schema: SettingSchema): boolean {
  return schema.properties !== undefined
}

function childOf(schema: SettingSchema, name: string): SettingSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}
