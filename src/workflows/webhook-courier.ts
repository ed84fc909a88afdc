import { isUnavailable } from './committer.ts'
import type { Clock } from './queue.ts'
import { maxOutputBytes, webhookBody } from './webhook-body.ts'
import { holdTries } from './webhook-schedule.ts'
import { settlementOf, triedDelivery } from './webhook-settlement.ts'
import { deliveryId } from './webhooks.ts'
import type { ClaimedDelivery, DeliveryQueue, TriedDelivery, WebhookAnswer, WebhookSender } from './webhooks.ts'
import { pause } from './work-loop.ts'

const pollMs = 1000
/** Longer than a try may take, with what is written after it. */
const leaseMs = 60_000
const settlingTries = 5

export interface WebhookCourierParts {
  readonly queue: DeliveryQueue
  readonly sender: WebhookSender
  readonly clock: Clock
  /** The service's own secret; null: it has none. */
  readonly secret: string | null
  /** Told of every try, once it is written down; must not throw. */
  readonly observe: (tried: TriedDelivery) => void
  readonly report: (error: unknown) => void
}

export interface WebhookCourierOptions {
  /** This process is the only one: whatever was in flight when it died is due at once. */
  readonly onlyProcess: boolean
  /** Messages in flight at once; default 64. */
  readonly maxInFlight?: number
  /** To one receiver (scheme, host and port); default 8. */
  readonly maxPerOrigin?: number
}

/** Sends webhooks, in places of its own: who does not answer holds up nothing but what is for him. */
export interface WebhookCourier {
  start(): void
  /** There may be something to send. */
  wake(): void
  /** Takes nothing new; what is in flight has `graceMs` to end, then it is aborted and given back. */
  stop(graceMs: number): Promise<void>
}

/**
 * At least once, under one `webhook-id`: what was sent by a process that died before it could say so is sent again when
 * its lease is over.
 */
export function createWebhookCourier(parts: WebhookCourierParts, options: WebhookCourierOptions): WebhookCourier {
  const { queue, clock, report } = parts
  const { onlyProcess, maxInFlight = 64, maxPerOrigin = 8 } = options
  const stopping = new AbortController()
  const aborting = new AbortController()
  const inFlight = new Map<ClaimedDelivery, Promise<void>>()
  let woken = Promise.withResolvers<void>()
  let running: Promise<void> = Promise.resolve()
  const wake = () => woken.resolve()

  const begin = (delivery: ClaimedDelivery) => {
    const work = deliver(parts, delivery, aborting.signal)
      .catch((error: unknown) => (isUnavailable(error) ? undefined : report(error)))
      .finally(() => {
        inFlight.delete(delivery)
        wake()
      })
    inFlight.set(delivery, work)
  }
  /** True when there may be more right now. */
  const takeOnce = async (): Promise<boolean> => {
    const limit = maxInFlight - inFlight.size
    if (limit <= 0) return false
    const counts = countByOrigin([...inFlight.keys()])
    const asked = { now: clock.now(), leaseMs, limit, perOrigin: maxPerOrigin, inFlight: counts }
    const claimed = await queue.claim({ ...asked, holdTries, maxOutputBytes })
    for (const delivery of claimed) begin(delivery)
    return claimed.length === limit
  }
  const run = async () => {
    if (onlyProcess) await queue.releaseAll().catch(report)
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers()
      // An outage of the database is told by its probe.
      const more = await takeOnce().catch((error: unknown) => void (isUnavailable(error) || report(error)))
      if (more !== true) await Promise.race([woken.promise, pause(pollMs, stopping.signal)])
    }
  }

  return {
    start() {
      running = run()
    },
    wake,
    async stop(graceMs) {
      stopping.abort()
      await running
      const ended = new AbortController()
      const all = Promise.all(inFlight.values()).then(() => ended.abort())
      await pause(graceMs, ended.signal)
      aborting.abort()
      await all
    },
  }
}

function countByOrigin(deliveries: readonly ClaimedDelivery[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { origin } of deliveries) counts[origin] = (counts[origin] ?? 0) + 1
  return counts
}

async function deliver(parts: WebhookCourierParts, delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
  const at = parts.clock.now()
  const answer = await send(parts, delivery, { at, signal })
  if (answer === 'aborted') return parts.queue.release(delivery)
  const endedAt = parts.clock.now()
  const settlement = settlementOf(delivery, answer, { at, endedAt })
  const isWritten = await persist(() => parts.queue.settle(delivery, settlement), signal)
  // Nothing is told of what was deleted meanwhile, or is somebody else's by now.
  if (isWritten && answer !== null) parts.observe(triedDelivery(delivery, answer, settlement))
}

/** null: there is nothing to send any more. */
async function send(
  { sender, secret }: WebhookCourierParts,
  delivery: ClaimedDelivery,
  { at, signal }: { readonly at: number; readonly signal: AbortSignal },
): Promise<WebhookAnswer | null | 'aborted'> {
  if (delivery.disabled) return null
  const key = delivery.secret ?? secret
  if (key === null) return { statusCode: null, error: 'there is no secret to sign with', durationMs: 0 }
  const { workflowId, seq, url } = delivery
  const message = { id: deliveryId(workflowId, seq), url, secret: key, body: webhookBody(delivery), sentAt: at }
  try {
    return await sender.send(message, signal)
  } catch (error) {
    if (signal.aborted) return 'aborted'
    throw error
  }
}

/** What was sent should be written down even if the database is away for a moment, or it is sent twice. */
async function persist(write: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write()
    } catch (error) {
      if (!isUnavailable(error) || tries === settlingTries || signal.aborted) throw error
    }
    await pause(pollMs, signal)
  }
}
