import { expect, vi } from 'vitest'
import { isUnavailable } from '../../src/workflows/committer.ts'
import { createWebhookCourier } from '../../src/workflows/webhook-courier.ts'
import type { WebhookCourier, WebhookCourierOptions } from '../../src/workflows/webhook-courier.ts'
import type { DeliveryQueue, TriedDelivery, WebhookAnswer, WebhookMessage } from '../../src/workflows/webhooks.ts'

/** What a receiver does with a message; null: it hangs until the courier gives up. */
export type Receive = (message: WebhookMessage) => WebhookAnswer | null

export const ok: WebhookAnswer = { statusCode: 204, error: null, durationMs: 1 }
export const refused: WebhookAnswer = { statusCode: null, error: 'the connection was refused', durationMs: 1 }
export const goneForGood: WebhookAnswer = { statusCode: 410, error: 'the answer was 410', durationMs: 1 }
export const failing: WebhookAnswer = { statusCode: 500, error: 'the answer was 500', durationMs: 1 }

/** Couriers on one queue, with a receiver and a clock of the test's own. */
export interface CourierBench {
  readonly sent: WebhookMessage[]
  readonly observed: TriedDelivery[]
  /** Given to couriers that are opened from now on. */
  queue: DeliveryQueue
  receive: Receive
  now(): number
  /** Moves the clock, and has every courier look. */
  advance(ms: number): void
  /** Another replica. */
  open(options?: Partial<WebhookCourierOptions>): WebhookCourier
  /** Waits until so many messages were sent in all, and what came of them is written down. */
  settled(count: number): Promise<void>
  close(): Promise<void>
}

export function createCourierBench(queue: DeliveryQueue, startAt: number): CourierBench {
  const couriers: WebhookCourier[] = []
  const errors: unknown[] = []
  let now = startAt
  const bench: CourierBench = {
    sent: [],
    observed: [],
    queue,
    receive: () => ok,
    now: () => now,
    advance(ms) {
      now += ms
      for (const courier of couriers) courier.wake()
    },
    open(options = {}) {
      const courier = createWebhookCourier(
        {
          queue: bench.queue,
          sender: {
            async send(message, signal) {
              bench.sent.push(message)
              const answer = bench.receive(message)
              if (answer !== null) return answer
              return new Promise((_, reject) => {
                signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
              })
            },
          },
          clock: { now: () => now },
          secret: 'whsec_service',
          observe: (tried) => void bench.observed.push(tried),
          report: (error) => void (isUnavailable(error) || errors.push(error)),
        },
        { onlyProcess: false, ...options },
      )
      couriers.push(courier)
      courier.start()
      return courier
    },
    settled: (count) =>
      vi.waitFor(() => expect([bench.sent.length, bench.observed.length]).toEqual([count, count]), {
        timeout: 20_000,
        interval: 10,
      }),
    async close() {
      await Promise.all(couriers.map((courier) => courier.stop(0)))
      expect(errors).toEqual([])
    },
  }
  return bench
}

export function typeOf({ body }: WebhookMessage): string {
  return (JSON.parse(body) as { type: string }).type
}

/** Number of the event that a message tells of. */
export function seqOf({ id }: WebhookMessage): number {
  return Number(id.split('_').at(-1))
}
