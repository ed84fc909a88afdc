import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { renderConfigYaml, renderDotenv } from '../../src/config/example-files.ts'
import { withSettingsTable } from '../../src/config/settings-table.ts'
import { SettingsFile } from '../../src/config/settings.ts'
import { writeDocs } from '../../src/config/write-docs.ts'
import { test } from './settings-directory.ts'

const ROOT = join(import.meta.dirname, '../..')

/** `npm run settings` writes them. */
describe('the files of the repository say what the settings say', () => {
  it('config.yaml', () => {
    expect(readFileSync(join(ROOT, 'config.yaml'), 'utf8')).toBe(renderConfigYaml())
  })

  it('.env.example', () => {
    expect(readFileSync(join(ROOT, '.env.example'), 'utf8')).toBe(renderDotenv())
  })

  it.runIf(existsSync(join(ROOT, 'README.md')))('the table of README.md', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    expect(withSettingsTable(readme)).toBe(readme)
  })
})

test('config.yaml loads, names every setting, and says the defaults', ({ directory }) => {
  const defaults = directory.load()
  directory.write('config.yaml', renderConfigYaml())
  expect(directory.load()).toEqual(defaults)
  expect(Object.keys(parse(renderConfigYaml()) as object)).toEqual(Object.keys(SettingsFile.properties))
})

test('.env.example without its comment signs loads, and says the defaults', ({ directory }) => {
  const defaults = directory.load()
  const lines = renderDotenv().replaceAll(/^# (?=[A-Z_]+=)/gm, '')
  directory.write('.env', lines.replace(/^AGENT_CONFIG_PATH=.*$/m, ''))
  expect(lines).toContain('\nLLM_TIMEOUT=300\n')
  expect(directory.load()).toEqual(defaults)
})

test('the examples in both load, and say the same', ({ directory }) => {
  directory.write('secrets/openai', 'sk-1')
  const example = /^ {2}# For example:\n(?<lines>(?: {2}# .*\n)+) {2}\w+: .*\n/gm
  const yaml = renderConfigYaml().replaceAll(example, (_, lines: string) => lines.replaceAll(/^ {2}# {3}/gm, '  '))
  directory.write('config.yaml', yaml)
  const { llm } = directory.load().settings
  expect(llm.endpoints.map(({ name, apiKey, order }) => [name, apiKey, order])).toEqual([
    ['local', '', 1],
    ['cloud', 'sk-1', 2],
  ])
  expect(llm.prices).toEqual({ 'gpt-4o': { input: 2.5, cachedInput: 1.25, output: 10 } })
  directory.write('config.yaml', '')
  directory.write('.env', renderDotenv().replaceAll(/^# For example: /gm, ''))
  expect(directory.load().settings.llm).toEqual(llm)
})

test('the files are written, a README only between its markers', ({ directory }) => {
  directory.write('README.md', 'before\n<!-- settings:begin -->\nformer text\n<!-- settings:end -->\nafter\n')
  writeDocs(directory.path)
  const readme = readFileSync(join(directory.path, 'README.md'), 'utf8')
  expect(readme).toMatch(/^before\n<!-- settings:begin -->\n\n### Model calls\n/)
  expect(readme).toMatch(/\n\n<!-- settings:end -->\nafter\n$/)
  expect(readme).not.toContain('former text')
  expect(readme).toMatch(/\| `STRUCTURED_LOGGING`, `ENABLE_STRUCTURED_LOGGING` +\|/)
  expect(readFileSync(join(directory.path, 'config.yaml'), 'utf8')).toBe(renderConfigYaml())
})

it('leaves a README without markers alone', () => {
  expect(withSettingsTable('# Title\n')).toBeUndefined()
})
