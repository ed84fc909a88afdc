import type { TriedDelivery } from '../workflows/webhooks.ts'
import type { Log, Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { neverThrowing } from './never-throwing.ts'

/** Logs every try that failed and measures all. Of the receiver only its host is named. Never throws. */
export function observeWebhooks(parts: {
  readonly log: Log
  /** null: nothing is measured. */
  readonly metrics: Metrics | null
}): (tried: TriedDelivery) => void {
  const logger = parts.log.logger('webhooks.courier')
  return neverThrowing(logger, (tried) => {
    const [severity, message] = lineOf(tried)
    logger[severity](message, fieldsOf(tried))
    parts.metrics?.recordWebhook(tried)
  })
}

function lineOf({ outcome, redelivery, answer }: TriedDelivery): readonly [keyof Logger, string] {
  const because = answer.error === null ? '' : `: ${answer.error}`
  switch (outcome) {
    case 'delivered':
      return ['debug', 'Webhook delivered']
    case 'retry':
      return ['warning', `Webhook not delivered, it is tried again${because}`]
    case 'disabled':
      return ['warning', `Webhook switched off by its receiver${because}`]
    case 'failed':
      return redelivery ? ['warning', `Webhook not delivered again${because}`] : ['error', `Webhook given up${because}`]
    default:
      return outcome satisfies never
  }
}

function fieldsOf(tried: TriedDelivery) {
  const { workflowId, correlationId, event, deliveryId, host, tries, answer, nextTryAt } = tried
  return {
    correlationId,
    workflowId,
    durationMs: Math.round(answer.durationMs),
    event,
    deliveryId,
    host,
    tries,
    statusCode: answer.statusCode,
    nextTryAt: nextTryAt === null ? null : new Date(nextTryAt).toISOString(),
  }
}
