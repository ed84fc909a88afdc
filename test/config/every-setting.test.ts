import { expect } from 'vitest'
import { Document } from 'yaml'
import { BUILT_IN_ROLES } from '../../src/config/agent-settings.ts'
import { settingsToFile, toCamelCase } from '../../src/config/casing.ts'
import { describeDefault, typesOf } from '../../src/config/describe.ts'
import { isComposite, memberOf } from '../../src/config/setting-path.ts'
import { listRoleConfig, listRoleSettings, listSettings } from '../../src/config/setting-list.ts'
import type { SettingSchema } from '../../src/config/setting.ts'
import { SETTING_GROUPS, type Settings } from '../../src/config/settings.ts'
import { test } from './settings-directory.ts'

const TOP_LEVEL = SETTING_GROUPS.flatMap(({ settings }) => listSettings(Object.keys(settings)))
const OF_ROLES = BUILT_IN_ROLES.flatMap((role) => listRoleSettings(role).concat(listRoleConfig(role)))
const EVERY = [...TOP_LEVEL, ...OF_ROLES].map((setting) => [setting.path.join('.'), setting] as const)

const BY_FORMAT: Readonly<Record<string, string>> = {
  path: 'there.txt',
  host: '::1',
  'endpoint-name': 'cloud',
  'http-url': 'https://models.example/v1',
  'sentry-dsn-or-empty': 'https://key@errors.example/1',
  'webhook-secret-or-empty': 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'postgres-url-or-empty': 'postgres://me:secret@db.example/agents',
}

/** A legal value that is not the default. */
function another(schema: SettingSchema): unknown {
  if (schema.enum !== undefined) return schema.enum.find((word) => word !== schema.default)
  if (schema.format !== undefined) return BY_FORMAT[schema.format]
  switch (typesOf(schema)[0] ?? '') {
    case 'boolean':
      return schema.default !== true
    case 'number':
    case 'integer':
      return anotherNumber(schema)
    case 'array':
      return [isComposite(schema) ? anotherTable(schema) : textIn(schema)]
    case 'object':
      return { port_code: isComposite(schema) ? anotherTable(schema) : 'Port it.' }
    default:
      return 'another text'
  }
}

function anotherNumber({ default: byDefault, minimum, maximum = Infinity }: SettingSchema): number | undefined {
  return byDefault === maximum ? minimum : Math.min(Number(byDefault ?? 0) + 1, maximum)
}

function anotherTable(schema: SettingSchema): Record<string, unknown> {
  const fields = Object.entries(memberOf(schema)?.properties ?? {})
  return Object.fromEntries(fields.map(([name, field]) => [name, another(field)]))
}

/** In a list of models it is the name that every model gets here. */
function textIn(list: SettingSchema): string {
  if (list.items?.format === 'origin') return 'https://app.example'
  if (list.secret === true) return `anna:${'0a'.repeat(32)}:read`
  return list.uniqueItems === true ? 'another text' : 'there.txt'
}

function valueAt(settings: Settings, path: readonly string[]): unknown {
  return path.reduce<unknown>((table, name) => (table as Record<string, unknown>)[name], settingsToFile(settings))
}

const OTHERS = EVERY.map(([name, setting]) => ({ name, setting, value: another(setting.schema) }))

/** All but `auth`: nobody may be asked for keys that there are. */
const TOGETHER = OTHERS.filter(({ name }) => name !== 'auth')

function expectOthers(settings: Settings): void {
  for (const { name, setting, value } of TOGETHER) {
    expect([name, valueAt(settings, setting.path)]).toEqual([name, value])
    expect([name, value]).not.toEqual([name, setting.schema.default])
  }
}

test('every setting can be changed by a variable', ({ directory }) => {
  directory.write('there.txt', 'x')
  const env = TOGETHER.flatMap(({ setting, value }) => setting.variables.map((name) => [name, describeDefault(value)]))
  const { settings, warnings } = directory.load(Object.fromEntries(env) as Record<string, string>)
  expectOthers(settings)
  expect(warnings).toEqual(['OPENAI_API_BASE and OPENAI_API_KEY have no effect: llm.endpoints names the model servers'])
})

test('every setting can be changed in YAML', ({ directory }) => {
  directory.write('there.txt', 'x')
  const document = new Document({})
  for (const { setting, value } of TOGETHER) document.setIn(setting.path, value)
  directory.write('config.yaml', document.toString())
  expectOthers(directory.load().settings)
})

test('every setting of the first level can be changed alone', ({ directory }) => {
  directory.write('there.txt', 'x')
  for (const { name, setting, value } of OTHERS.filter(({ setting: { path } }) => path.length === 1)) {
    const { settings } = directory.load({ [setting.variables[0] ?? '']: describeDefault(value) })
    expect([name, valueAt(settings, setting.path)]).toEqual([name, value])
  }
})

test('every setting is described in a sentence', () => {
  for (const [, { schema }] of EVERY) expect(schema.description).toMatch(/\.$/)
})

test('every setting has the default that its schema says, under a camelCase name', ({ directory }) => {
  const { settings } = directory.load()
  for (const [name, { path, schema }] of EVERY) expect([name, valueAt(settings, path)]).toEqual([name, schema.default])
  for (const { path } of TOP_LEVEL) expect(settings).toHaveProperty(toCamelCase(path[0] ?? ''))
})
