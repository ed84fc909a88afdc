import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parse } from 'yaml'
import type { Environment } from '../support/service-process.ts'
import { readToEnd } from './event-connection.ts'
import { createEventJournal } from './event-journal.ts'
import { customStep, getJson, postWorkflow, test } from './smoke-test.ts'
import type { ReadyService, SeenWorkflow, Site } from './smoke-test.ts'

// The configuration blocks of the guide that the service follows, word for word.

const productionEnv = `# Production .env
OPENAI_API_BASE=http://localhost:8080/v1
LOG_LEVEL=INFO
STRUCTURED_LOGGING=true
ENABLE_METRICS=true
LLM_STREAM_RESPONSES=true
LLM_MAX_RETRIES=3
LLM_CIRCUIT_BREAKER_THRESHOLD=5
`

const tuningEnv = `# Tune based on your LLM server performance
LLM_TIMEOUT=300
LLM_MAX_RETRIES=3
LLM_CIRCUIT_BREAKER_THRESHOLD=5

# Adjust for your workload
MAX_CONCURRENT_AGENTS=5
TASK_TIMEOUT=600
`

const availableSettingsYaml = `llm_timeout: 300                      # API timeout (seconds)
llm_max_retries: 3                    # Retry attempts
llm_retry_initial_delay: 1.0          # Initial retry delay
llm_retry_max_delay: 60.0             # Maximum retry delay
llm_circuit_breaker_threshold: 5      # Failures before opening
llm_circuit_breaker_timeout: 60.0     # Recovery timeout
llm_stream_responses: true            # Enable streaming
log_level: "INFO"                     # DEBUG, INFO, WARNING, ERROR, CRITICAL
log_file: "logs/agent_system.log"    # Log file path
enable_structured_logging: true       # JSON-formatted logs
max_concurrent_agents: 5              # Concurrent agent limit
task_retry_attempts: 3                # Task-level retries
task_timeout: 600                     # Task timeout (seconds)
`

const limitsYaml = `# config.yaml
max_concurrent_agents: 5     # Adjust based on CPU cores
task_timeout: 600           # Prevent runaway tasks
llm_timeout: 300            # Prevent hanging requests
`

/** Nothing from the environment: only files. */
const filesOnly: Environment = { OPENAI_API_BASE: null, LOG_FILE: null }

interface Run {
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Environment
  readonly args?: readonly string[]
}

/** Runs a process in a directory of its own below the site's, to its end. */
async function runToEnd(site: Site, name: string, { files = {}, env = {}, args = [] }: Run) {
  const directory = join(site.directory, name)
  await mkdir(directory)
  for (const [file, content] of Object.entries(files)) await writeFile(join(directory, file), content)
  const service = site.spawn({ directory, env, args })
  const { code } = await service.ended
  return { code, stdout: service.stdout(), stderr: service.stderr() }
}

/** Its port and its data directory are taken: others are told so. */
async function expectNoSecond(site: Site, { url, pid }: ReadyService): Promise<void> {
  const { port } = new URL(url)
  const [noPort, noData] = await Promise.all([
    runToEnd(site, 'port', { env: { PORT: port } }),
    runToEnd(site, 'directory', { env: { DATA_DIRECTORY: join(site.directory, 'data') } }),
  ])
  expect([noPort.code, noData.code]).toEqual([1, 1])
  expect(noPort.stdout).toMatch(new RegExp(`cannot start: .*EADDRINUSE.*${port}`))
  expect(noData.stdout).toMatch(new RegExp(`cannot start: .*data directory .*process ${pid} `))
  expect(await fetch(`${url}/readyz`)).toMatchObject({ status: 200 })
}

describe('configuration', { timeout: 60_000 }, () => {
  test("of the guide's own blocks says what it means, and starts the service, once", async ({ site }) => {
    const [blocks, tuned] = await Promise.all([
      runToEnd(site, 'blocks', {
        files: { '.env': productionEnv, 'config.yaml': availableSettingsYaml },
        env: filesOnly,
        args: ['--print-config'],
      }),
      runToEnd(site, 'tuned', {
        files: { '.env': tuningEnv.replace('TASK_TIMEOUT=600', 'TASK_TIMEOUT=601'), 'limits.yaml': limitsYaml },
        env: { ...filesOnly, LLM_TIMEOUT: '299' },
        args: ['--config', 'limits.yaml', '--print-config'],
      }),
    ])
    expect(blocks).toMatchObject({ code: 0, stderr: '' })
    expect(parse(blocks.stdout)).toMatchObject({
      ...(parse(availableSettingsYaml) as object),
      openai_api_base: 'http://localhost:8080/v1',
      enable_metrics: true,
    })
    expect(tuned.code).toBe(0)
    expect(parse(tuned.stdout)).toMatchObject({ llm_timeout: 299, task_timeout: 601, max_concurrent_agents: 5 })

    await writeFile(join(site.directory, '.env'), productionEnv)
    await writeFile(join(site.directory, 'config.yaml'), availableSettingsYaml)
    const service = await site.start(filesOnly)
    await expectNoSecond(site, service)
    service.signal('SIGTERM')
    expect((await service.ended).code).toBe(0)
    expect(await readFile(join(site.directory, 'logs/agent_system.log'), 'utf8')).toBe(service.stdout())
  })

  test('is checked as a whole, with every mistake at once', async ({ site }) => {
    const broken = { '.env': 'LLM_TIMEOUT=soon\n', 'config.yaml': 'task_timeout: -1\nmax_concurent_agents: 5\n' }
    const open = { HOST: '0.0.0.0' }
    const [good, bad] = await Promise.all([
      runToEnd(site, 'good', { env: { ...open, AUTH: 'none' }, args: ['--check-config'] }),
      runToEnd(site, 'bad', { files: broken, env: { ...open, PORT: '70000' }, args: ['--check-config'] }),
    ])
    expect(good).toEqual({ code: 0, stdout: 'The configuration is good.\n', stderr: '' })
    expect(bad).toMatchObject({ code: 78, stdout: '' })
    for (const part of ['5 mistakes', '.env: LLM_TIMEOUT', 'config.yaml:1', 'max_concurrent_agents', 'HOST', 'PORT']) {
      expect(bad.stderr).toContain(part)
    }
  })

  test('refuses what it cannot go by', async ({ site }) => {
    const [flag, host] = await Promise.all([
      runToEnd(site, 'flag', { args: ['--verbose'] }),
      runToEnd(site, 'host', { env: { HOST: '0.0.0.0' } }),
    ])
    expect(flag).toMatchObject({ code: 64, stdout: '' })
    expect(flag.stderr).toMatch(/--verbose[^]*Usage: /)
    expect(host).toMatchObject({ code: 78, stdout: '' })
    expect(host.stderr).toMatch(/HOST[^]*AUTH=none/)

    const roles = 'agents:\n  developer:\n    prompt_file: developer.md\n'
    const [missing, empty] = await Promise.all([
      runToEnd(site, 'missing', { files: { 'config.yaml': roles } }),
      runToEnd(site, 'empty', { files: { 'config.yaml': roles, 'developer.md': '' } }),
    ])
    expect([missing.code, empty.code]).toEqual([78, 78])
    expect(missing.stderr).toMatch(/prompt_file[^]*developer\.md/)
    expect(empty.stderr).toMatch(/developer/)
    expect(missing.stderr + empty.stderr).not.toMatch(/\n {4}at /)
  })
})

describe('a start', { timeout: 60_000 }, () => {
  test('without a model server is a start; a workflow tries, and fails with a reason', async ({ site, model }) => {
    await model.close()
    const service = await site.start({
      LLM_MAX_RETRIES: '2',
      LLM_RETRY_INITIAL_DELAY: '0.05',
      LLM_RETRY_MAX_DELAY: '0.1',
    })
    const warning = await service.logged(/model server/i)
    expect(['WARNING', 'ERROR']).toContain(warning.level)
    const health = await fetch(`${service.url}/health`)
    expect(health.status).toBe(200)
    expect(await health.json()).toMatchObject({ status: 'degraded', checks: { llm: { status: 'degraded' } } })

    const body = { type: 'custom', requirement: 'Nobody is there.', steps: [customStep('one')] }
    const { id } = await postWorkflow(service.url, body)
    const journal = createEventJournal()
    await readToEnd(() => `${service.url}/workflows/${id}/events`, journal)
    expect(journal.faults()).toEqual([])
    expect(journal.lifecycle().filter(({ type }) => type === 'step.retrying')).toHaveLength(2)
    const workflow = await getJson<SeenWorkflow>(`${service.url}/workflows/${id}`)
    expect(workflow).toMatchObject({ status: 'failed', error: { code: 'llm_unreachable', attempts: 3 } })
  })
})
