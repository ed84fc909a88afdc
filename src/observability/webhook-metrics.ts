import { Counter, Histogram, type Registry } from 'prom-client'
import type { TriedDelivery } from '../workflows/webhooks.ts'

const outcomes: readonly TriedDelivery['outcome'][] = ['delivered', 'retry', 'failed', 'disabled']
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15]

/** Counts tries of webhook deliveries by what came of them: `delivered`, `retry`, `failed` or `disabled`. */
export function createWebhookMetrics(registry: Registry): (tried: TriedDelivery) => void {
  const registers = [registry]
  const tries = new Counter({
    name: 'webhook_deliveries_total',
    help: 'Tries of webhook deliveries by outcome; failed: given up.',
    labelNames: ['outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'webhook_delivery_duration_seconds',
    help: 'How long tries of webhook deliveries took.',
    labelNames: ['outcome'],
    buckets,
    registers,
  })
  // So that the first failure is a rise.
  for (const outcome of outcomes) tries.inc({ outcome }, 0)
  return ({ outcome, answer }) => {
    tries.inc({ outcome })
    durations.observe({ outcome }, answer.durationMs / 1000)
  }
}
