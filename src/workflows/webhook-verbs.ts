import { AppError } from '../errors.ts'
import { findRecord, findState, notFound, viewEither } from './find-workflow.ts'
import type { FindParts } from './find-workflow.ts'
import { once } from './idempotency.ts'
import type { Clock } from './queue.ts'
import type { DeliveryResource } from './resources.ts'
import type { WorkflowRef, WorkflowService } from './service.ts'
import { deliveryId, seqOfDelivery } from './webhooks.ts'
import type { DeliveryAttempt, DeliveryLog, StoredDelivery } from './webhooks.ts'
import { wireTime } from './wire.ts'

export interface WebhookVerbParts extends FindParts {
  readonly clock: Clock
  readonly deliveries: DeliveryLog
  /** There may be something to send. */
  readonly wakeWebhooks?: () => void
}

/** What a client asks of the deliveries of a workflow. */
export function createWebhookVerbs(parts: WebhookVerbParts): Pick<WorkflowService, 'deliveries' | 'redeliver'> {
  const { clock, deliveries, wakeWebhooks } = parts
  const find = async (workflowId: string, id: string): Promise<StoredDelivery> => {
    const seq = seqOfDelivery(workflowId, id)
    const found = (await deliveries.list(workflowId)).find((delivery) => delivery.seq === seq)
    if (found === undefined) throw notFound(`There is no delivery "${id}".`)
    return found
  }
  return {
    async deliveries(ref) {
      await findState(parts, ref)
      return (await deliveries.list(ref.id)).map((delivery) => viewDelivery(ref, delivery))
    },
    async redeliver(ref, id, caller) {
      const record = await findRecord(parts, ref)
      const { changed, replayed } = await once(parts, caller, async (bind) => {
        const { seq } = await find(ref.id, id)
        const now = clock.now()
        const binding = bind(record.state.seq)
        const isSent = await deliveries.redeliver({ workflowId: ref.id, seq, now, binding })
        if (!isSent) {
          const { status } = record.state
          const message = 'The receiver has answered 410: nothing of this workflow is sent to it any more.'
          throw new AppError('conflict', message, { state: { status } })
        }
        return { resource: viewEither(record, now), changed: true, replayed: false, cursor: null }
      })
      wakeWebhooks?.()
      return { resource: viewDelivery(ref, await find(ref.id, id)), changed, replayed, cursor: null }
    },
  }
}

function viewAttempt({ at, statusCode, error, durationMs }: DeliveryAttempt): DeliveryResource['attempts'][number] {
  return { at: wireTime(at), status_code: statusCode, error, duration_ms: Math.round(durationMs) }
}

function viewDelivery({ id }: WorkflowRef, delivery: StoredDelivery): DeliveryResource {
  return {
    id: deliveryId(id, delivery.seq),
    event: delivery.event,
    seq: delivery.seq,
    status: delivery.status,
    attempts: delivery.attempts.map(viewAttempt),
    created_at: wireTime(delivery.createdAt),
    next_try_at: wireTime(delivery.nextTryAt),
    delivered_at: wireTime(delivery.deliveredAt),
  }
}
