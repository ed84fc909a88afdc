import type { LifecycleEvent, LifecycleType } from './events.ts'
import type { KeyBinding } from './store.ts'

export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'disabled'

/** One try. */
export interface DeliveryAttempt {
  /** When it began. */
  readonly at: number
  /** Of the answer; null: there was none. */
  readonly statusCode: number | null
  /** What went wrong, in words for the client; null: nothing. */
  readonly error: string | null
  readonly durationMs: number
}

/** A delivery as its log shows it. */
export interface StoredDelivery {
  readonly seq: number
  readonly event: LifecycleType
  readonly status: DeliveryStatus
  readonly attempts: readonly DeliveryAttempt[]
  readonly createdAt: number
  readonly nextTryAt: number | null
  readonly deliveredAt: number | null
}

/** A delivery that is to be tried now, held under a lease. */
export interface ClaimedDelivery {
  readonly workflowId: string
  readonly seq: number
  /** Grows with every claim: who has an older one has lost it. */
  readonly lease: number
  /** Tries of its schedule before this one. */
  readonly tries: number
  /** Somebody asked for it: tried once, beside the schedule. */
  readonly redelivery: boolean
  /** The receiver has said that it wants nothing any more. */
  readonly disabled: boolean
  readonly url: string
  readonly origin: string
  readonly secret: string | null
  readonly event: LifecycleEvent
  /** Text that the event is shown with; null: none, or too long. */
  readonly output: string | null
  readonly outputOmitted: boolean
}

/** What may be claimed. */
export interface DeliveryClaim {
  readonly now: number
  readonly leaseMs: number
  readonly limit: number
  /** Most at once to one origin; those in flight, by origin, are among them. */
  readonly perOrigin: number
  readonly inFlight: Readonly<Record<string, number>>
  /** So many tries of one delivery hold up what its workflow has later. */
  readonly holdTries: number
  /** A longer text is left out. */
  readonly maxOutputBytes: number
}

/** What came of a try. */
export interface DeliverySettlement {
  /** null: nothing was sent. */
  readonly attempt: DeliveryAttempt | null
  /** null: it stays as it was, with its schedule. */
  readonly status: DeliveryStatus | null
  /** Tries of its schedule that this was: 0 or 1. */
  readonly counts: 0 | 1
  readonly nextTryAt: number | null
  readonly deliveredAt: number | null
  /** When what it holds up is to be tried; null: it holds up nothing. */
  readonly followersAt: number | null
  /** Nothing of this workflow is to be sent any more. */
  readonly disables: boolean
}

/** The deliveries, for who sends them. Every method throws `unavailable` while the database cannot be reached. */
export interface DeliveryQueue {
  /** Takes what is due, oldest first; of one workflow in the order of its events. */
  claim(claim: DeliveryClaim): Promise<readonly ClaimedDelivery[]>
  /** false: the lease is lost, or the workflow deleted; nothing was written. */
  settle(delivery: ClaimedDelivery, settlement: DeliverySettlement): Promise<boolean>
  /** Gives back what was not tried to its end; it is due again at once. */
  release(delivery: ClaimedDelivery): Promise<void>
  /** Gives back everything: for the only process there is, when it starts. */
  releaseAll(): Promise<void>
}

/** A delivery that is to be sent once more. */
export interface Redelivery {
  readonly workflowId: string
  readonly seq: number
  readonly now: number
  readonly binding: KeyBinding | null
}

/** The log of a workflow's deliveries, for its readers. */
export interface DeliveryLog {
  /** Oldest first. */
  list(workflowId: string): Promise<readonly StoredDelivery[]>
  /** Has one sent once more, as soon as may be; false: there is none such. */
  redeliver(redelivery: Redelivery): Promise<boolean>
}

/** What is to be sent. */
export interface WebhookMessage {
  /** The same at every try. */
  readonly id: string
  readonly url: string
  readonly secret: string
  readonly body: string
  /** Of this try, by the database's clock. */
  readonly sentAt: number
}

/** What the receiver made of it. */
export interface WebhookAnswer {
  readonly statusCode: number | null
  /** null only for a 2xx. Names no address that a name stands for. */
  readonly error: string | null
  readonly durationMs: number
}

/** Sends one message, bounded in time and size; never throws but for `signal`. */
export interface WebhookSender {
  send(message: WebhookMessage, signal: AbortSignal): Promise<WebhookAnswer>
}

/** A try as observers are told of it. */
export interface TriedDelivery {
  readonly workflowId: string
  readonly correlationId: string
  readonly event: LifecycleType
  readonly deliveryId: string
  /** Of the receiver; neither path nor query. */
  readonly host: string
  /** Tries so far, with this one. */
  readonly tries: number
  readonly outcome: 'delivered' | 'retry' | 'failed' | 'disabled'
  readonly redelivery: boolean
  readonly answer: WebhookAnswer
  readonly nextTryAt: number | null
}

/** `webhook-id` of the event `seq` of a workflow: an event is told of under one id only. */
export function deliveryId(workflowId: string, seq: number): string {
  return `msg_${workflowId}_${seq}`
}

/** The number in such an id; null: it is none of this workflow. */
export function seqOfDelivery(workflowId: string, id: string): number | null {
  const prefix = deliveryId(workflowId, 0).slice(0, -1)
  const number = id.startsWith(prefix) ? id.slice(prefix.length) : ''
  return /^[1-9]\d{0,8}$/.test(number) ? Number(number) : null
}
