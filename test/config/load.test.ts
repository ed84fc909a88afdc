import { describe, expect } from 'vitest'
import { test } from './settings-directory.ts'

describe('sources', () => {
  test('may hold variables of OpenTelemetry', ({ directory }) => {
    expect(directory.load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }).warnings).toEqual([])
  })

  test('the environment wins over .env, that over the file, that over the default', ({ directory }) => {
    expect(directory.load().settings.llmTimeout).toBe(300)
    directory.write('config.yaml', 'llm_timeout: 1\n')
    expect(directory.load().settings.llmTimeout).toBe(1)
    directory.write('.env', 'LLM_TIMEOUT=2 # seconds\n')
    expect(directory.load().settings.llmTimeout).toBe(2)
    expect(directory.load({ LLM_TIMEOUT: '3.5' }).settings.llmTimeout).toBe(3.5)
  })

  test('they mix setting by setting, down to the config of a role', ({ directory }) => {
    directory.write('config.yaml', 'agents:\n  developer:\n    model: small\n    config:\n      languages: [rust]\n')
    const { developer } = directory.load({ AGENTS_DEVELOPER_CONFIG_FRAMEWORKS: 'axum, tokio' }).settings.agents
    expect(developer).toEqual({
      enabled: true,
      model: 'small',
      config: { languages: ['rust'], frameworks: ['axum', 'tokio'], gitlab_integration: true },
      taskTypes: {},
    })
  })

  test.for(['', '# nothing\n', '---\n', 'agents:\n', 'agents:\n  developer:\n'])(
    'a file with %j is fine',
    (content, { directory }) => {
      const defaults = directory.load()
      directory.write('config.yaml', content)
      expect(directory.load()).toEqual(defaults)
    },
  )

  test('--config wins over AGENT_CONFIG_PATH, and both over ./config.yaml', ({ directory }) => {
    directory.write('config.yaml', 'port: 1\n')
    directory.write('etc/a.yaml', 'port: 2\n')
    directory.write('etc/b.yaml', 'port: 3\n')
    const env = { AGENT_CONFIG_PATH: 'etc/a.yaml' }
    expect(directory.load(env).settings.port).toBe(2)
    expect(directory.load(env, ['--check-config', '--config', 'etc/b.yaml']).settings.port).toBe(3)
    expect(directory.load(env, ['--config=etc/b.yaml']).settings.port).toBe(3)
  })

  test('a named file must be there', ({ directory }) => {
    expect(directory.faults({ AGENT_CONFIG_PATH: 'a.yaml' })).toEqual([
      'AGENT_CONFIG_PATH: a.yaml cannot be read (ENOENT)',
    ])
    expect(directory.faults({}, ['--config', 'b.yaml'])).toEqual(['--config: b.yaml cannot be read (ENOENT)'])
    expect(directory.faults({}, ['--config'])).toEqual(['--config: needs the path of a YAML file'])
  })

  test('an empty value in .env followed by blanks does not swallow the next line', ({ directory }) => {
    directory.write(
      '.env',
      'OPENAI_API_MODEL= \t\nLLM_TIMEOUT=7\r\nOUTPUT_DIRECTORY= # off\r\nPORT=  \r\nTASK_TIMEOUT=8\r\n',
    )
    const { settings } = directory.load()
    expect(settings).toMatchObject({
      openaiApiModel: '',
      llmTimeout: 7,
      outputDirectory: '',
      port: 3000,
      taskTimeout: 8,
    })
  })

  test('the settings are frozen all the way down', ({ directory }) => {
    const { settings } = directory.load()
    expect(Object.isFrozen(settings)).toBe(true)
    expect(Object.isFrozen(settings.agents.developer.config['languages'])).toBe(true)
  })
})

describe('forms of a value', () => {
  test.for([
    ['true', true],
    ['True', true],
    ['1', true],
    ['YES', true],
    ['on', true],
    ['false', false],
    ['FALSE', false],
    ['0', false],
    ['no', false],
    ['Off', false],
  ] as const)('%s is %s', ([word, value], { directory }) => {
    expect(directory.load({ LOG_CONTENT: word }).settings.logContent).toBe(value)
    directory.write('config.yaml', `log_content: ${word}\n`)
    expect(directory.load().settings.logContent).toBe(value)
  })

  test.for([
    ['debug', 'DEBUG'],
    ['Trace', 'DEBUG'],
    ['info', 'INFO'],
    ['warn', 'WARNING'],
    ['warning', 'WARNING'],
    ['ERROR', 'ERROR'],
    ['fatal', 'CRITICAL'],
    ['Critical', 'CRITICAL'],
  ] as const)('log level %s is %s', ([word, level], { directory }) => {
    expect(directory.load({ LOG_LEVEL: word }).settings.logLevel).toBe(level)
  })

  test('an empty variable counts as unset', ({ directory }) => {
    directory.write('config.yaml', 'port: 4000\nopenai_api_model: small\n')
    const { settings } = directory.load({ PORT: '', OPENAI_API_MODEL: ' ', OPENAI_API_KEY_FILE: '', AUTH: '' })
    expect(settings).toMatchObject({ port: 4000, openaiApiModel: 'small', openaiApiKey: 'not-needed' })
  })

  test('an empty LOG_FILE or METRICS_SNAPSHOT_FILE is off', ({ directory }) => {
    directory.write('config.yaml', 'log_file: a.log\nmetrics_snapshot_file:\n')
    expect(directory.load().settings).toMatchObject({ logFile: 'a.log', metricsSnapshotFile: '' })
    expect(directory.load({ LOG_FILE: '' }).settings.logFile).toBe('')
  })

  test('lists are comma-separated and tables are JSON', ({ directory }) => {
    const { settings } = directory.load({
      TRUST_PROXY: '10.0.0.0/8, loopback',
      AGENTS_DEVELOPER_CONFIG: '{"languages": ["go"], "team": "core"}',
      AGENTS_DEVELOPER_TASK_TYPES: '{"port_code": "Port it."}',
    })
    expect(settings.trustProxy).toEqual(['10.0.0.0/8', 'loopback'])
    expect(settings.agents.developer.config).toMatchObject({
      languages: ['go'],
      team: 'core',
      gitlab_integration: true,
    })
    expect(settings.agents.developer.taskTypes).toEqual({ port_code: 'Port it.' })
  })

  test('a text in YAML is taken as it is written, also where it looks like a number', ({ directory }) => {
    directory.write('config.yaml', 'sentry_release: 1.10\nopenai_api_key: 0123\n')
    expect(directory.load().settings).toMatchObject({ sentryRelease: '1.10', openaiApiKey: '0123' })
  })

  test('either name of structured logging will do', ({ directory }) => {
    expect(directory.load({ STRUCTURED_LOGGING: 'no' }).settings.enableStructuredLogging).toBe(false)
    expect(directory.load({ ENABLE_STRUCTURED_LOGGING: 'no' }).settings.enableStructuredLogging).toBe(false)
    const both = { STRUCTURED_LOGGING: 'false', ENABLE_STRUCTURED_LOGGING: '0' }
    expect(directory.load(both).settings.enableStructuredLogging).toBe(false)
    expect(directory.faults({ ...both, STRUCTURED_LOGGING: 'true' })).toEqual([
      'ENABLE_STRUCTURED_LOGGING: says something else than STRUCTURED_LOGGING; set one of them',
    ])
  })
})

describe('secrets in files', () => {
  test('come without the line break, from any source', ({ directory }) => {
    directory.write('secrets/key', 'sk-from-file\n')
    expect(directory.load({ OPENAI_API_KEY_FILE: 'secrets/key' }).settings.openaiApiKey).toBe('sk-from-file')
    directory.write('config.yaml', 'openai_api_key_file: secrets/key\n')
    expect(directory.load().settings.openaiApiKey).toBe('sk-from-file')
    expect(directory.load({ OPENAI_API_KEY: 'sk-other' }).settings.openaiApiKey).toBe('sk-other')
  })

  test('cannot stand beside the secret itself, be missing, or be empty without a word', ({ directory }) => {
    directory.write('empty', '\n')
    expect(
      directory.faults({ SENTRY_DSN: 'https://key@a.example/1', SENTRY_DSN_FILE: 'empty', DATABASE_URL_FILE: 'none' }),
    ).toEqual([
      'DATABASE_URL_FILE: names a file that cannot be read (ENOENT)',
      'SENTRY_DSN_FILE: is set besides SENTRY_DSN; set one of them',
    ])
    expect(directory.load({ OPENAI_API_KEY_FILE: 'empty' }).warnings).toEqual([
      'OPENAI_API_KEY_FILE: names an empty file, which counts as unset',
    ])
  })
})

describe('roles', () => {
  test('of the operator come from YAML or variables, with a prompt file', ({ directory }) => {
    directory.write('prompts/security.md', '# Security')
    directory.write(
      'config.yaml',
      'agents:\n  security:\n    prompt_file: prompts/security.md\n    config: {depth: 3}\n',
    )
    const { agents } = directory.load({
      AGENTS_SECURITY_MODEL: 'large',
      AGENTS_DATA_ENGINEER_PROMPT_FILE: 'prompts/security.md',
      AGENTS_DATA_ENGINEER_CONFIG_TOOL: 'dbt',
    }).settings
    expect(agents['security']).toEqual({
      enabled: true,
      model: 'large',
      promptFile: 'prompts/security.md',
      config: { depth: 3 },
      taskTypes: {},
    })
    expect(agents['data_engineer']?.config).toEqual({ tool: 'dbt' })
    expect(Object.keys(agents)).toHaveLength(7)
    expect(agents['constructor']).toBeUndefined()
  })

  test('without a prompt file, or under an illegal name, are refused', ({ directory }) => {
    directory.write(
      'config.yaml',
      'agents:\n  develper:\n    model: x\n  Tester: {}\n  auditor: {}\n  __proto__: {a: 1}\n',
    )
    expect(directory.faults()).toEqual([
      'config.yaml:2: agents.develper is not built in; did you mean developer? A role of your own needs prompt_file',
      'config.yaml:4: agents.Tester: a role is named with lower-case letters, digits and _',
      'config.yaml:5: agents.auditor is not built in. A role of your own needs prompt_file',
      'config.yaml:6: agents.__proto__: a role is named with lower-case letters, digits and _',
    ])
    expect({}).not.toHaveProperty('a')
  })
})
