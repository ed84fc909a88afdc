import { describe, expect } from 'vitest'
import { parse } from 'yaml'
import { printSettings } from '../../src/config/print.ts'
import { test } from './settings-directory.ts'

const TWO = [
  { name: 'local', base_url: 'http://127.0.0.1:8080/v1', models: ['qwen2.5:14b'], max_in_flight: 4 },
  { name: 'cloud', base_url: 'https://models.example/v1', api_key: 'sk-canary', models: ['gpt-4o', 'openai/o3'] },
]

const TWO_READ = [
  {
    name: 'local',
    baseUrl: 'http://127.0.0.1:8080/v1',
    apiKey: '',
    models: ['qwen2.5:14b'],
    order: 1,
    maxInFlight: 4,
  },
  {
    name: 'cloud',
    baseUrl: 'https://models.example/v1',
    apiKey: 'sk-canary',
    models: ['gpt-4o', 'openai/o3'],
    order: 2,
    maxInFlight: 0,
  },
]

const TWO_IN_YAML = `llm:
  endpoints:
    - name: local
      base_url: http://127.0.0.1:8080/v1
      models: [qwen2.5:14b]
      max_in_flight: '4'
    - name: cloud
      base_url: https://models.example/v1
      api_key: sk-canary
      models: gpt-4o, openai/o3
      order:
`

const one = (endpoint: object) => ({ LLM_ENDPOINTS: JSON.stringify([{ ...TWO[0], ...endpoint }]) })
const two = (second: object) => ({ LLM_ENDPOINTS: JSON.stringify([TWO[0], { ...TWO[1], ...second }]) })

test('there are none by default, no prices, and no other model', ({ directory }) => {
  const { settings } = directory.load()
  expect(settings.llm).toEqual({ endpoints: [], prices: {}, contextFallbackModel: '' })
  expect(settings.llmRetryBudgetPercent).toBe(20)
})

describe('endpoints', () => {
  test('come from YAML, from JSON, and from a file with JSON', ({ directory }) => {
    directory.write('config.yaml', TWO_IN_YAML)
    expect(directory.load().settings.llm.endpoints).toEqual(TWO_READ)
    directory.write('config.yaml', '')
    expect(directory.load({ LLM_ENDPOINTS: JSON.stringify(TWO, null, '\t') }).settings.llm.endpoints).toEqual(TWO_READ)
    directory.write('secrets/endpoints.json', `${JSON.stringify(TWO)}\n`)
    expect(directory.load({ LLM_ENDPOINTS_FILE: 'secrets/endpoints.json' }).settings.llm.endpoints).toEqual(TWO_READ)
    directory.write('config.yaml', 'llm: {endpoints_file: secrets/endpoints.json}\n')
    expect(directory.load().settings.llm.endpoints).toEqual(TWO_READ)
  })

  test('of the stronger source replace all of the weaker one', ({ directory }) => {
    directory.write('config.yaml', `${TWO_IN_YAML}  prices:\n    a: {input: 1, output: 2}\n`)
    const { llm } = directory.load({
      ...one({ name: 'other' }),
      LLM_PRICES: '{"b": {"input": 3, "output": 4}}',
    }).settings
    expect(llm.endpoints.map(({ name, apiKey }) => [name, apiKey])).toEqual([['other', '']])
    expect(Object.keys(llm.prices)).toEqual(['b'])
    expect(directory.load({ LLM_ENDPOINTS: '[]', LLM_PRICES: '{}' }).settings.llm).toMatchObject({
      endpoints: [],
      prices: {},
    })
    expect(directory.load({ LLM_ENDPOINTS: ' ', LLM_PRICES: '' }).settings.llm.endpoints).toEqual(TWO_READ)
  })

  test('of one order share it; without one it is the place in the list', ({ directory }) => {
    const orders = [{ order: 0 }, {}, { order: 0 }, {}]
    const list = orders.map((order, index) => Object.assign({ name: `e${index}`, base_url: 'http://h/v1' }, order))
    const { endpoints } = directory.load({ LLM_ENDPOINTS: JSON.stringify(list) }).settings.llm
    expect(endpoints.map(({ order }) => order)).toEqual([0, 2, 0, 4])
  })

  test('are frozen', ({ directory }) => {
    const { llm } = directory.load({ LLM_ENDPOINTS: JSON.stringify(TWO) }).settings
    expect([llm, llm.endpoints, llm.endpoints[0], llm.endpoints[0]?.models].every(Object.isFrozen)).toBe(true)
  })

  test('may be 50', ({ directory }) => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ name: `e${n}`, base_url: 'http://h/v1' }))
    expect(directory.load({ LLM_ENDPOINTS: JSON.stringify(many(50)) }).settings.llm.endpoints).toHaveLength(50)
    expect(directory.faults({ LLM_ENDPOINTS: JSON.stringify(many(51)) })).toEqual([
      'LLM_ENDPOINTS: must be a JSON list of at most 50',
    ])
  })

  test('in YAML may share by anchors', ({ directory }) => {
    directory.write(
      'config.yaml',
      'llm:\n  endpoints:\n    - {name: a, base_url: &u http://h/v1, models: &m [x]}\n    - {name: b, base_url: *u, models: *m}\n',
    )
    expect(directory.load().settings.llm.endpoints[1]).toMatchObject({ baseUrl: 'http://h/v1', models: ['x'] })
    for (const bad of ['&e [*e]', '[{name: &n a, base_url: *missing}]', '*missing', '[*missing]', '&e {a: *e}']) {
      directory.write('config.yaml', `llm:\n  endpoints: ${bad}\n`)
      expect(directory.faults()[0]).toMatch(/^config\.yaml:2: /)
    }
  })
})

describe('the key of an endpoint', () => {
  test('may come from a file, in every source', ({ directory }) => {
    directory.write('secrets/cloud', 'sk-from-file\n')
    directory.write('config.yaml', TWO_IN_YAML.replace('api_key: sk-canary', 'api_key_file: secrets/cloud'))
    const withFile = { ...TWO[1], api_key: undefined, api_key_file: 'secrets/cloud' }
    directory.write('endpoints.json', JSON.stringify([withFile]))
    for (const env of [{}, { LLM_ENDPOINTS: JSON.stringify([withFile]) }, { LLM_ENDPOINTS_FILE: 'endpoints.json' }]) {
      expect(directory.load(env).settings.llm.endpoints.at(-1)?.apiKey).toBe('sk-from-file')
    }
  })

  test('cannot stand beside its file, nor the file be missing, or empty without a word', ({ directory }) => {
    directory.write('empty', '\n')
    expect(directory.faults(two({ api_key_file: 'empty' }))).toEqual([
      'LLM_ENDPOINTS: endpoints[1].api_key_file is set besides endpoints[1].api_key; set one of them',
    ])
    directory.write('config.yaml', TWO_IN_YAML.replace('api_key: sk-canary', 'api_key_file: none'))
    expect(directory.faults()).toEqual([
      'config.yaml:9: llm.endpoints[1].api_key_file names a file that cannot be read (ENOENT)',
    ])
    directory.write('config.yaml', TWO_IN_YAML.replace('api_key: sk-canary', 'api_key_file: empty'))
    const { settings, warnings } = directory.load()
    expect(settings.llm.endpoints[1]?.apiKey).toBe('')
    expect(warnings).toEqual([
      'config.yaml:9: llm.endpoints[1].api_key_file names an empty file, which counts as unset',
    ])
  })

  test('is masked where the settings are printed, as is a password in the URL', ({ directory }) => {
    const { settings } = directory.load(two({ base_url: 'https://me:canary@models.example/v1' }))
    const printed = printSettings(settings)
    expect(printed).not.toContain('canary')
    expect(printed).toMatch(/^ {2}endpoints: .* # LLM_ENDPOINTS$/m)
    expect((parse(printed) as { llm: unknown }).llm).toMatchObject({
      endpoints: [{ api_key: '' }, { api_key: '***', base_url: 'https://***@models.example/v1' }],
    })
  })

  test('a list beside the file with the list is refused', ({ directory }) => {
    directory.write('endpoints.json', '[]')
    expect(directory.faults({ LLM_ENDPOINTS: '[]', LLM_ENDPOINTS_FILE: 'endpoints.json' })).toEqual([
      'LLM_ENDPOINTS_FILE: is set besides LLM_ENDPOINTS; set one of them',
    ])
    expect(directory.faults({ LLM_ENDPOINTS_FILE: 'none.json' })).toEqual([
      'LLM_ENDPOINTS_FILE: names a file that cannot be read (ENOENT)',
    ])
    directory.write('endpoints.json', '[{"name": "canary"')
    expect(directory.faults({ LLM_ENDPOINTS_FILE: 'endpoints.json' })).toEqual([
      'LLM_ENDPOINTS_FILE: must be a JSON list of at most 50',
    ])
  })
})

describe('prices', () => {
  test('are by model, whose name stays as it is', ({ directory }) => {
    const table = {
      'qwen2.5:14b': { input: 0, output: 0 },
      'openai/gpt-4o': { input: 2.5, cached_input: 1.25, output: '10' },
      my_own_model: { input: 1, cached_input: 0, output: 1e-3 },
      constructor: { input: 1, output: 1 },
    }
    const expected = {
      'qwen2.5:14b': { input: 0, cachedInput: 0, output: 0 },
      'openai/gpt-4o': { input: 2.5, cachedInput: 1.25, output: 10 },
      my_own_model: { input: 1, cachedInput: 0, output: 0.001 },
      constructor: { input: 1, cachedInput: 1, output: 1 },
    }
    expect(directory.load({ LLM_PRICES: JSON.stringify(table) }).settings.llm.prices).toEqual(expected)
    directory.write('config.yaml', JSON.stringify({ llm: { prices: table } }))
    const { prices } = directory.load().settings.llm
    expect(prices).toEqual(expected)
    expect(prices['toString']).toBeUndefined()
  })

  test.for(['', '__proto__', 'x'.repeat(301), 'two\nlines'])(
    'of a model called %j are refused',
    (name, { directory }) => {
      const text = `{${JSON.stringify(name)}: {"input": 1, "output": 1}}`
      expect(directory.faults({ LLM_PRICES: text })).toEqual([
        expect.stringMatching(/^LLM_PRICES: prices\.[^]*: a model has a name of 1 to 300 characters, without control/),
      ])
      expect({}).not.toHaveProperty('input')
    },
  )

  test('of models that nobody names are fine', ({ directory }) => {
    const env = { LLM_ENDPOINTS: JSON.stringify(TWO), LLM_PRICES: '{"nobody": {"input": 1, "output": 1}}' }
    expect(directory.load(env).settings.llm.prices['nobody']?.output).toBe(1)
  })
})

describe('models', () => {
  test('that no endpoint serves are refused, whoever names them', ({ directory }) => {
    directory.write('config.yaml', 'agents:\n  developer:\n    model: gpt-4\n')
    const env = { ...two({}), OPENAI_API_MODEL: 'devstral', LLM_CONTEXT_FALLBACK_MODEL: 'qwen2.5-14b' }
    expect(directory.faults(env)).toEqual([
      'config.yaml:3: agents.developer.model names gpt-4, which no endpoint serves; did you mean gpt-4o?',
      'LLM_CONTEXT_FALLBACK_MODEL: names qwen2.5-14b, which no endpoint serves; did you mean qwen2.5:14b?',
      'OPENAI_API_MODEL: names devstral, which no endpoint serves',
    ])
    const served = {
      OPENAI_API_MODEL: 'gpt-4o',
      LLM_CONTEXT_FALLBACK_MODEL: 'openai/o3',
      AGENTS_DEVELOPER_MODEL: 'gpt-4o',
    }
    expect(directory.faults({ ...env, ...served })).toEqual([])
  })

  test('may be any where one endpoint tells its models itself, or there is none', ({ directory }) => {
    const named = { OPENAI_API_MODEL: 'devstral', LLM_CONTEXT_FALLBACK_MODEL: 'x', AGENTS_DEVELOPER_MODEL: 'y' }
    expect(directory.faults({ ...two({ models: [] }), ...named })).toEqual([])
    expect(directory.faults(named)).toEqual([])
  })
})

describe('the server of openai_api_base', () => {
  test('has no effect beside endpoints, and one warning says so', ({ directory }) => {
    directory.write('config.yaml', 'openai_api_base: http://other.example/v1\nopenai_api_key: sk-canary\n')
    expect(directory.load(one({})).warnings).toEqual([
      'config.yaml:1: openai_api_base and config.yaml:2: openai_api_key have no effect: llm.endpoints names the model servers',
    ])
    expect(directory.load({ ...one({}), OPENAI_API_KEY: 'not-needed' }).warnings).toEqual([
      'config.yaml:1: openai_api_base has no effect: llm.endpoints names the model servers',
    ])
    expect(directory.load().warnings).toEqual([])
    expect(directory.load({ LLM_ENDPOINTS: '[]' }).warnings).toEqual([])
  })

  test('gives no warning where its default is only written out', ({ directory }) => {
    directory.write('config.yaml', 'openai_api_base: http://127.0.0.1:8080/v1\nopenai_api_key: not-needed\n')
    expect(directory.load({ ...one({}), OPENAI_API_MODEL: 'qwen2.5:14b' }).warnings).toEqual([])
  })
})
