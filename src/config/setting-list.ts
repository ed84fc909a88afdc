import { settingAt } from './setting-path.ts'
import type { SettingSchema } from './setting.ts'
import { variablesOf } from './variable-names.ts'

/** One setting as the documents list it. */
export interface ListedSetting {
  readonly path: readonly string[]
  /** Its variables, the preferred one first. */
  readonly variables: readonly string[]
  readonly schema: SettingSchema
}

/** The settings at the top of the file among `names`. */
export function listSettings(names: readonly string[]): readonly ListedSetting[] {
  return names.filter((name) => name !== 'agents').map((name) => listed([name]))
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
