import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { startFakeCollector } from '../support/fake-collector.ts'
import type { FakeCollector, SentSpan } from '../support/fake-collector.ts'
import { customStep, getJson, postWorkflow, test as smokeTest } from './smoke-test.ts'
import type { SeenWorkflow } from './smoke-test.ts'

const test = smokeTest.extend<{ collector: FakeCollector }>({
  collector: async ({}, use) => {
    const collector = await startFakeCollector()
    await use(collector)
    await collector.close()
  },
})

const fast = { OTEL_BSP_SCHEDULE_DELAY: '50' }
const secret = 'CANARY'

function ofWorkflow(id: string) {
  return (span: SentSpan) => span.name.startsWith('invoke_workflow') && span.attributes['gen_ai.conversation.id'] === id
}

function below(spans: readonly SentSpan[], parent: SentSpan): readonly SentSpan[] {
  return spans.filter(({ parentSpanId, traceId }) => parentSpanId === parent.spanId && traceId === parent.traceId)
}

test('one trace: request, workflow, attempts, calls; the model server is told the call', async ({
  site,
  model,
  collector,
}) => {
  const env = {
    ...fast,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=some%20tenant',
    OTEL_SERVICE_NAME: 'our-agents',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  }
  const service = await site.start(env)
  model.answerWith((call) => (call.index === 0 ? { status: 500, body: { error: `${secret} of the server` } } : secret))
  const traceId = randomBytes(16).toString('hex')
  const steps = [customStep('one'), customStep('two', ['one'])]
  const post = (path: string) =>
    fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
      body: JSON.stringify({ type: 'custom', requirement: secret, context: { [secret]: secret }, steps }),
    })
  expect((await post(`/workflows?${secret}=${secret}`)).status).toBe(400)
  const started = await post('/workflows')
  const { id } = (await started.json()) as SeenWorkflow
  const workflow = await collector.sent(ofWorkflow(id))
  const { spans } = collector

  expect(workflow).toMatchObject({ name: 'invoke_workflow custom', traceId, failed: false })
  const request = spans.find(({ spanId }) => spanId === workflow.parentSpanId)
  expect(request).toMatchObject({ name: 'POST /workflows', traceId, kind: 2, parentSpanId: '00f067aa0ba902b7' })
  expect(request?.attributes).toMatchObject({ 'http.route': '/workflows', 'http.response.status_code': 202 })
  const attempts = below(spans, workflow)
  expect(attempts.map(({ name, failed }) => [name, failed])).toEqual([
    ['invoke_agent developer', true],
    ['invoke_agent developer', false],
    ['invoke_agent developer', false],
  ])
  expect(attempts.map(({ attributes }) => [attributes['workflow.step'], attributes['workflow.step.attempt']])).toEqual([
    ['one', 1],
    ['one', 2],
    ['two', 1],
  ])
  const calls = attempts.flatMap((attempt) => below(spans, attempt))
  expect(calls.map(({ name, kind }) => [name, kind])).toEqual(calls.map(() => ['chat test-model', 3]))
  expect(calls).toHaveLength(3)
  expect(calls[0]).toMatchObject({ failed: true, attributes: { 'http.response.status_code': 500 } })
  expect(calls[1]?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'test-model',
    'gen_ai.conversation.id': id,
    'gen_ai.agent.id': 'developer',
    'server.address': '127.0.0.1',
    'server.port': model.port,
  })
  expect(calls[1]?.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0)
  expect(model.calls.map(({ headers }) => headers['traceparent'])).toEqual(
    calls.map(({ spanId }) => `00-${traceId}-${spanId}-01`),
  )
  for (const [inner, outer] of [...calls.map((call, n) => [call, attempts[n]] as const), [attempts[2], workflow]]) {
    expect(inner?.startMs).toBeGreaterThanOrEqual(Math.floor(outer?.startMs ?? 0) - 20)
    expect(inner?.endMs).toBeLessThanOrEqual((outer?.endMs ?? 0) + 20)
  }
  expect(workflow.resource).toMatchObject({
    'service.name': 'our-agents',
    'service.version': '0.1.0',
    'deployment.environment.name': 'test',
  })
  expect(collector.headers[0]).toMatchObject({ 'x-tenant': 'some tenant' })
  expect(collector.bodies.join()).not.toContain(secret)
})

test('a workflow whose process was killed is one trace with what comes after, also without the client’s own', async ({
  site,
  model,
  collector,
}) => {
  const env = { ...fast, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` }
  const first = await site.start(env)
  model.answerWith((call) =>
    call.user.includes('<two>') ? { text: 'a b', before: () => new Promise(() => {}) } : 'ok',
  )
  const { id } = await postWorkflow(first.url, {
    type: 'custom',
    requirement: 'Build it.',
    steps: [customStep('one'), customStep('two', ['one'])],
  })
  const one = await collector.sent(({ attributes }) => attributes['workflow.step'] === 'one')
  await model.called(2)
  const cut = model.calls[1]
  await first.kill()
  model.answerWith(() => 'ok')
  await site.start(env)
  const workflow = await collector.sent(ofWorkflow(id))
  const { spans } = collector

  expect(workflow.traceId).toBe(one.traceId)
  const request = spans.find(({ spanId }) => spanId === workflow.parentSpanId)
  expect(request).toMatchObject({ name: 'POST /workflows', parentSpanId: null, traceId: one.traceId })
  const attempts = below(spans, workflow)
  expect(attempts.map(({ attributes }) => [attributes['workflow.step'], attributes['error.type'] ?? null])).toEqual([
    ['one', null],
    ['two', 'worker_lost'],
    ['two', null],
  ])
  expect(attempts[1]?.startMs).toBeLessThan(attempts[2]?.startMs ?? 0)
  // Its call died with its process; the model server was told of it, in the same trace.
  expect(cut?.headers['traceparent']).toContain(workflow.traceId)
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
  expect(new Set([workflow, ...attempts].map(({ resource }) => resource['service.instance.id'])).size).toBe(2)
})

test('a run that is resumed is a span of its own in the same trace', async ({ site, model, collector }) => {
  const service = await site.start({ ...fast, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  model.answerWith(() => ({ status: 400, body: { error: 'no' } }))
  const { id } = await postWorkflow(service.url, {
    type: 'custom',
    requirement: 'Build it.',
    steps: [customStep('one')],
  })
  const failed = await collector.sent(ofWorkflow(id))
  expect(failed).toMatchObject({ failed: true })
  model.answerWith(() => 'ok')
  await fetch(`${service.url}/workflows/${id}/resume`, { method: 'POST' })
  const resumed = await collector.sent((span) => ofWorkflow(id)(span) && !span.failed)
  expect(resumed).toMatchObject({ traceId: failed.traceId, parentSpanId: failed.spanId })
  expect(resumed.startMs).toBeGreaterThanOrEqual(failed.endMs)
  expect(below(collector.spans, failed).filter(({ name }) => name === 'invoke_agent developer')).toHaveLength(2)
})

test('what is not sampled is not sent, and its model server is told so', async ({ site, model, collector }) => {
  const service = await site.start({
    ...fast,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  })
  const { id } = await postWorkflow(service.url, { type: 'custom', requirement: 'x', steps: [customStep('one')] })
  await model.called(1)
  expect(model.calls[0]?.headers['traceparent']).toMatch(/-00$/)
  await service.logged(/Workflow completed/)
  expect((await getJson<SeenWorkflow>(`${service.url}/workflows/${id}`)).status).toBe('completed')
  service.signal('SIGTERM')
  expect(await service.ended).toEqual({ code: 0, signal: null })
  expect(collector.spans).toEqual([])
})

test('a collector that is away, or never answers, is one WARNING and holds up nothing; what is left is sent at the end', async ({
  site,
  model,
  collector,
}) => {
  collector.answerWith(503)
  const service = await site.start({
    ...fast,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
  })
  await postWorkflow(service.url, { type: 'custom', requirement: 'x', steps: [customStep('one')] })
  await service.logged(/Traces cannot be sent/)
  await service.logged(/Workflow completed/)
  expect(service.log().filter(({ message }) => message.startsWith('Traces cannot'))).toHaveLength(1)
  collector.answerWith('nothing')
  await postWorkflow(service.url, { type: 'custom', requirement: 'x', steps: [customStep('one')] })
  await model.called(2)
  collector.answerWith(200)
  const { id } = await postWorkflow(service.url, { type: 'custom', requirement: 'x', steps: [customStep('one')] })
  await collector.sent(ofWorkflow(id))
  await service.logged(/Traces are taken again/)
  collector.answerWith('nothing')
  await fetch(`${service.url}/workflows`)
  service.signal('SIGTERM')
  expect(await service.ended).toEqual({ code: 0, signal: null })
})
