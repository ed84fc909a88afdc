import { memberOf, settingAt, SETTING_PATHS } from './setting-path.ts'
import type { SettingSchema } from './setting.ts'
import { variablesOf } from './variable-names.ts'

/** One setting as the documents list it. */
export interface ListedSetting {
  readonly path: readonly string[]
  /** Its variables, the preferred one first. */
  readonly variables: readonly string[]
  readonly schema: SettingSchema
}

/** A field of every member of a list or table of tables. */
interface ListedField extends ListedSetting {
  /** False: it may be left out. */
  readonly isNeeded: boolean
}

/** The settings that `names` stand for at the top of the file, or in a table there; those of roles are not among them. */
export function listSettings(names: readonly string[]): readonly ListedSetting[] {
  return SETTING_PATHS.filter(([top = '']) => names.includes(top)).map(listed)
}

/** The fields of the tables that a setting holds, as `llm.endpoints[].name`; none for every other setting. */
export function listFields({ path, variables, schema }: ListedSetting): readonly ListedField[] {
  const member = memberOf(schema)
  const above = schema.items === undefined ? [...path, '<name>'] : [...path.slice(0, -1), `${path.at(-1)}[]`]
  return Object.entries(member?.properties ?? {}).map(([name, field]) => ({
    path: [...above, name],
    variables,
    schema: field,
    isNeeded: member?.required?.includes(name) === true && field.default === undefined,
  }))
}

/** The settings that every role has, of a role called `role`. */
export function listRoleSettings(role: string): readonly ListedSetting[] {
  const schema = settingAt(['agents', 'any_role'])
  return Object.keys(schema?.properties ?? {})
    .filter((name) => name !== 'config')
    .map((name) => ({
      path: ['agents', role, name],
      variables: [`AGENTS_${role.toUpperCase()}_${name.toUpperCase()}`],
      schema: schema?.properties?.[name] ?? {},
    }))
}

/** What the prompt of a built-in role is told. */
export function listRoleConfig(role: string): readonly ListedSetting[] {
  const path = ['agents', role, 'config']
  return Object.keys(settingAt(path)?.properties ?? {}).map((name) => listed([...path, name]))
}

function listed(path: readonly string[]): ListedSetting {
  return { path, variables: variablesOf(path), schema: settingAt(path) ?? {} }
}
