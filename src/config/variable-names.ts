import { BUILT_IN_ROLES, CONFIG_KEY, ROLE_NAME } from './agent-settings.ts'
import { holdsSecret, secretFilePath, settingAt, SETTING_PATHS } from './setting-path.ts'

/** Variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>

const PROMPT_FILE = /^AGENTS_(?<role>.+)_PROMPT_FILE$/

/** The variables of a setting, the preferred one first. */
export function variablesOf(path: readonly string[]): readonly string[] {
  return settingAt(path)?.env ?? [path.join('_').toUpperCase()]
}

/** Which variable stands for which setting, as its path. */
export interface VariableNames {
  pathOf(variable: string): readonly string[] | undefined
  readonly known: readonly string[]
}

/** The names of all variables, for these roles besides the built-in ones. */
export function variableNames(roles: Iterable<string>): VariableNames {
  const all = [...new Set([...BUILT_IN_ROLES, ...roles])]
  const paths = new Map([...fixedPaths(), ...all.flatMap(rolePaths)].flatMap(nameEach))
  return {
    pathOf: (variable) => paths.get(variable) ?? configPath(variable, all),
    known: [...paths.keys()],
  }
}

/** Roles that only the environment adds: those with a prompt file. `names` are the ones known so far. */
export function rolesAddedBy(variables: Variables, names: VariableNames): readonly string[] {
  return Object.entries(variables)
    .filter(([name, value]) => value?.trim() && names.pathOf(name) === undefined)
    .map(([name]) => PROMPT_FILE.exec(name)?.groups?.['role']?.toLowerCase() ?? '')
    .filter((role) => ROLE_NAME.test(role))
}

function nameEach(path: readonly string[]): (readonly [string, readonly string[]])[] {
  return variablesOf(path).map((variable) => [variable, path])
}

function fixedPaths(): (readonly string[])[] {
  const secrets = SETTING_PATHS.filter((path) => holdsSecret(settingAt(path) ?? {}))
  return [...SETTING_PATHS, ...secrets.map(secretFilePath)]
}

function rolePaths(role: string): (readonly string[])[] {
  const path = ['agents', role]
  const config = [...path, 'config']
  return [...childrenOf(path), ...childrenOf(config)]
}

function childrenOf(path: readonly string[]): (readonly string[])[] {
  return Object.keys(settingAt(path)?.properties ?? {}).map((name) => path.concat(name))
}

/** A key of the operator's own under a role's `config`. */
function configPath(variable: string, roles: readonly string[]): readonly string[] | undefined {
  for (const role of roles) {
    const start = `AGENTS_${role.toUpperCase()}_CONFIG_`
    const key = variable.startsWith(start) ? variable.slice(start.length).toLowerCase() : ''
    if (CONFIG_KEY.test(key)) return ['agents', role, 'config', key]
  }
  return undefined
}
