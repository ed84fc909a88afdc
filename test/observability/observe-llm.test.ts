import { expect, test } from 'vitest'
import type { LlmEvent } from '../../src/llm/model.ts'
import { observeLlm } from '../../src/observability/observe-llm.ts'
import { withTraceIds } from '../../src/trace-context.ts'
import { captureLog } from '../support/captured-log.ts'
import { metricsFixture } from '../support/metrics-fixture.ts'

const place = { endpoint: 'default', model: 'devstral' } as const
const usage = { inputTokens: 100, outputTokens: 20, cachedTokens: 0, reasoningTokens: 0, estimated: false }

function observing() {
  const { log, lines } = captureLog()
  const metrics = metricsFixture()
  const observe = observeLlm({ log, metrics, urlOf: () => 'http://user:CANARY@127.0.0.1:8080/v1' })
  return { observe, lines, metrics }
}

function checked(ok: boolean, detail = ''): LlmEvent {
  return { type: 'llm.endpoint_checked', endpoint: 'default', ok, detail, models: ok ? ['devstral'] : [] }
}

test('a call is one line, with the ids of its work', () => {
  const { observe, lines, metrics } = observing()
  const ids = { correlationId: 'abc', workflowId: 'wf_1', taskId: 'task_1', agentId: 'developer' }
  withTraceIds(ids, () => {
    observe({ type: 'llm.call_started', ...place })
    observe({ type: 'llm.call_ended', ...place, outcome: 'success', durationMs: 1_500, firstTokenMs: 200.4, usage })
  })
  const above = lines().filter(({ level }) => level !== 'DEBUG')
  expect(above).toEqual([
    {
      timestamp: '2026-01-14T10:30:00.123Z',
      level: 'INFO',
      logger: 'llm.client',
      message: 'Model call completed',
      correlation_id: 'abc',
      agent_id: 'developer',
      task_id: 'task_1',
      workflow_id: 'wf_1',
      duration_ms: 1_500,
      endpoint: 'default',
      model: 'devstral',
      first_token_ms: 200,
      input_tokens: 100,
      output_tokens: 20,
    },
  ])
  expect(metrics.json().counters).toMatchObject({ 'llm.request': 1, 'llm.success': 1 })
})

test('a failed call is a WARNING with code and status; an aborted one is not', () => {
  const { observe, lines } = observing()
  const ended = { type: 'llm.call_ended', ...place, durationMs: 1, firstTokenMs: null, usage: null } as const
  observe({ ...ended, outcome: 'llm_error', status: 503, message: 'The model server answered 503' })
  observe({ ...ended, outcome: 'aborted' })
  expect(lines()).toMatchObject([
    {
      level: 'WARNING',
      message: 'Model call failed: The model server answered 503',
      error_code: 'llm_error',
      status: 503,
    },
    { level: 'INFO', message: 'Model call aborted' },
  ])
})

test('what only the operator can mend is an ERROR', () => {
  const { observe, lines } = observing()
  const ended = { type: 'llm.call_ended', ...place, durationMs: 1, firstTokenMs: null, usage: null } as const
  observe({ ...ended, outcome: 'llm_unauthorized', status: 401, message: 'The model server answered 401' })
  expect(lines()).toMatchObject([
    {
      level: 'ERROR',
      message: expect.stringMatching(/endpoint default, .*operator.*answered 401/),
      error_code: 'llm_unauthorized',
    },
  ])
})

test('an unreachable server is told once per change, clearly, without its password', () => {
  const { observe, lines } = observing()
  observe(checked(false, 'connection refused.'))
  observe(checked(false, 'connection refused.'))
  observe(checked(true))
  observe(checked(true))
  observe(checked(false, 'no answer in time'))
  expect(lines().map(({ level, message }) => `${String(level)} ${String(message)}`)).toEqual([
    'WARNING Model server http://[redacted]@127.0.0.1:8080/v1 cannot be reached: connection refused. Workflows wait and retry until it answers.',
    'INFO Model server http://[redacted]@127.0.0.1:8080/v1 answers again.',
    'WARNING Model server http://[redacted]@127.0.0.1:8080/v1 cannot be reached: no answer in time. Workflows wait and retry until it answers.',
  ])
})

test('breaker changes are told, the open one as people search for it', () => {
  const { observe, lines } = observing()
  observe({ type: 'llm.breaker_changed', ...place, state: 'open', retryInMs: 59_400 })
  observe({ type: 'llm.breaker_changed', ...place, state: 'half_open', retryInMs: null })
  observe({ type: 'llm.breaker_changed', ...place, state: 'closed', retryInMs: null })
  expect(lines()).toMatchObject([
    { level: 'WARNING', message: 'Circuit breaker is OPEN for default, next try in 60 s', error_code: 'circuit_open' },
    { level: 'INFO', message: expect.stringContaining('HALF_OPEN') as string },
    { level: 'INFO', message: expect.stringContaining('CLOSED') as string },
  ])
})
