import { describe, expect, test } from 'vitest'
import { observeWebhooks } from '../../src/observability/observe-webhooks.ts'
import type { TriedDelivery } from '../../src/workflows/webhooks.ts'
import { captureLog } from '../support/captured-log.ts'
import { metricsFixture, samplesOf } from '../support/metrics-fixture.ts'

const tried: TriedDelivery = {
  workflowId: 'wf_1',
  correlationId: 'abc',
  event: 'workflow.completed',
  deliveryId: 'msg_wf_1_7',
  host: 'hooks.example',
  tries: 2,
  outcome: 'retry',
  redelivery: false,
  answer: { statusCode: 500, error: 'the answer was 500', durationMs: 12.4 },
  nextTryAt: Date.UTC(2026, 0, 14, 10, 35),
}

describe('a try of a webhook', () => {
  test('that failed is one line with the host of its receiver, and a measurement', async () => {
    const { log, lines } = captureLog()
    const metrics = metricsFixture()
    observeWebhooks({ log, metrics })(tried)
    expect(lines()).toEqual([
      {
        timestamp: '2026-01-14T10:30:00.123Z',
        level: 'WARNING',
        logger: 'webhooks.courier',
        message: 'Webhook not delivered, it is tried again: the answer was 500',
        correlation_id: 'abc',
        workflow_id: 'wf_1',
        duration_ms: 12,
        event: 'workflow.completed',
        delivery_id: 'msg_wf_1_7',
        host: 'hooks.example',
        tries: 2,
        status_code: 500,
        next_try_at: '2026-01-14T10:35:00.000Z',
      },
    ])
    const counts = { delivered: 0, retry: 1, failed: 0, disabled: 0 }
    const samples = Object.entries(counts).map(([outcome, count]) => [`{outcome="${outcome}"}`, count])
    expect(await samplesOf(metrics, 'webhook_deliveries_total')).toEqual(Object.fromEntries(samples))
    expect(await samplesOf(metrics, 'webhook_delivery_duration_seconds_count')).toEqual({ '{outcome="retry"}': 1 })
  })

  test.for([
    ['delivered', false, 'DEBUG', 'Webhook delivered'],
    ['failed', false, 'ERROR', 'Webhook given up: why'],
    ['failed', true, 'WARNING', 'Webhook not delivered again: why'],
    ['disabled', false, 'WARNING', 'Webhook switched off by its receiver: why'],
  ] as const)('%s (again: %s) is %s', ([outcome, redelivery, level, message]) => {
    const { log, lines } = captureLog()
    const error = outcome === 'delivered' ? null : 'why'
    observeWebhooks({ log, metrics: null })({ ...tried, outcome, redelivery, answer: { ...tried.answer, error } })
    expect(lines()).toMatchObject([{ level, message }])
  })
})
