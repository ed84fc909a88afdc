import type { Settings } from './config/settings.ts'
import type { Log } from './observability/log.ts'
import type { Metrics } from './observability/metrics.ts'
import { observeWebhooks } from './observability/observe-webhooks.ts'
import type { Storage } from './storage/create-storage.ts'
import type { ServiceParts } from './workflows/create-service.ts'
import { createWebhookCourier } from './workflows/webhook-courier.ts'

const closingMs = 3000

/** What sends webhooks; while they are off it does nothing. */
export interface Webhooks {
  readonly forServices: Required<Pick<ServiceParts, 'deliveries' | 'webhooks'>>
  readonly start: () => void
  /** There may be something to send. */
  readonly wake: () => void
  /** What is in flight has three seconds to end. */
  readonly close: () => Promise<void>
}

export interface WebhooksParts {
  readonly storage: Storage
  readonly version: string
  readonly log: Log
  readonly metrics: Metrics | null
  readonly report: (error: unknown) => void
}

/** Joins what sends webhooks; nothing is sent before `start`. */
export async function composeWebhooks({ webhooks: settings }: Settings, parts: WebhooksParts): Promise<Webhooks> {
  const { enabled, secret, allowedHosts } = settings
  const { storage, version, log, metrics, report } = parts
  const forServices = { deliveries: storage.deliveries, webhooks: { enabled, hasSecret: secret !== '' } }
  if (!enabled) return { forServices, start: () => undefined, wake: () => undefined, close: async () => undefined }
  // Only who needs it waits for it to be loaded.
  const { createWebhookSender } = await import('./webhooks/webhook-sender.ts')
  const sender = createWebhookSender({ version, allowedHosts })
  const courier = createWebhookCourier(
    {
      queue: storage.deliveries,
      sender,
      clock: storage.clock,
      secret: secret === '' ? null : secret,
      observe: observeWebhooks({ log, metrics }),
      report,
    },
    { onlyProcess: storage.embedded },
  )
  return {
    forServices,
    start: () => courier.start(),
    wake: () => courier.wake(),
    async close() {
      await courier.stop(closingMs)
      await sender.close()
    },
  }
}
