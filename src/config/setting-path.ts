import type { SettingSchema } from './setting.ts'
import { SettingsFile } from './settings.ts'

/** The schema of the whole file. */
export const ROOT: SettingSchema = SettingsFile

const SECRET_FILE = '_file'

/** Paths of all settings, without those of roles. */
export const SETTING_PATHS: readonly (readonly string[])[] = pathsBelow(ROOT, [])

/** `openai_api_key` → `openai_api_key_file`, which names a file that holds the secret. */
export function secretFilePath(secret: readonly string[]): readonly string[] {
  return [...secret.slice(0, -1), secret.at(-1) + SECRET_FILE]
}

/** The path of the secret whose file the setting at `path` names; undefined for every other setting. */
export function secretOfFile(path: readonly string[]): readonly string[] | undefined {
  const parent = path.slice(0, -1)
  const name = secretNameOf(settingAt(parent) ?? {}, path.at(-1) ?? '')
  return name === undefined ? undefined : [...parent, name]
}

/** The schema of a setting, a table of settings or a part of a value; undefined where there is none. */
export function settingAt(path: readonly string[]): SettingSchema | undefined {
  return path.reduce<SettingSchema | undefined>((schema, name) => schema && childOf(schema, name), ROOT)
}

/** A table with keys of ours: the file, `llm`, `agents`, a role, a role's `config`, an endpoint. */
export function isTableOfSettings(schema: SettingSchema): boolean {
  return schema.properties !== undefined
}

/** A list of tables, or a table of tables by name: one setting, whose source gives the whole of it. */
export function isComposite(schema: SettingSchema): boolean {
  return schema.properties === undefined && memberOf(schema)?.properties !== undefined
}

/** What every item of a list, or every key of the operator's own, holds; undefined where there are none such. */
export function memberOf(schema: SettingSchema): SettingSchema | undefined {
  return schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
}

/** A secret, or one with secrets inside: it may come from a file. */
export function holdsSecret(schema: SettingSchema): boolean {
  if (schema.secret === true) return true
  return isComposite(schema) && Object.values(memberOf(schema)?.properties ?? {}).some(holdsSecret)
}

/** The keys of ours in a table of settings, those that name the file of a secret included. */
export function knownKeys(schema: SettingSchema): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    holdsSecret(child) ? [name, name + SECRET_FILE] : [name],
  )
}

/** The schema of what stands under `name`; for lists the name is the index. */
export function childOf(schema: SettingSchema, name: string): SettingSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  if (secretNameOf(schema, name) !== undefined) return { type: 'string', format: 'path' }
  return memberOf(schema)
}

function secretNameOf(schema: SettingSchema, name: string): string | undefined {
  const { properties = {} } = schema
  if (!name.endsWith(SECRET_FILE) || Object.hasOwn(properties, name)) return undefined
  const secret = name.slice(0, -SECRET_FILE.length)
  const child = Object.hasOwn(properties, secret) ? properties[secret] : undefined
  return child !== undefined && holdsSecret(child) ? secret : undefined
}

function pathsBelow(schema: SettingSchema, path: readonly string[]): (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = [...path, name]
    if (!isTableOfSettings(child)) return [at]
    return memberOf(child) === undefined ? pathsBelow(child, at) : []
  })
}
