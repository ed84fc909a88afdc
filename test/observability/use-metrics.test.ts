import { expect, test } from 'vitest'
import type { LlmEvent } from '../../src/llm/model.ts'
import { withTraceIds } from '../../src/trace-context.ts'
import { databaseFigures, metricsFixture, samplesOf } from '../support/metrics-fixture.ts'

type CallEnded = Extract<LlmEvent, { type: 'llm.call_ended' }>

function callEnded(event: Partial<CallEnded> = {}): CallEnded {
  return {
    type: 'llm.call_ended',
    endpoint: 'default',
    model: 'devstral',
    outcome: 'success',
    durationMs: 1,
    firstTokenMs: null,
    usage: { inputTokens: 1_000, outputTokens: 100, cachedTokens: 200, reasoningTokens: 50, estimated: false },
    ...event,
  }
}

test('tokens and cost by role and model, of failed and estimated calls too; without a price there is no cost', async () => {
  const metrics = metricsFixture()
  const estimated = { inputTokens: 10, outputTokens: 1, cachedTokens: 0, reasoningTokens: 0, estimated: true }
  withTraceIds({ agentId: 'developer' }, () => {
    metrics.recordLlm(callEnded())
    metrics.recordLlm(callEnded({ outcome: 'llm_timeout', usage: estimated }))
    metrics.recordLlm(callEnded({ outcome: 'llm_unreachable', usage: null }))
    metrics.recordLlm(callEnded({ model: 'no price' }))
  })
  expect(await samplesOf(metrics, 'llm_tokens_total')).toEqual({
    '{role="developer",model="devstral",type="input"}': 1_010,
    '{role="developer",model="devstral",type="output"}': 101,
    '{role="developer",model="other",type="input"}': 1_000,
    '{role="developer",model="other",type="output"}': 100,
  })
  const { '{role="developer",model="devstral"}': cost, ...others } = await samplesOf(metrics, 'llm_cost_usd_total')
  expect(cost).toBeCloseTo((800 + 200 / 2 + 10 + 2 * 101) / 1e6, 12)
  expect(others).toEqual({})
})

test('how often breakers opened, by endpoint and model', async () => {
  const metrics = metricsFixture()
  const about = { type: 'llm.breaker_changed', endpoint: 'default', model: 'devstral', retryInMs: 1 } as const
  for (const state of ['open', 'half_open', 'open', 'half_open', 'closed'] as const) {
    metrics.recordLlm({ ...about, state })
  }
  expect(await samplesOf(metrics, 'llm_circuit_breaker_opened_total')).toEqual({
    '{endpoint="default",model="devstral"}': 2,
  })
})

test('what is not known of the database has no sample, rather than 0', async () => {
  const metrics = metricsFixture({ database: () => ({ ...databaseFigures, up: false }) })
  expect(await samplesOf(metrics, 'database_info')).toEqual({ '{kind="embedded"}': 1 })
  expect(await samplesOf(metrics, 'database_up')).toEqual({ '': 0 })
  for (const name of ['size_bytes', 'wal_size_bytes', 'wal_written_bytes_total', 'pool_limit', 'pool_connections']) {
    expect(await samplesOf(metrics, `database_${name}`)).toEqual({})
  }
})

test('what is known of the database is told anew each time', async () => {
  const connections = { open: 4, idle: 3, waiting: 0, limit: 10 }
  const figures = { kind: 'postgres', up: true, probeMs: 2, connections } as const
  const sizes = { sizeBytes: 5e6, walSizeBytes: 6e6, walWrittenBytes: 7e6 }
  const metrics = metricsFixture({ database: () => ({ ...figures, ...sizes }), ready: () => false })
  for (let scrape = 0; scrape < 2; scrape += 1) {
    expect(await samplesOf(metrics, 'database_wal_written_bytes_total')).toEqual({ '': 7e6 })
    expect(await samplesOf(metrics, 'database_probe_duration_seconds')).toEqual({ '': 0.002 })
    expect(await samplesOf(metrics, 'database_pool_connections')).toEqual({ '{state="busy"}': 1, '{state="idle"}': 3 })
    expect(await samplesOf(metrics, 'service_ready')).toEqual({ '': 0 })
  }
})
