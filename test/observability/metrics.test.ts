import { expect, test } from 'vitest'
import type { LlmEvent } from '../../src/llm/model.ts'
import { withTraceIds } from '../../src/trace-context.ts'
import { committedEvent } from '../support/lifecycle-events.ts'
import { llmStatus } from '../support/llm-status.ts'
import { countsOf, metricsFixture, samplesOf } from '../support/metrics-fixture.ts'

type CallEnded = Extract<LlmEvent, { type: 'llm.call_ended' }>

const usage = { inputTokens: 100, outputTokens: 20, cachedTokens: 0, reasoningTokens: 0, estimated: false }

function callEnded(event: Partial<CallEnded> = {}): CallEnded {
  return {
    type: 'llm.call_ended',
    endpoint: 'default',
    model: 'devstral',
    outcome: 'success',
    durationMs: 1_500,
    firstTokenMs: 200,
    usage,
    ...event,
  }
}

test('every metric is there before anything has happened', async () => {
  const { contentType, body } = await metricsFixture().text()
  expect(contentType).toContain('text/plain')
  const names = [
    'llm_requests_total counter',
    'gen_ai_client_operation_duration_seconds histogram',
    'gen_ai_client_operation_time_to_first_chunk_seconds histogram',
    'gen_ai_client_token_usage histogram',
    'agent_tasks_started_total counter',
    'agent_tasks_total counter',
    'gen_ai_invoke_agent_duration_seconds histogram',
    'workflows_started_total counter',
    'workflows_total counter',
    'gen_ai_workflow_duration_seconds histogram',
    'llm_retries_total counter',
    'llm_circuit_breaker_state gauge',
    'llm_context_truncations_total counter',
    'llm_pool_clients gauge',
    'llm_inflight_requests gauge',
    'llm_endpoint_up gauge',
    'workflow_queue_depth gauge',
    'workflow_queue_oldest_age_seconds gauge',
    'workflows_held gauge',
    'agents_busy gauge',
    'http_request_duration_seconds histogram',
    'sse_connections gauge',
    'sse_connection_duration_seconds histogram',
    'sse_events_sent_total counter',
    'sse_slow_client_disconnects_total counter',
    'nodejs_eventloop_lag_p99_seconds gauge',
    'process_cpu_seconds_total counter',
    'build_info gauge',
  ]
  const types = body.split('\n').filter((line) => line.startsWith('# TYPE '))
  expect(types).toEqual(expect.arrayContaining(names.map((name) => `# TYPE ${name}`)))
  expect(body).toContain('build_info{version="1.2.3"} 1')
})

test('model calls: outcome, role, duration, first token and tokens', async () => {
  const metrics = metricsFixture()
  withTraceIds({ agentId: 'developer' }, () => {
    metrics.recordLlm({ type: 'llm.call_started', endpoint: 'default', model: 'devstral' })
    metrics.recordLlm(callEnded())
    metrics.recordLlm(callEnded({ outcome: 'llm_timeout', firstTokenMs: null, usage: { ...usage, estimated: true } }))
  })
  expect(await samplesOf(metrics, 'llm_requests_total')).toEqual({
    '{role="developer",model="devstral",endpoint="default",outcome="success"}': 1,
    '{role="developer",model="devstral",endpoint="default",outcome="llm_timeout"}': 1,
  })
  const call = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai_compatible",gen_ai_request_model="devstral"'
  expect(await samplesOf(metrics, 'gen_ai_client_operation_duration_seconds_sum')).toEqual({
    [`{${call}}`]: 1.5,
    [`{${call},error_type="llm_timeout"}`]: 1.5,
  })
  expect(await samplesOf(metrics, 'gen_ai_client_operation_time_to_first_chunk_seconds_sum')).toEqual({
    [`{${call}}`]: 0.2,
  })
  expect(await samplesOf(metrics, 'gen_ai_client_token_usage_sum')).toEqual({
    [`{${call},gen_ai_token_type="input"}`]: 100,
    [`{${call},gen_ai_token_type="output"}`]: 20,
  })
})

test('workflows and tasks: started, ended by status, durations; a retry is the same task', async () => {
  const metrics = metricsFixture()
  const step = { step: 'implementation' }
  const error = { code: 'llm_error', message: 'x', retryable: true }
  for (const event of [
    committedEvent('workflow.queued'),
    committedEvent('workflow.started'),
    committedEvent('step.started', { ...step, at: 1_000 }),
    committedEvent('step.retrying', { ...step, data: { delay_ms: 10, error } }),
    committedEvent('step.started', { ...step, attempt: 2, at: 2_000 }),
    committedEvent('step.completed', { ...step, attempt: 2, at: 5_000, data: { duration_ms: 3_500 } }),
    committedEvent('step.started', { step: 'qa', role: 'qa_engineer', at: 5_000 }),
    committedEvent('step.failed', { step: 'qa', role: 'qa_engineer', at: 7_000, data: { error } }),
    committedEvent('step.skipped', { step: 'docs', attempt: 0, data: { reason: 'dependency_failed' } }),
    committedEvent('workflow.failed', { data: { status: 'failed', duration_ms: 6_000, error } }),
  ]) {
    metrics.recordWorkflow(event)
  }
  expect(await countsOf(metrics, 'agent_tasks_started_total')).toEqual({
    '{role="developer"}': 1,
    '{role="qa_engineer"}': 1,
  })
  expect(await countsOf(metrics, 'agent_tasks_total')).toEqual({
    '{role="developer",status="completed"}': 1,
    '{role="qa_engineer",status="failed"}': 1,
  })
  expect(await samplesOf(metrics, 'gen_ai_invoke_agent_duration_seconds_sum')).toEqual({
    '{gen_ai_operation_name="invoke_agent",gen_ai_agent_name="developer"}': 3.5,
    '{gen_ai_operation_name="invoke_agent",gen_ai_agent_name="qa_engineer",error_type="llm_error"}': 2,
  })
  expect(await countsOf(metrics, 'workflows_started_total')).toEqual({ '{type="feature_development"}': 1 })
  expect(await countsOf(metrics, 'workflows_total')).toEqual({ '{type="feature_development",status="failed"}': 1 })
  expect(await samplesOf(metrics, 'gen_ai_workflow_duration_seconds_sum')).toEqual({
    '{gen_ai_operation_name="invoke_workflow",gen_ai_workflow_name="feature_development",error_type="llm_error"}': 6,
  })
  expect(await samplesOf(metrics, 'llm_retries_total')).toEqual({ '{reason="llm_error"}': 1 })
})

test('a lost worker, a hand-over and a timeout of the step are no retries of a model call', async () => {
  const metrics = metricsFixture()
  for (const code of ['worker_lost', 'shutdown', 'task_timeout']) {
    metrics.recordWorkflow(committedEvent('step.retrying', { step: 's', data: { error: { code } } }))
  }
  expect(await samplesOf(metrics, 'llm_retries_total')).toEqual({})
  expect(metrics.json().counters['llm.retry']).toBe(0)
})

test('a task that was cancelled before it began is no task of an agent; a direct task is no workflow', async () => {
  const metrics = metricsFixture()
  metrics.recordWorkflow(committedEvent('step.cancelled', { step: 's', attempt: 0 }))
  metrics.recordWorkflow(committedEvent('workflow.started', { kind: 'task' }))
  expect(await countsOf(metrics, 'agent_tasks_total')).toEqual({})
  expect(await countsOf(metrics, 'workflows_started_total')).toEqual({})
})

test('labels are bounded: what nobody has named is other', async () => {
  const metrics = metricsFixture({
    llm: () =>
      llmStatus({
        breakers: [
          { endpoint: 'default', model: 'devstral', state: 'closed', retryInMs: null, hurting: false },
          { endpoint: 'default', model: 'invented-1', state: 'half_open', retryInMs: null, hurting: false },
          { endpoint: 'default', model: 'invented-2', state: 'open', retryInMs: 1, hurting: true },
          { endpoint: 'default', model: 'invented-3', state: 'closed', retryInMs: null, hurting: false },
        ],
      }),
  })
  for (let i = 0; i < 50; i += 1) {
    withTraceIds({ agentId: `role-${i}` }, () => metrics.recordLlm(callEnded({ model: `invented-${i}` })))
    metrics.recordWorkflow(committedEvent('workflow.started', { workflowType: `type-${i}` }))
    metrics.recordWorkflow(committedEvent('step.started', { step: `s-${i}`, role: `role-${i}` }))
    metrics.http.requestFinished({
      method: `M${i}`,
      route: '/x',
      status: 405,
      durationMs: 1,
      correlationId: 'c',
      key: '',
    })
  }
  expect(await samplesOf(metrics, 'llm_requests_total')).toEqual({
    '{role="other",model="other",endpoint="default",outcome="success"}': 50,
  })
  expect(await countsOf(metrics, 'workflows_started_total')).toEqual({ '{type="other"}': 50 })
  expect(await countsOf(metrics, 'agent_tasks_started_total')).toEqual({ '{role="other"}': 50 })
  expect(await samplesOf(metrics, 'http_request_duration_seconds_count')).toEqual({
    '{method="other",route="/x",status_code="405"}': 50,
  })
  expect(await samplesOf(metrics, 'llm_circuit_breaker_state')).toEqual({
    '{endpoint="default",model="devstral"}': 0,
    '{endpoint="default",model="other"}': 2,
  })
})

test('models that a server lists become labels, up to a bound', async () => {
  const metrics = metricsFixture()
  const models = Array.from({ length: 5_000 }, (_, i) => `listed-${i}`)
  metrics.recordLlm({ type: 'llm.endpoint_checked', endpoint: 'default', ok: true, detail: '', models })
  for (const model of models) metrics.recordLlm(callEnded({ model }))
  const samples = await samplesOf(metrics, 'llm_requests_total')
  expect(samples['{role="other",model="listed-0",endpoint="default",outcome="success"}']).toBe(1)
  expect(Object.keys(samples)).toHaveLength(100)
})

test('gauges are read when they are asked for; a breaker that was dropped leaves no gauge behind', async () => {
  let breakers = [{ endpoint: 'default', model: 'devstral', state: 'open' as const, retryInMs: 1, hurting: true }]
  const endpoint = {
    name: 'default',
    inFlight: 2,
    requests: 5,
    successes: 0,
    failures: 1,
    latencyMs: null,
    reachable: false,
    detail: '',
  }
  const metrics = metricsFixture({
    llm: () => llmStatus({ activeClients: 1, endpoints: [endpoint], breakers }),
    queue: () => ({ queued: 7, oldestCreatedAt: 1_000 }),
    busyAgents: () => 3,
    heldWorkflows: () => 4,
    now: () => 11_000,
  })
  expect(await samplesOf(metrics, 'llm_circuit_breaker_state')).toEqual({ '{endpoint="default",model="devstral"}': 2 })
  breakers = []
  expect(await samplesOf(metrics, 'llm_circuit_breaker_state')).toEqual({})
  expect(await samplesOf(metrics, 'llm_pool_clients')).toEqual({ '': 1 })
  expect(await samplesOf(metrics, 'llm_inflight_requests')).toEqual({ '{endpoint="default"}': 2 })
  expect(await samplesOf(metrics, 'llm_endpoint_up')).toEqual({ '{endpoint="default"}': 0 })
  expect(await samplesOf(metrics, 'workflow_queue_depth')).toEqual({ '': 7 })
  expect(await samplesOf(metrics, 'workflow_queue_oldest_age_seconds')).toEqual({ '': 10 })
  expect(await samplesOf(metrics, 'workflows_held')).toEqual({ '': 4 })
  expect(await samplesOf(metrics, 'agents_busy')).toEqual({ '': 3 })
  expect(metrics.json().gauges).toMatchObject({ 'llm.active_clients': 1, 'workflow.queued': 7, 'agent.busy': 3 })
})

test('a source that fails spoils neither the text nor the JSON view', async () => {
  const metrics = metricsFixture({
    llm: () => {
      throw new Error('not yet')
    },
    busyAgents: () => 3,
  })
  expect(await samplesOf(metrics, 'agents_busy')).toEqual({ '': 3 })
  expect(metrics.json().gauges).toMatchObject({ 'llm.active_clients': 0, 'agent.busy': 3 })
})

test('streams: open now, frames, slow readers', async () => {
  const metrics = metricsFixture()
  const closed = {
    route: '/workflows/:id/events',
    correlationId: 'c',
    key: '',
    frames: 12,
    bytes: 900,
    durationMs: 2_000,
  }
  metrics.http.streamOpened()
  metrics.http.streamOpened()
  metrics.http.streamClosed({ ...closed, end: 'slow' })
  expect(await samplesOf(metrics, 'sse_connections')).toEqual({ '': 1 })
  expect(await samplesOf(metrics, 'sse_events_sent_total')).toEqual({ '': 12 })
  expect(await samplesOf(metrics, 'sse_slow_client_disconnects_total')).toEqual({ '': 1 })
  expect(await samplesOf(metrics, 'sse_connection_duration_seconds_sum')).toEqual({ '': 2 })
  expect(metrics.json().gauges['sse.connections']).toBe(1)
})

test("the buckets are OpenTelemetry's", async () => {
  const metrics = metricsFixture()
  metrics.recordLlm(callEnded())
  metrics.recordWorkflow(committedEvent('step.completed', { step: 's', data: { duration_ms: 1 } }))
  metrics.recordWorkflow(committedEvent('workflow.completed', { data: { duration_ms: 1 } }))
  const bounds = async (name: string) =>
    Object.keys(await samplesOf(metrics, `${name}_bucket`)).map((labels) => /le="([^"]+)"/.exec(labels)?.[1])
  expect((await bounds('gen_ai_client_operation_duration_seconds')).slice(0, 3)).toEqual(['0.01', '0.02', '0.04'])
  expect((await bounds('gen_ai_client_operation_duration_seconds')).at(-2)).toBe('655.36')
  expect((await bounds('gen_ai_client_token_usage')).at(13)).toBe('67108864')
  expect((await bounds('gen_ai_workflow_duration_seconds')).join(' ')).toBe(
    '1 5 10 30 60 120 300 600 1800 3600 7200 +Inf',
  )
  expect((await bounds('gen_ai_invoke_agent_duration_seconds')).at(-2)).toBe('409.6')
})

test('two services in one process do not share metrics', async () => {
  const first = metricsFixture()
  const second = metricsFixture()
  first.recordLlm(callEnded())
  expect(await samplesOf(second, 'llm_requests_total')).toEqual({})
})
