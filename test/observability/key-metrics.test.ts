import { expect, test } from 'vitest'
import { observeHttp } from '../../src/observability/observe-http.ts'
import { captureLog } from '../support/captured-log.ts'
import { committedEvent } from '../support/lifecycle-events.ts'
import { metricsFixture, samplesOf } from '../support/metrics-fixture.ts'

const request = { method: 'GET', route: '/workflows', status: 200, durationMs: 1, correlationId: 'abc' }
const stream = { route: '/workflows/:id/events', correlationId: 'abc' }

test('requests and streams are counted by the configured names, whatever else comes', async () => {
  const metrics = metricsFixture({}, ['anna', 'bert'])
  const { log, lines } = captureLog()
  const observer = observeHttp({ log, metrics, captureDefect: () => undefined })
  for (const key of ['anna', 'anna', '', 'mallory', 'eve']) observer.requestFinished({ ...request, key })
  observer.streamOpened({ ...stream, key: 'bert' })
  observer.requestLimited({ key: 'anna' })
  expect(await samplesOf(metrics, 'api_key_requests_total')).toEqual({
    '{key="anna"}': 2,
    '{key="bert"}': 1,
    '{key=""}': 1,
    '{key="other"}': 2,
  })
  expect(await samplesOf(metrics, 'api_key_rate_limited_total')).toEqual({ '{key="anna"}': 1 })
  expect(lines().map((line) => line['key'])).toEqual(['anna', 'anna', undefined, 'mallory', 'eve', 'bert'])
})

test('what a key starts and spends is counted', async () => {
  const metrics = metricsFixture({}, ['anna'])
  metrics.recordWorkflow(committedEvent('workflow.queued', { owner: 'anna' }))
  metrics.recordWorkflow(committedEvent('workflow.started', { owner: 'anna' }))
  metrics.recordWorkflow(committedEvent('workflow.queued', { owner: 'anna', kind: 'task' }))
  metrics.keys.spent('anna', { inputTokens: 100, outputTokens: 20, costUsd: 0.5 })
  metrics.keys.spent('anna', { inputTokens: 1, outputTokens: 2, costUsd: null })
  expect(await samplesOf(metrics, 'api_key_workflows_started_total')).toEqual({
    '{key="anna",kind="workflow"}': 1,
    '{key="anna",kind="task"}': 1,
  })
  expect(await samplesOf(metrics, 'api_key_tokens_total')).toEqual({
    '{key="anna",gen_ai_token_type="input"}': 101,
    '{key="anna",gen_ai_token_type="output"}': 22,
  })
  expect(await samplesOf(metrics, 'api_key_cost_usd_total')).toEqual({ '{key="anna"}': 0.5 })
})
