import { expect, test } from 'vitest'
import { createHealth, type HealthParts } from '../../src/observability/health.ts'
import { llmStatus } from '../support/llm-status.ts'

const endpoint = {
  name: 'default',
  inFlight: 0,
  requests: 0,
  successes: 0,
  failures: 0,
  latencyMs: null,
  reachable: true,
  detail: '',
}
const breaker = { endpoint: 'default', model: 'devstral', state: 'open', retryInMs: 11_400, hurting: true } as const

function report(parts: Partial<HealthParts> = {}) {
  const health = createHealth({
    version: '1.2.3',
    startedAt: 1_000,
    now: () => 62_500,
    llm: () => llmStatus({ activeClients: 1, endpoints: [endpoint] }),
    database: () => ({ ok: true, detail: '' }),
    queue: () => ({ ok: true, detail: '' }),
    minSuccessRate: 0.9,
    ...parts,
  })
  return health()
}

test('before any call it is healthy and has no success rate', () => {
  expect(report()).toEqual({
    status: 'healthy',
    version: '1.2.3',
    uptime_seconds: 61.5,
    active_clients: 1,
    success_rate: null,
    request_count: 0,
    checks: { database: { status: 'ok' }, queue: { status: 'ok' }, llm: { status: 'ok' } },
  })
})

test.for([
  [1, 'healthy'],
  [0.91, 'healthy'],
  [0.9, 'degraded'],
  [0, 'degraded'],
] as const)('a success rate of %d is %s', ([successRate, status]) => {
  const health = report({ llm: () => llmStatus({ successRate, requestCount: 100 }) })
  expect(health).toMatchObject({ status, success_rate: successRate, request_count: 100 })
})

test('the limit is the setting', () => {
  expect(report({ minSuccessRate: 0.5, llm: () => llmStatus({ successRate: 0.6 }) }).status).toBe('healthy')
  expect(report({ minSuccessRate: 0.5, llm: () => llmStatus({ successRate: 0.5 }) }).status).toBe('degraded')
})

test('an open breaker counts while it has hurt somebody, a resting one does not', () => {
  const hurting = report({
    llm: () => llmStatus({ endpoints: [endpoint], breakers: [breaker, { ...breaker, model: 'b' }] }),
  })
  expect(hurting.status).toBe('degraded')
  expect(hurting.checks['llm']).toEqual({
    status: 'degraded',
    detail: 'Circuit breaker is OPEN for model server default, next try in 12 s.',
  })
  const resting = report({ llm: () => llmStatus({ breakers: [{ ...breaker, hurting: false }] }) })
  expect(resting.status).toBe('healthy')
})

test('a failed check of the model server is degraded and says why; none yet is healthy', () => {
  const failed = report({
    llm: () => llmStatus({ endpoints: [{ ...endpoint, reachable: false, detail: 'connection refused' }] }),
  })
  expect(failed.status).toBe('degraded')
  expect(failed.checks['llm']?.detail).toBe('The last check of model server default failed: connection refused')
  expect(report({ llm: () => llmStatus({ endpoints: [{ ...endpoint, reachable: null }] }) }).status).toBe('healthy')
})

test.for(['database', 'queue'] as const)('without its %s it is unhealthy, whatever else', (part) => {
  const health = report({
    [part]: () => ({ ok: false, detail: 'cannot be reached' }),
    llm: () => llmStatus({ successRate: 0 }),
  })
  expect(health.status).toBe('unhealthy')
  expect(health.checks[part]).toEqual({ status: 'failed', detail: 'cannot be reached' })
  expect(health.checks['llm']?.status).toBe('degraded')
})
