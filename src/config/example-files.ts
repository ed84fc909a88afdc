import { BUILT_IN_ROLES } from './agent-settings.ts'
import { describeDefault, describeType } from './describe.ts'
import { listRoleConfig, listRoleSettings, listSettings, type ListedSetting } from './setting-list.ts'
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
    'agents' in settings
      ? renderAgents(title)
      : renderGroup(title, listSettings(Object.keys(settings)).map(yamlSetting)),
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

function yamlSetting({ path, schema }: ListedSetting): string {
  return `# ${explain(schema)}\n${yamlLine(path[0] ?? '', schema.default)}\n`
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

function variableLines({ variables, schema }: ListedSetting): string {
  const [name = ''] = variables
  const file = schema.secret === true ? [`# ${name}_FILE=`] : []
  return [`# ${explain(schema)}`, `# ${name}=${describeDefault(schema.default)}`, ...file, ''].join('\n')
}
