import { stringify } from 'yaml'
import { BUILT_IN_ROLES } from './agent-settings.ts'
import { describeDefault, describeType } from './describe.ts'
import { listFields, listRoleConfig, listRoleSettings, listSettings, type ListedSetting } from './setting-list.ts'
import { holdsSecret, isTableOfSettings, settingAt } from './setting-path.ts'
import { SETTING_GROUPS } from './settings.ts'
import { yamlLine } from './yaml-line.ts'

const YAML_HEAD = `# Every setting with its default. The file may be left out, or hold only what differs.
# A variable of the environment wins over it: llm_timeout is LLM_TIMEOUT, agents.developer.model is
# AGENTS_DEVELOPER_MODEL. A line in .env counts as such a variable. Times are seconds.
`

const DOTENV_HEAD = `# Every setting with its default: copy this file to .env and uncomment what should differ.
# A real variable wins over this file, this file over config.yaml. Times are seconds. Lists are comma-separated,
# tables are JSON. An empty value counts as unset, except where it says off. A value that holds # needs quotes.
`

/** The text of `config.yaml`: it loads, and says the defaults. */
export function renderConfigYaml(): string {
  const groups = SETTING_GROUPS.map(({ title, settings }) =>
    'agents' in settings ? renderAgents(title) : renderGroup(title, Object.keys(settings).map(yamlSettings)),
  )
  return [YAML_HEAD, ...groups].join('\n')
}

/** The text of `.env.example`: every variable, commented out. */
export function renderDotenv(): string {
  const groups = SETTING_GROUPS.map(({ title, settings }) => {
    const list = 'agents' in settings ? BUILT_IN_ROLES.flatMap(roleVariables) : listSettings(Object.keys(settings))
    return renderGroup(title, list.map(variableLines))
  })
  const file = '# Another YAML file than ./config.yaml; also by --config FILE.\n# AGENT_CONFIG_PATH=config.yaml\n'
  return [DOTENV_HEAD, file, ...groups].join('\n')
}

function renderGroup(title: string, blocks: readonly string[]): string {
  return [`## ${title}\n`, ...blocks].join('\n')
}

/** A setting, or a table of them. */
function yamlSettings(name: string): string {
  const settings = listSettings([name]).map(yamlSetting)
  if (!isTableOfSettings(settingAt([name]) ?? {})) return settings.join('\n')
  return `${name}:\n${settings.join('\n').replaceAll(/^(?=.)/gm, '  ')}`
}

function yamlSetting(setting: ListedSetting): string {
  const { path, schema } = setting
  const name = path.at(-1) ?? ''
  const about = [explain(schema), ...fieldLines(setting), ...(schema.examples ?? []).flatMap(exampleLines(name))]
  return `${about.map((line) => `# ${line}\n`).join('')}${yamlLine(name, schema.default)}\n`
}

function fieldLines(setting: ListedSetting): readonly string[] {
  return listFields(setting).map(({ path, schema, isNeeded }) => {
    return `  ${path.at(-1)}: ${explain(schema)}${isNeeded ? ' Needed.' : ''}`
  })
}

function exampleLines(name: string) {
  return (example: unknown): readonly string[] => {
    const lines = stringify({ [name]: example }, { lineWidth: 0 })
      .trimEnd()
      .split('\n')
    return ['For example:', ...lines.map((line) => `  ${line}`)]
  }
}

function explain(schema: ListedSetting['schema']): string {
  return `${schema.description ?? ''} (${describeType(schema)})`
}

function renderAgents(title: string): string {
  const optional = listRoleSettings('role').filter(({ schema }) => schema.default !== false)
  const about = optional.map(({ path, schema }) => `#   ${path[2] ?? ''}: ${explain(schema)}`)
  const head = ['# A role may have, besides its config, which its prompt is told:', ...about]
  return renderGroup(title, [[...head, 'agents:', ...BUILT_IN_ROLES.map(renderRole)].join('\n')])
}

function renderRole(role: string): string {
  const config = listRoleConfig(role).map(({ path, schema }) => `      ${yamlLine(path[3] ?? '', schema.default)}`)
  return [`  ${role}:`, '    enabled: true', '    task_types: {}', '    config:', ...config, ''].join('\n')
}

function roleVariables(role: string): readonly ListedSetting[] {
  return [...listRoleSettings(role), ...listRoleConfig(role)]
}

function variableLines(setting: ListedSetting): string {
  const { variables, schema } = setting
  const [name = ''] = variables
  const about = [
    explain(schema),
    ...fieldLines(setting),
    ...(schema.examples ?? []).map((example) => `For example: ${name}='${JSON.stringify(example)}'`),
    `${name}=${describeDefault(schema.default)}`,
    ...(holdsSecret(schema) ? [`${name}_FILE=`] : []),
  ]
  return about.map((line) => `# ${line}\n`).join('')
}
