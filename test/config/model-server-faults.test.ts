import {
  anything,
  array,
  assert,
  constantFrom,
  dictionary,
  double,
  json,
  nat,
  property,
  record,
  string,
  uniqueArray,
  webUrl,
} from 'fast-check'
import { describe, expect } from 'vitest'
import { settingsToFile } from '../../src/config/casing.ts'
import { printSettings } from '../../src/config/print.ts'
import type { Settings } from '../../src/config/settings.ts'
import { test } from './settings-directory.ts'

test('every mistake of every endpoint and price is named, with the line of its key', ({ directory }) => {
  const content = `llm_endpoints: 5
llm:
  timeout: 5
  endpoints:
    - name: Local
      base-url: http://127.0.0.1:8080/v1
      models: [gpt-4o, gpt-4o]
      order: first
    - name:
      base_url: ftp://models.example/v1
      max_in_flight: -1
    - 5
    - {base_url: [1], name: true, order: 1.5}
  prices:
    qwen2.5:14b: {input: -1, outptu: 2.5}
    a/b~c:
      input: a
      output: -2
    empty:
`
  directory.write('config.yaml', content)
  expect(directory.faults()).toEqual([
    'config.yaml:1: unknown key llm_endpoints; did you mean llm.endpoints?',
    'config.yaml:3: unknown key llm.timeout; did you mean llm_timeout?',
    'config.yaml:5: llm.endpoints[0] needs base_url',
    'config.yaml:5: llm.endpoints[0].name must be a name of at most 63 of a–z, 0–9, ., _ and -, a letter or digit first',
    'config.yaml:6: unknown key llm.endpoints[0].base-url; did you mean llm.endpoints[0].base_url?',
    'config.yaml:7: llm.endpoints[0].models must be a list of different names',
    'config.yaml:8: llm.endpoints[0].order must be a whole number ≥ 0',
    'config.yaml:9: llm.endpoints[1] needs name',
    'config.yaml:10: llm.endpoints[1].base_url must be an http or https URL',
    'config.yaml:11: llm.endpoints[1].max_in_flight must be a whole number ≥ 0',
    'config.yaml:12: llm.endpoints[2] must be a table',
    'config.yaml:13: llm.endpoints[3].base_url must be an http or https URL',
    'config.yaml:13: llm.endpoints[3].name must be a name of at most 63 of a–z, 0–9, ., _ and -, a letter or digit first',
    'config.yaml:13: llm.endpoints[3].order must be a whole number ≥ 0',
    'config.yaml:15: unknown key llm.prices.qwen2.5:14b.outptu; did you mean llm.prices.qwen2.5:14b.output?',
    'config.yaml:15: llm.prices.qwen2.5:14b needs output',
    'config.yaml:15: llm.prices.qwen2.5:14b.input must be a number ≥ 0, USD per million tokens',
    'config.yaml:17: llm.prices.a/b~c.input must be a number ≥ 0, USD per million tokens',
    'config.yaml:18: llm.prices.a/b~c.output must be a number ≥ 0, USD per million tokens',
    'config.yaml:19: llm.prices.empty needs input',
    'config.yaml:19: llm.prices.empty needs output',
  ])
})

describe('in JSON', () => {
  test('a mistake has the variable and the place inside it', ({ directory }) => {
    const endpoints = [
      { name: 'a', bas_url: 1 },
      4,
      null,
      [],
      { name: 'b', base_url: 'https://h/v1', models: [''], api_key: 5 },
    ]
    directory.write('.env', 'LLM_PRICES={"a/b": {"input": -1, "output": "x"}}\n')
    expect(directory.faults({ LLM_ENDPOINTS: JSON.stringify(endpoints) }).toSorted()).toEqual([
      '.env: LLM_PRICES: prices.a/b.input must be a number ≥ 0, USD per million tokens',
      '.env: LLM_PRICES: prices.a/b.output must be a number ≥ 0, USD per million tokens',
      'LLM_ENDPOINTS: endpoints[0] needs base_url',
      'LLM_ENDPOINTS: endpoints[1] must be a table',
      'LLM_ENDPOINTS: endpoints[2] needs base_url',
      'LLM_ENDPOINTS: endpoints[2] needs name',
      'LLM_ENDPOINTS: endpoints[3] must be a table',
      'LLM_ENDPOINTS: endpoints[4].api_key must be text',
      'LLM_ENDPOINTS: endpoints[4].models must be a list of different names',
      'LLM_ENDPOINTS: unknown key endpoints[0].bas_url; did you mean endpoints[0].base_url?',
    ])
  })

  test.for([
    'canary',
    '[{"api_key": "canary"',
    '{"name": "canary"}',
    '"canary"',
    '[[',
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  ])('text %# that is no list is refused without its value', (text, { directory }) => {
    const [fault = '', ...others] = directory.faults({ LLM_ENDPOINTS: text })
    expect(fault).toMatch(/^LLM_ENDPOINTS: .*must be a/)
    expect(fault).not.toContain('canary')
    expect(others).toEqual([])
  })
})

test('two endpoints of one name are refused at the second', ({ directory }) => {
  const list = ['a', 'b', 'a', 'a'].map((name) => ({ name, base_url: 'http://h/v1' }))
  expect(directory.faults({ LLM_ENDPOINTS: JSON.stringify(list) })).toEqual([
    'LLM_ENDPOINTS: endpoints[2].name is the name of endpoints[0] too',
    'LLM_ENDPOINTS: endpoints[3].name is the name of endpoints[0] too',
  ])
  directory.write(
    'config.yaml',
    'llm:\n  endpoints:\n    - {name: a, base_url: http://h/v1}\n    - base_url: http://h/v1\n      name: a\n',
  )
  expect(directory.faults()).toEqual(['config.yaml:5: llm.endpoints[1].name is the name of endpoints[0] too'])
})

test.for(['-1', '101', 'x'])('a retry budget of %s is refused', (percent, { directory }) => {
  expect(directory.faults({ LLM_RETRY_BUDGET_PERCENT: percent })).toEqual([
    'LLM_RETRY_BUDGET_PERCENT: must be a number 0–100, percent',
  ])
})

/** Printed keys are masked, so they come back otherwise. */
function keyless({ llm, ...settings }: Settings): unknown {
  const endpoints = llm.endpoints.map((endpoint) => Object.assign({}, endpoint, { apiKey: '' }))
  return { ...settings, openaiApiKey: '', llm: { ...llm, endpoints } }
}

describe('whatever they are', () => {
  const KEYS = ['name', 'base_url', 'api_key', 'api_key_file', 'models', 'order', 'max_in_flight', 'input', 'other']
  const NAME = string({ unit: constantFrom('a', 'z', '0', '9', '.', '_', '-'), minLength: 0, maxLength: 20 }).map(
    (rest) => `e${rest}`,
  )
  const MODEL = string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .map((text) => text.replace(/\p{Cc}/gu, '-').trim())
    .filter((text) => text !== '' && text !== '__proto__' && !text.includes(','))
  const endpoint = record(
    {
      name: NAME,
      base_url: webUrl(),
      api_key: string({ maxLength: 10 }).map((text) => text.trim()),
      models: uniqueArray(MODEL, { maxLength: 4 }),
      order: nat(9),
      max_in_flight: nat(9),
    },
    { requiredKeys: ['name', 'base_url'] },
  )
  const amount = double({ min: 0, max: 1e6, noNaN: true })
  const price = record({ input: amount, cached_input: amount, output: amount }, { requiredKeys: ['input', 'output'] })

  test('valid ones are read alike from YAML, JSON and what is printed of them, and say what they said', ({
    directory,
  }) => {
    const llm = record({
      endpoints: array(endpoint, { maxLength: 4 }).map((list) =>
        list.map((each, n) => ({ ...each, name: `${each.name}${n}` })),
      ),
      prices: dictionary(MODEL, price, { maxKeys: 4, noNullPrototype: true }),
    })
    assert(
      property(llm, (written) => {
        directory.write('config.yaml', JSON.stringify({ llm: written }))
        const fromYaml = directory.load().settings
        directory.write('config.yaml', '')
        const env = { LLM_ENDPOINTS: JSON.stringify(written.endpoints), LLM_PRICES: JSON.stringify(written.prices) }
        const fromJson = directory.load(env).settings
        expect(fromJson).toEqual(fromYaml)
        expect(settingsToFile(fromJson)['llm']).toMatchObject(written)
        directory.write('config.yaml', printSettings(fromJson))
        expect(keyless(directory.load().settings)).toEqual(keyless(fromJson))
      }),
      { numRuns: 60 },
    )
  })

  test('broken ones are refused with places, and no value is shown', ({ directory }) => {
    const value = anything({
      withNullPrototype: false,
      maxDepth: 2,
      values: [constantFrom('canary', 1, true, null)],
      key: constantFrom(...KEYS),
    })
    const text = array(dictionary(constantFrom(...KEYS), value), { maxLength: 3 }).map((list) => JSON.stringify(list))
    assert(
      property(text, (endpoints) => {
        const prices = endpoints.replace(/^\[|\]$/g, '')
        directory.write('config.yaml', `llm:\n  endpoints: ${endpoints}\n`)
        for (const fault of directory.faults({ LLM_ENDPOINTS: endpoints, LLM_PRICES: prices })) {
          expect(fault).toMatch(/^(LLM_ENDPOINTS|LLM_PRICES|config\.yaml:2): /)
          expect(fault).not.toContain('canary')
        }
      }),
      { numRuns: 100 },
    )
  })

  test('any JSON at all is taken or refused', ({ directory }) => {
    assert(
      property(json(), (text) => {
        for (const fault of directory.faults({ LLM_ENDPOINTS: text, LLM_PRICES: text })) expect(fault).toMatch(/^LLM_/)
      }),
      { numRuns: 60 },
    )
  })
})
