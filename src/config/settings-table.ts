import { BUILT_IN_ROLES } from './agent-settings.ts'
import { renderMarkdownTable } from '../markdown-table.ts'
import { describeDefault, describeType } from './describe.ts'
import { dotted } from './reading.ts'
import { listFields, listRoleConfig, listRoleSettings, listSettings, type ListedSetting } from './setting-list.ts'
import { holdsSecret } from './setting-path.ts'
import { SETTING_GROUPS } from './settings.ts'

const BEGIN = '<!-- settings:begin -->'
const END = '<!-- settings:end -->'

/** The settings as Markdown: a heading and a table for each group. Begins and ends without blank lines. */
function renderSettingsTable(): string {
  return SETTING_GROUPS.map(({ title, settings }) => {
    const list = 'agents' in settings ? agentRows() : listSettings(Object.keys(settings))
    return `### ${title}\n\n${renderMarkdownTable(HEAD, list.flatMap(rowsOf))}`
  }).join('\n\n')
}

/** `readme` with the table between its two markers; undefined where it has none. */
export function withSettingsTable(readme: string): string | undefined {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) return undefined
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${renderSettingsTable()}\n\n${readme.slice(end)}`
}

const HEAD = ['Variable', 'In `config.yaml`', 'Value', 'Default', 'Meaning']

function agentRows(): readonly ListedSetting[] {
  return [...listRoleSettings('<role>'), ...BUILT_IN_ROLES.flatMap(listRoleConfig)]
}

/** A row for the setting, and one for each field of the tables that it holds. */
function rowsOf(setting: ListedSetting): readonly (readonly string[])[] {
  const { variables, schema } = setting
  const names = holdsSecret(schema) ? [...variables, `${variables[0]}_FILE`] : variables
  const fields = listFields(setting).map((field) => {
    return cellsOf(field, `in ${code(variables[0] ?? '')}`, field.isNeeded ? 'needed' : undefined)
  })
  return [cellsOf(setting, names.map(code).join(', ')), ...fields]
}

function cellsOf(setting: ListedSetting, variable: string, byDefault = defaultOf(setting.schema.default)) {
  const { path, schema } = setting
  return [variable, code(dotted(path)), describeType(schema), byDefault, schema.description ?? '']
}

function defaultOf(value: unknown): string {
  const text = describeDefault(value)
  return text === '' ? 'empty' : code(text)
}

function code(text: string): string {
  return `\`${text}\``
}
