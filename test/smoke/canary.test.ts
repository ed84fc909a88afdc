import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startFakeCollector } from '../support/fake-collector.ts'
import type { FakeCollector } from '../support/fake-collector.ts'
import { startFakeSentry } from '../support/fake-sentry.ts'
import type { Behaviour, SeenCall } from '../support/fault-answers.ts'
import type { Environment } from '../support/service-process.ts'
import { customStep, test as smokeTest } from './smoke-test.ts'
import type { SeenWorkflow } from './smoke-test.ts'

/** Every secret that a process can be given. One more is one more line, and the variable that carries it. */
const secrets = {
  modelKey: 'CANARYmodelkey01',
  endpointKey: 'CANARYendpointkey02',
  endpointPassword: 'CANARYendpointpassword03',
  sentryKey: 'CANARYsentrykey04',
  databasePassword: 'CANARYdatabasepassword05',
  otelHeader: 'CANARYotelheader06',
  apiKey: 'CANARYapikey07',
  wrongKey: 'CANARYwrongkey10',
  clientQuery: 'CANARYclientquery08',
  clientCookie: 'CANARYclientcookie09',
  // base64, of which Standard Webhooks wants 24 bytes at least
  webhookSecret: 'CANARYwebhooksecret11AAAAAAAAAAA',
  requestSecret: 'CANARYrequestsecret12AAAAAAAAAAA',
} as const

/** What people and models write: it is for clients and model servers, and for nobody else. */
const words = {
  requirement: 'WORDrequirement of a client',
  context: 'WORDcontext of a client',
  file: 'WORDfile of a client',
  task: 'WORDtask of a client',
  answer: 'WORDanswer of a model',
  artifact: 'WORDartifact of a model',
  badBody: 'WORDbadbody',
} as const

type Sentry = Awaited<ReturnType<typeof startFakeSentry>>

const test = smokeTest.extend<{ collector: FakeCollector; sentry: Sentry }>({
  collector: async ({}, use) => {
    const collector = await startFakeCollector()
    await use(collector)
    await collector.close()
  },
  sentry: async ({}, use) => {
    const sentry = await startFakeSentry()
    await use(sentry)
    await sentry.close()
  },
})

const refusal = `data: ${JSON.stringify({ choices: [{ delta: { refusal: words.answer }, finish_reason: 'stop' }] })}

data: [DONE]

`

/** How each step is answered: by the name in its task. */
const answers: Readonly<Record<string, (call: SeenCall) => Behaviour>> = {
  good: () => `${words.answer}\n\n\`\`\`txt:notes/a.txt\n${words.artifact}\n\`\`\`\n`,
  unauthorized: (call) => ({
    status: 401,
    body: { error: { message: `Incorrect API key provided: ${call.headers.authorization}`, code: 'invalid_api_key' } },
  }),
  echo: (call) => ({ status: 400, body: { error: { message: `Invalid prompt: ${call.user}`, param: call.user } } }),
  broken: (call) => ({ status: 500, headers: { 'x-echo': 'x' }, body: `<html>${call.user}${call.system}</html>` }),
  html: (call) => ({ status: 200, headers: { 'content-type': 'text/html' }, body: `<html>${call.user}</html>` }),
  malformed: (call) => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: `data: {"choices":[{"delta":{"content":"${words.answer}"}}]}\n\ndata: {"choices": ${call.user.slice(0, 50)}\n\n`,
  }),
  quoting: () => ({ status: 400, body: { error: { message: `I do not like "${words.requirement}".` } } }),
  inner: (call) => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: `data: {"error":{"message":${JSON.stringify(call.user)},"code":500}}\n\n`,
  }),
  cut: () => ({ text: words.answer, ending: 'cut' }),
  refused: () => ({ status: 200, body: refusal, headers: { 'content-type': 'text/event-stream' } }),
  filtered: () => ({ text: words.answer, finishReason: 'content_filter' }),
  endless: () => ({ text: words.answer, finishReason: 'length' }),
  defect: () => `<defect> ${words.answer}`,
}

function answerStep(call: SeenCall): Behaviour {
  const name = /Do what <(\w+)> stands for/.exec(call.user)?.[1] ?? ''
  return answers[name]?.(call) ?? 'ok'
}

interface Asked {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks as a client would who sends secrets of his own, and keeps every answer, headers too. */
function createClient(url: string) {
  const seen: string[] = []
  const ask = async (path: string, init: Asked = {}): Promise<string> => {
    const headers = {
      authorization: `Bearer ${secrets.apiKey}`,
      cookie: `session=${secrets.clientCookie}`,
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const answer = await fetch(url + path, { ...init, headers: { ...headers, ...init.headers } })
    const body = await answer.text()
    seen.push(JSON.stringify([...answer.headers]), body)
    return body
  }
  const post = (path: string, body: unknown) =>
    ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { seen, ask, post }
}

type Client = ReturnType<typeof createClient>

async function runEach(client: Client): Promise<readonly string[]> {
  const ids = []
  for (const name of Object.keys(answers)) {
    const body = {
      type: 'custom',
      requirement: words.requirement,
      context: { note: words.context },
      files: [{ path: 'a.txt', content: words.file }],
      steps: [{ ...customStep(name), task: `${words.task} Do what <${name}> stands for.` }],
      options: { stream: name !== 'broken' },
      // Nobody listens there.
      webhook: {
        url: 'http://127.0.0.1:9/hook',
        events: ['workflow.started'],
        secret: `whsec_${secrets.requestSecret}`,
      },
    }
    const { id } = JSON.parse(await client.post('/workflows', body)) as SeenWorkflow
    ids.push(id)
  }
  // Each stream ends with its workflow.
  await Promise.all(
    ids.map((id) => client.ask(`/workflows/${id}/events`, { headers: { accept: 'text/event-stream' } })),
  )
  return ids
}

async function askBadly(client: Client, id: string): Promise<void> {
  const { badBody } = words
  await client.post('/workflows', `{"requirement": "${badBody}`)
  await client.post('/workflows', { type: badBody, requirement: badBody, [badBody]: badBody })
  await client.post('/workflows', { type: 'custom', requirement: badBody, steps: [{ id: badBody, role: badBody }] })
  await client.ask('/workflows', { method: 'POST', body: badBody, headers: { 'content-type': 'text/x' } })
  await client.ask(`/workflows?api_key=${secrets.clientQuery}`)
  await client.ask(`/nowhere/${badBody}?token=${secrets.clientQuery}`)
  await client.ask(`/workflows/${id}/events?ticket=${secrets.clientQuery}`, { headers: { 'last-event-id': badBody } })
  await client.ask(`/workflows/${badBody}`)
  await client.ask(`/workflows/${id}`, { headers: { authorization: `Bearer ${secrets.wrongKey}` } })
  await client.ask(`/workflows/${id}/graph?format=mermaid`)
}

async function askAll(client: Client, id: string): Promise<void> {
  const reads = ['', '/webhooks', '/steps/good', '/artifacts', '/artifacts/notes/a.txt', '/graph', '/events?after=']
  for (const path of reads)
    await client.ask(`/workflows/${id}${path}`, { headers: { accept: '*/*;q=0.1, application/json' } })
  for (const path of ['/workflows', '/agents', '/health', '/openapi.json', '/approvals']) await client.ask(path)
}

/** Opens a stream with a ticket, which only the answer that gives it may show. */
async function useTicket(client: Client, url: string, id: string): Promise<string> {
  const { ticket } = JSON.parse(await client.post(`/workflows/${id}/events/ticket`, '')) as { readonly ticket: string }
  const answer = await fetch(`${url}/workflows/${id}/events?ticket=${ticket}`, {
    headers: { accept: 'text/event-stream' },
  })
  expect(answer.status).toBe(200)
  await answer.text()
  return ticket
}

/** As it is, in base64 and in a URL. */
function formsOf(text: string): readonly string[] {
  const base64 = [`:${text}`, `x:${text}`, `xy:${text}`, text].map((each) => Buffer.from(each).toString('base64'))
  return [text, encodeURIComponent(text), ...base64.map((each) => each.replace(/=+$/, '').slice(4, -4))]
}

/** Names of those that stand somewhere in the texts, with the place. */
function found(canaries: Readonly<Record<string, string>>, texts: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(texts).flatMap(([place, text]) =>
    Object.entries(canaries)
      .filter(([, canary]) => formsOf(canary).some((form) => text.includes(form)))
      .map(
        ([name, canary]) => `${name} in ${place}: ${text.slice(Math.max(0, text.indexOf(canary) - 200)).slice(0, 400)}`,
      ),
  )
}

test('secrets stand nowhere, prompts and answers in no log, metric, trace or report, whatever goes wrong', async ({
  site,
  model,
  collector,
  sentry,
}) => {
  model.answerWith(answerStep)
  const other = new URL(model.url)
  other.username = 'somebody'
  other.password = secrets.endpointPassword
  const env: Environment = {
    LOG_FILE: null,
    LOG_LEVEL: 'DEBUG',
    METRICS_SNAPSHOT_FILE: 'metrics.json',
    OPENAI_API_KEY: secrets.modelKey,
    LLM_ENDPOINTS: JSON.stringify([
      { name: 'first', base_url: model.url, api_key: secrets.endpointKey, order: 1 },
      { name: 'second', base_url: other.href, api_key: '', order: 2 },
    ]),
    LLM_MAX_RETRIES: '1',
    LLM_RETRY_INITIAL_DELAY: '0.01',
    LLM_RETRY_MAX_DELAY: '0.02',
    LLM_CIRCUIT_BREAKER_THRESHOLD: '8',
    LLM_CIRCUIT_BREAKER_TIMEOUT: '0.05',
    API_KEYS: `somebody:${createHash('sha256').update(secrets.apiKey).digest('hex')}:admin`,
    SENTRY_DSN: sentry.dsn.replace('publickey', secrets.sentryKey),
    SENTRY_TRACES_SAMPLE_RATE: '1',
    WEBHOOKS_ENABLED: 'true',
    WEBHOOKS_SECRET: `whsec_${secrets.webhookSecret}`,
    WEBHOOKS_ALLOWED_HOSTS: '127.0.0.1',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secrets.otelHeader}`,
    CANARY_SECRETS: [
      secrets.modelKey,
      secrets.endpointKey,
      secrets.endpointPassword,
      secrets.sentryKey,
      secrets.otelHeader,
      `whsec_${secrets.webhookSecret}`,
    ].join(' '),
  }
  const service = site.spawn({ env, nodeOptions: ['--import', join(import.meta.dirname, 'defects.ts')] })
  await service.ready()
  const url = await service.listening
  const client = createClient(url)
  const ids = await runEach(client)
  await askAll(client, ids[0] ?? '')
  await askBadly(client, ids[0] ?? '')
  const ticket = await useTicket(client, url, ids[0] ?? '')
  const metrics = (await client.ask('/metrics')) + (await client.ask('/metrics.json'))
  service.signal('SIGWINCH')
  expect(await service.ended).toEqual({ code: 1, signal: null })

  const logs = {
    stdout: service.stdout(),
    stderr: service.stderr(),
    'log file': await readFile(join(site.directory, 'logs', 'agent_system.log'), 'utf8'),
    metrics,
    'metrics snapshot': await readFile(join(site.directory, 'metrics.json'), 'utf8'),
    traces: collector.bodies.join('\n'),
    Sentry: sentry.envelopes.join('\n'),
  }
  const answered = client.seen.join('\n')
  // They were there to be found.
  expect(answered).toContain(words.artifact)
  const sent = model.calls.map(({ headers }) => headers.authorization ?? '')
  expect(sent).toContain(`Bearer ${secrets.endpointKey}`)
  for (const header of ['sentry-trace', 'baggage', 'cookie']) {
    expect(model.calls.filter(({ headers }) => header in headers)).toEqual([])
    expect(collector.headers.filter((headers) => header in headers)).toEqual([])
  }
  expect(collector.headers[0]?.authorization).toBe(`Bearer ${secrets.otelHeader}`)
  expect(logs.stdout).toContain('hit a defect')
  expect(answered).toContain('the connection was refused')
  expect(logs.stdout).toContain('A defect of the service')
  expect(logs.stdout).toContain('A defect that nobody caught')
  expect(logs.Sentry.match(/"type":"TypeError"/g)?.length).toBeGreaterThanOrEqual(3)
  expect(logs.Sentry).toContain('"environment":"production"')
  expect(logs.traces).toContain('invoke_workflow custom')

  // Sentry names its own key in each envelope, to itself.
  const toSentry = logs.Sentry.replaceAll(`"public_key":"${secrets.sentryKey}"`, '')
  expect(found(secrets, { ...logs, Sentry: toSentry, 'HTTP answers': answered })).toEqual([])
  expect(found({ ...words, ticket }, logs)).toEqual([])
})

test('nor when the configuration is printed, is wrong, or the database is away', async ({ site }) => {
  const databaseUrl = `postgres://somebody:${secrets.databasePassword}@127.0.0.1:1/none`
  const key = { OPENAI_API_KEY: secrets.modelKey }
  const endpoints = JSON.stringify([
    { name: 'first', base_url: `http://x:${secrets.endpointPassword}@[`, api_key: secrets.endpointKey },
  ])
  const runs: readonly { readonly env: Environment; readonly args?: readonly string[]; readonly code: number }[] = [
    { env: { ...key, DATABASE_URL: databaseUrl }, args: ['--print-config'], code: 0 },
    { env: { ...key, DATABASE_URL: `mysql://somebody:${secrets.databasePassword}@x` }, code: 78 },
    { env: { LLM_ENDPOINTS: endpoints }, args: ['--check-config'], code: 78 },
    { env: { LLM_ENDPOINTS: endpoints.slice(0, -2) }, code: 78 },
    { env: { SENTRY_DSN: `https://${secrets.sentryKey}/x` }, code: 78 },
    { env: { OPENAI_API_BASE: `http://x:${secrets.endpointPassword}@` }, code: 78 },
    { env: { ...key, OPENAI_API_KEY_FILE: secrets.modelKey }, code: 78 },
  ]
  const ended = await Promise.all(
    runs.map(async ({ env, args = [], code }, index) => {
      const service = site.spawn({ env, args })
      const end = await service.ended
      expect(end.code, `run ${index}: ${service.stderr()}`).toBe(code)
      return [`run ${index}`, service.stdout() + service.stderr()] as const
    }),
  )
  expect(found(secrets, Object.fromEntries(ended))).toEqual([])

  const away = site.spawn({ env: { ...key, DATABASE_URL: databaseUrl, LOG_LEVEL: 'DEBUG' } })
  const url = await away.listening
  const client = createClient(url)
  for (const path of ['/readyz', '/health', '/workflows']) await client.ask(path)
  await away.logged(/database/i)
  away.signal('SIGTERM')
  await away.ended
  expect(found(secrets, { away: away.stdout() + away.stderr(), answers: client.seen.join('\n') })).toEqual([])
})
