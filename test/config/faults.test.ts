import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect } from 'vitest'
import { ConfigError, describeFaults } from '../../src/config/config-error.ts'
import { test } from './settings-directory.ts'

test('every mistake of every source is reported at once, each with its place', ({ directory }) => {
  directory.write(
    'config.yaml',
    [
      'llm_timeout: soon',
      'llm_timout: 5',
      'max_concurrent_agents: 0',
      'agents:',
      '  developer:',
      '    temperature: 3',
      '    languages: [rust]',
      '    tempreature: 1',
      'webhooks:',
      '  enable: true',
      'trust_proxy: [10.0.0.0/8, everywhere]',
      '',
    ].join('\n'),
  )
  directory.write('.env', 'TASK_TIMEOUT=-1\nHOST=0.0.0.0\n')
  const env = { LLM_MAX_RETRIES: '11', OPENAI_API_BASE: 'localhost:8080', LLM_RETRY_MAX_DELAY: '0.5', PORT: '3.5' }
  expect(directory.faults(env)).toEqual([
    '.env: HOST: is an address that other machines can reach, and no API keys protect it: set API_KEYS (npm run key -- NAME makes one), or AUTH=none to let everybody who can connect use the service, or HOST=127.0.0.1',
    '.env: TASK_TIMEOUT: must be a number > 0, seconds',
    'config.yaml:1: llm_timeout must be a number > 0, seconds',
    'config.yaml:2: unknown key llm_timout; did you mean llm_timeout?',
    'config.yaml:3: max_concurrent_agents must be a whole number ≥ 1',
    'config.yaml:6: agents.developer.temperature must be a number 0–2',
    'config.yaml:7: unknown key agents.developer.languages; did you mean agents.developer.config.languages?',
    'config.yaml:8: unknown key agents.developer.tempreature; did you mean agents.developer.temperature?',
    'config.yaml:10: unknown key webhooks.enable; did you mean webhooks.enabled?',
    'config.yaml:11: trust_proxy must be true or false, or a list',
    'LLM_MAX_RETRIES: must be a whole number 0–10',
    'LLM_RETRY_MAX_DELAY: must be at least llm_retry_initial_delay (1)',
    'OPENAI_API_BASE: must be an http or https URL',
    'PORT: must be a whole number 0–65535',
  ])
})

test('a mistake is reported also where a stronger source hides it', ({ directory }) => {
  directory.write('config.yaml', 'port: 99999\n')
  directory.write('.env', 'PORT=-1\n')
  expect(directory.faults({ PORT: '4000' })).toEqual([
    '.env: PORT: must be a whole number 0–65535',
    'config.yaml:1: port must be a whole number 0–65535',
  ])
})

test('they read as a heading and a line each', () => {
  const one = new ConfigError([{ place: 'PORT', detail: 'must be a whole number 0–65535' }])
  expect(describeFaults(one)).toBe('The configuration has a mistake:\n  PORT: must be a whole number 0–65535')
  expect(describeFaults(new ConfigError([...one.faults, ...one.faults]))).toMatch(
    /^The configuration has 2 mistakes:\n/,
  )
})

describe('values', () => {
  test.for([
    ['LLM_TIMEOUT', '0'],
    ['LLM_TIMEOUT', 'Infinity'],
    ['LLM_TIMEOUT', '0x10'],
    ['LLM_TIMEOUT', '5s'],
    ['LLM_MAX_RETRIES', '1.5'],
    ['MAX_SSE_CONNECTIONS', 'Infinity'],
    ['OPENAI_TEMPERATURE', '2.1'],
    ['LOG_LEVEL', 'LOUD'],
    ['LOG_CONTENT', 'maybe'],
    ['OPENAI_API_BASE', 'ftp://host/v1'],
    ['DATABASE_URL', 'mysql://host/db'],
    ['SENTRY_DSN', 'dsn'],
    ['SENTRY_DSN', 'https://sentry.example/1'],
    ['SENTRY_DSN', 'https://key@sentry.example'],
    ['SENTRY_DSN', 'https://key@sentry.example/project'],
    ['SENTRY_DSN', 'https://key@sent%72y.example/1'],
    ['SENTRY_DSN', 'ftp://key@sentry.example/1'],
    ['HOST', 'not a host'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['AGENTS_DEVELOPER_CONFIG', '[1]'],
    ['AGENTS_DEVELOPER_CONFIG', '{"__proto__": 1}'],
    ['AGENTS_DEVELOPER_CONFIG', '{"languages": 5}'],
    ['AGENTS_DEVELOPER_TASK_TYPES', '{"Port it": "x"}'],
    ['AGENTS_QA_ENGINEER_CONFIG_COVERAGE_THRESHOLD', '101'],
    ['WORKFLOW_TYPES_FILES', 'missing.yaml'],
    ['AGENTS_DEVELOPER_PROMPT_FILE', 'missing.md'],
  ] as const)('%s=%s is refused', ([name, value], { directory }) => {
    expect(directory.faults({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))])
  })

  test.for([
    'llm_timeout: true',
    'log_file: false',
    'llm_timeout: [5]',
    'llm_timeout: ""',
    'openai_api_model: {a: 1}',
    'agents: 5',
  ])('%s is refused in YAML', (content, { directory }) => {
    directory.write('config.yaml', `\n${content}\n`)
    expect(directory.faults()).toEqual([expect.stringMatching(/^config\.yaml:2: /)])
  })

  test('a time that a timer cannot wait for is refused', ({ directory }) => {
    expect(directory.faults({ TASK_TIMEOUT: '2147484' })).toEqual(['TASK_TIMEOUT: must be at most 2147483'])
  })

  test('the first wait may not exceed the longest one, whichever is set', ({ directory }) => {
    const expected = ['LLM_RETRY_INITIAL_DELAY: must be at most llm_retry_max_delay (60)']
    expect(directory.faults({ LLM_RETRY_INITIAL_DELAY: '90' })).toEqual(expected)
    expect(directory.faults({ LLM_RETRY_INITIAL_DELAY: '90', LLM_RETRY_MAX_DELAY: '90' })).toEqual([])
    expect(directory.faults({ LLM_RETRY_INITIAL_DELAY: 'x', LLM_RETRY_MAX_DELAY: '0.5' })).toHaveLength(1)
  })

  test('of two that do not fit together, the one from the stronger source is blamed', ({ directory }) => {
    directory.write('config.yaml', 'llm_retry_initial_delay: 1\nllm_retry_max_delay: 60\nhost: 0.0.0.0\nauth: none\n')
    expect(directory.faults({ LLM_RETRY_INITIAL_DELAY: '99' })).toEqual([
      'LLM_RETRY_INITIAL_DELAY: must be at most llm_retry_max_delay (60)',
    ])
    expect(directory.faults({ LLM_RETRY_MAX_DELAY: '0.5' })).toEqual([
      'LLM_RETRY_MAX_DELAY: must be at least llm_retry_initial_delay (1)',
    ])
    expect(directory.faults({ AUTH: 'keys' })).toEqual([expect.stringMatching(/^AUTH: asks for API keys/)])
    directory.write('.env', 'LLM_RETRY_MAX_DELAY=5\n')
    expect(directory.faults({ LLM_RETRY_INITIAL_DELAY: '9' })).toEqual([
      'LLM_RETRY_INITIAL_DELAY: must be at most llm_retry_max_delay (5)',
    ])
    directory.write('config.yaml', 'llm_retry_initial_delay: 9\nllm_retry_max_delay: 3\n')
    directory.write('.env', '')
    expect(directory.faults()).toEqual([
      'config.yaml:2: llm_retry_max_delay must be at least llm_retry_initial_delay (9)',
    ])
  })

  test.for([
    'https://key@sentry.example/1',
    'http://key:secret@127.0.0.1:9000/below/42',
    'https://key@[::1]:9000/1',
    'https://0a1b@o1.ingest.sentry.example/4500000',
  ])('SENTRY_DSN=%s is taken', (dsn, { directory }) => {
    expect(directory.load({ SENTRY_DSN: dsn }).settings.sentryDsn).toBe(dsn)
  })

  test.for(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s needs no word about keys', (host, { directory }) => {
    expect(directory.load({ HOST: host }).settings.host).toBe(host)
  })

  test.for(['0.0.0.0', '::', '10.0.0.1', 'agents.example'])('%s needs AUTH=none', (host, { directory }) => {
    expect(directory.faults({ HOST: host })).toHaveLength(1)
    expect(directory.load({ HOST: host, AUTH: 'none' }).settings.host).toBe(host)
  })
})

describe('YAML', () => {
  test.for([
    ['- a\n', 1],
    ['port: 1\nport: 2\n', 2],
    ['port: 1\nhost: *missing\n', 2],
    ['port: 1\nhost: x\n y: z\n', 2],
    ['port: 1\n---\nport: 2\n', 2],
    ['port: [1\n', 2],
  ] as const)('%j is refused with its line', ([content, line], { directory }) => {
    directory.write('config.yaml', content)
    expect(directory.faults()[0]).toMatch(new RegExp(`^config\\.yaml:${line}: `))
  })

  test('a broken file does not hide mistakes elsewhere', ({ directory }) => {
    directory.write('config.yaml', 'port: [1\n')
    expect(directory.faults({ PORT: 'x' }).at(-1)).toBe('PORT: must be a whole number 0–65535')
  })

  test('anchors work, a bomb of aliases is refused', ({ directory }) => {
    directory.write('config.yaml', 'agents:\n  developer: &d {model: x}\n  qa_engineer: *d\n')
    expect(directory.load().settings.agents.qa_engineer.model).toBe('x')
    directory.write('config.yaml', 'agents:\n  developer: &d {config: *d}\n')
    expect(directory.faults().length).toBeGreaterThan(0)
    const levels = Array.from(
      { length: 9 },
      (_, n) => `    l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(',')}]`,
    )
    directory.write(
      'config.yaml',
      ['agents:', '  developer:', '   config:', '    l0: &l0 [x]', ...levels, ''].join('\n'),
    )
    expect(directory.faults().length).toBeGreaterThan(0)
  })
})

test('no fault and no warning shows what was given', ({ directory }) => {
  const secret = 'sk-very-secret'
  directory.write('config.yaml', `openai_api_key: [${secret}]\ndatabase_url: ${secret}\nsentry_dsn: *${secret}\n`)
  const first = directory.faults({ SENTRY_DSN: secret, LLM_TIMEOUT: secret, LLM_TIMOUT: secret })
  directory.write('config.yaml', `openai_api_key: [${secret}]\ndatabase_url: ${secret}\n`)
  const second = directory.faults({ AGENTS_DEVELOPER_TASK_TYPES: `{"${secret}` })
  expect(first.length).toBeGreaterThan(2)
  expect(second).toHaveLength(3)
  expect([...first, ...second].join()).not.toContain(secret)
})

test('whatever a file holds, it loads or is refused with places', ({ directory }) => {
  assert(
    property(string({ unit: constantFrom(...'agents:\n {}[]*&-"|>#?x1,!%'.split('')), maxLength: 40 }), (text) => {
      directory.write('config.yaml', text)
      for (const fault of directory.faults()) expect(fault).toMatch(/^config\.yaml:\d+: /)
    }),
    { numRuns: 50 },
  )
})

test('two bad variables of one setting are both named', ({ directory }) => {
  expect(directory.faults({ STRUCTURED_LOGGING: 'x', ENABLE_STRUCTURED_LOGGING: 'y' })).toHaveLength(2)
})

describe('names that are not ours', () => {
  test('a misspelt variable gets one warning with the nearest name', ({ directory }) => {
    directory.write('.env', 'LLM_TIMOUT=5\nAGENTS_DEVELPER_MODEL=x\nTASK_TIMEOUTS=3\nUNRELATED=1\n')
    expect(directory.load({ OPENAI_MODEL: 'x', MAX_THROUGHPUT_OF_MODELS: '2' }).warnings).toEqual([
      '.env: AGENTS_DEVELPER_MODEL is no setting of this service; did you mean AGENTS_DEVELOPER_MODEL?',
      '.env: LLM_TIMOUT is no setting of this service; did you mean LLM_TIMEOUT?',
      '.env: TASK_TIMEOUTS is no setting of this service; did you mean TASK_TIMEOUT?',
      'OPENAI_MODEL is no setting of this service; did you mean OPENAI_API_MODEL?',
      'MAX_THROUGHPUT_OF_MODELS is no setting of this service',
    ])
  })

  test('standard variables of other programs are silent', ({ directory }) => {
    const env = {
      OPENAI_BASE_URL: 'x',
      OPENAI_ORG_ID: 'x',
      OTEL_SERVICE_NAME: 'x',
      PGHOST: 'x',
      PATH: 'x',
      SENTRY_ORG: 'x',
    }
    expect(directory.load(env).warnings).toEqual([])
  })

  test('a key that is like no setting gets no suggestion', ({ directory }) => {
    directory.write('config.yaml', 'hooks: 1\nagents:\n  developer:\n    colour: red\n    modle: x\n')
    expect(directory.faults()).toEqual([
      'config.yaml:1: unknown key hooks',
      'config.yaml:4: unknown key agents.developer.colour',
      'config.yaml:5: unknown key agents.developer.modle; did you mean agents.developer.model?',
    ])
  })

  test('what only the guide has is accepted, with a warning', ({ directory }) => {
    directory.write(
      'config.yaml',
      'workspace: .\nenable_message_bus: true\nenable_task_persistence: true\nkeycloak:\n  realm: x\n',
    )
    expect(directory.load({ METRICS_PORT: '9090', HEALTH_CHECK_PORT: '8081' }).warnings).toEqual([
      'config.yaml:1: workspace has no effect here',
      'config.yaml:2: enable_message_bus has no effect here',
      'config.yaml:3: enable_task_persistence has no effect here',
      'config.yaml:4: keycloak has no effect here',
      'METRICS_PORT has no effect here',
      'HEALTH_CHECK_PORT has no effect here',
    ])
  })
})
