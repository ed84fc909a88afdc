import { expect } from 'vitest'
import { parse } from 'yaml'
import { printSettings } from '../../src/config/print.ts'
import { test, type SettingsDirectory } from './settings-directory.ts'

// The configuration blocks of the guide that the service follows, word for word.

const PRODUCTION_ENV = `# Production .env
OPENAI_API_BASE=http://localhost:8080/v1
LOG_LEVEL=INFO
STRUCTURED_LOGGING=true
ENABLE_METRICS=true
LLM_STREAM_RESPONSES=true
LLM_MAX_RETRIES=3
LLM_CIRCUIT_BREAKER_THRESHOLD=5
`

const PERFORMANCE_ENV = `# Tune based on your LLM server performance
LLM_TIMEOUT=300
LLM_MAX_RETRIES=3
LLM_CIRCUIT_BREAKER_THRESHOLD=5

# Adjust for your workload
MAX_CONCURRENT_AGENTS=5
TASK_TIMEOUT=600
`

const RETRY_ENV = `# Configuration
LLM_MAX_RETRIES=3
LLM_RETRY_INITIAL_DELAY=1.0  # seconds
LLM_RETRY_MAX_DELAY=60.0     # seconds
`

const BREAKER_ENV = `# Configuration
LLM_CIRCUIT_BREAKER_THRESHOLD=5       # Failures to trigger
LLM_CIRCUIT_BREAKER_TIMEOUT=60.0      # Recovery timeout
LLM_CIRCUIT_BREAKER_HALF_OPEN=3       # Success needed to close
`

const SENTRY_ENV = `# Optional: Sentry integration
SENTRY_DSN=https://your-sentry-dsn
`

const LLM_YAML = `llm_timeout: 300                      # API timeout (seconds)
llm_max_retries: 3                    # Retry attempts
llm_retry_initial_delay: 1.0          # Initial retry delay
llm_retry_max_delay: 60.0             # Maximum retry delay
llm_circuit_breaker_threshold: 5      # Failures before opening
llm_circuit_breaker_timeout: 60.0     # Recovery timeout
llm_stream_responses: true            # Enable streaming
`

const LOGGING_YAML = `log_level: "INFO"                     # DEBUG, INFO, WARNING, ERROR, CRITICAL
log_file: "logs/agent_system.log"    # Log file path
enable_structured_logging: true       # JSON-formatted logs
`

const ORCHESTRATION_YAML = `max_concurrent_agents: 5              # Concurrent agent limit
task_retry_attempts: 3                # Task-level retries
task_timeout: 600                     # Task timeout (seconds)
`

const LIMITS_YAML = `# config.yaml
max_concurrent_agents: 5     # Adjust based on CPU cores
task_timeout: 600           # Prevent runaway tasks
llm_timeout: 300            # Prevent hanging requests
`

const DOTENV_BLOCKS = { PRODUCTION_ENV, PERFORMANCE_ENV, RETRY_ENV, BREAKER_ENV }
const YAML_BLOCKS = { LLM_YAML, LOGGING_YAML, ORCHESTRATION_YAML, LIMITS_YAML }

// Values that no default can stand in for.
const OTHERS: Readonly<Record<string, string>> = {
  '300': '301',
  '600': '601',
  '60.0': '61.5',
  '1.0': '2.5',
  '5': '6',
  '3': '4',
}

function print(directory: SettingsDirectory): Record<string, unknown> {
  const { settings, warnings } = directory.load()
  expect(warnings).toEqual([])
  return parse(printSettings(settings)) as Record<string, unknown>
}

/** The same block with other numbers, true for false. */
function varied(block: string): string {
  return block.replaceAll(/(?<=[=:] *)(true|[\d.]+)(?=\s)/g, (value) => OTHERS[value] ?? 'false')
}

function expected(block: string): Record<string, unknown> {
  const asYaml = block.replaceAll(/^([A-Z_]+)=/gm, (_, name: string) => `${name.toLowerCase()}: `)
  const { structured_logging, ...rest } = parse(asYaml) as Record<string, unknown>
  return structured_logging === undefined ? rest : { ...rest, enable_structured_logging: structured_logging }
}

test.for(Object.entries(DOTENV_BLOCKS))('%s shows in the printed settings', ([, block], { directory }) => {
  for (const text of [block, varied(block)]) {
    directory.write('.env', text)
    expect(print(directory)).toMatchObject(expected(text))
  }
})

test.for(Object.entries(YAML_BLOCKS))('%s shows in the printed settings', ([, block], { directory }) => {
  for (const text of [block, varied(block)]) {
    directory.write('config.yaml', text)
    expect(print(directory)).toMatchObject(expected(text))
  }
})

test('all blocks at once, and the Sentry one masked once its placeholder is filled in', ({ directory }) => {
  const blocks = Object.values(DOTENV_BLOCKS).join('\n')
  directory.write('.env', blocks + SENTRY_ENV)
  expect(directory.load().warnings).toEqual([expect.stringContaining('placeholder of the guide')])
  directory.write('.env', blocks + SENTRY_ENV.replace('your-sentry-dsn', 'key@sentry.example/1'))
  directory.write('config.yaml', LLM_YAML + LOGGING_YAML + 'max_concurrent_agents: 5\n')
  expect(print(directory)).toMatchObject({ openai_api_base: 'http://localhost:8080/v1', sentry_dsn: '***' })
})

test('secrets and credentials are never printed', ({ directory }) => {
  directory.write('.env', 'DATABASE_URL=postgres://me:pa55word@db.example/x\nOPENAI_API_BASE=http://me:pa55word@h/v1\n')
  const printed = printSettings(directory.load({ OPENAI_API_KEY: 'sk-pa55word' }).settings)
  expect(printed).not.toContain('pa55word')
  expect(parse(printed)).toMatchObject({
    database_url: '***',
    openai_api_base: 'http://***@h/v1',
    openai_api_key: '***',
  })
})

test('what is printed names the variables, and loads again', ({ directory }) => {
  const { settings } = directory.load({ SENTRY_ENVIRONMENT: 'a: "b"\nc', OPENAI_API_KEY: '***' })
  const printed = printSettings(settings)
  expect(printed).toContain('llm_timeout: 300 # LLM_TIMEOUT\n')
  directory.write('config.yaml', printed)
  expect(directory.load().settings).toEqual(settings)
})
