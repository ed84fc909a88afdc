import { holdTries, waitAfterMs } from './webhook-schedule.ts'
import { deliveryId } from './webhooks.ts'
import type { ClaimedDelivery, DeliverySettlement, TriedDelivery, WebhookAnswer } from './webhooks.ts'

const nothing = {
  attempt: null,
  status: null,
  counts: 0,
  nextTryAt: null,
  deliveredAt: null,
  followersAt: null,
  disables: false,
} as const satisfies DeliverySettlement

/** RFC 9110, 410 Gone: who answers so wants nothing of this workflow any more. */
const gone = 410

/** What is written down after a try; `answer` null: nothing was sent, because the receiver wants nothing any more. */
export function settlementOf(
  delivery: ClaimedDelivery,
  answer: WebhookAnswer | null,
  { at, endedAt }: { readonly at: number; readonly endedAt: number },
): DeliverySettlement {
  if (answer === null) return { ...nothing, status: 'disabled' }
  const { statusCode, error, durationMs } = answer
  const tried = { ...nothing, attempt: { at, statusCode, error, durationMs } }
  const counts = delivery.redelivery ? 0 : 1
  if (error === null) return { ...tried, counts, status: 'delivered', deliveredAt: endedAt, followersAt: endedAt }
  if (statusCode === gone) return { ...tried, counts, status: 'disabled', disables: true }
  if (delivery.redelivery) return tried
  return { ...tried, counts, ...afterFailure(delivery.tries + 1, endedAt) }
}

function afterFailure(
  tries: number,
  endedAt: number,
): Pick<DeliverySettlement, 'status' | 'nextTryAt' | 'followersAt'> {
  const wait = waitAfterMs(tries)
  const nextTryAt = wait === null ? null : endedAt + wait
  const status = wait === null ? 'failed' : 'pending'
  if (tries < holdTries) return { status, nextTryAt, followersAt: nextTryAt }
  return { status, nextTryAt, followersAt: tries === holdTries ? endedAt : null }
}

/** The try as observers are told of it. */
export function triedDelivery(
  delivery: ClaimedDelivery,
  answer: WebhookAnswer,
  { status, counts, nextTryAt }: DeliverySettlement,
): TriedDelivery {
  const { workflowId, seq, tries, redelivery, event, origin } = delivery
  return {
    workflowId,
    correlationId: event.correlationId,
    event: event.type,
    deliveryId: deliveryId(workflowId, seq),
    host: new URL(origin).host,
    tries: tries + counts,
    outcome: outcomeOf(status),
    redelivery,
    answer,
    nextTryAt,
  }
}

/** A redelivery that failed leaves everything as it was, and is not tried again. */
function outcomeOf(status: DeliverySettlement['status']): TriedDelivery['outcome'] {
  if (status === null) return 'failed'
  return status === 'pending' ? 'retry' : status
}
