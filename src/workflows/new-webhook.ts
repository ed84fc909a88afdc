import { AppError } from '../errors.ts'
import type { LifecycleType } from './events.ts'
import type { WebhookRequest } from './requests.ts'

/** What a client is shown of its webhook, as it wrote it. */
export interface WebhookInput {
  readonly url: string
  readonly events: readonly LifecycleType[]
}

/** Where a new workflow's events are told. */
export interface NewWebhook {
  readonly url: string
  /** Scheme, host and port of the URL. */
  readonly origin: string
  /** null: the service's. */
  readonly secret: string | null
}

/** What the service makes of webhooks. */
export interface WebhookPolicy {
  readonly enabled: boolean
  /** The service has a secret for those that bring none. */
  readonly hasSecret: boolean
}

/** A request's webhook, for the state, the input and the sender; all null without one. */
export interface PlannedWebhook {
  readonly events: readonly LifecycleType[] | null
  readonly input: WebhookInput | null
  readonly webhook: NewWebhook | null
}

function refuse(pointer: string, detail: string): never {
  throw new AppError('invalid-workflow', `A webhook is not possible: ${pointer} ${detail}.`, {
    faults: [{ pointer, detail }],
  })
}

/** Takes a webhook apart. Throws `invalid-workflow` while the service sends none, and where nothing could sign it. */
export function planWebhook(request: WebhookRequest | undefined, policy?: WebhookPolicy): PlannedWebhook {
  if (request === undefined) return { events: null, input: null, webhook: null }
  if (policy?.enabled !== true) refuse('/webhook', 'is refused: this service sends no webhooks (WEBHOOKS_ENABLED)')
  const { url, events, secret = null } = request
  if (secret === null && !policy.hasSecret) {
    refuse('/webhook/secret', 'is missing, and the service has none of its own (WEBHOOKS_SECRET)')
  }
  return { events, input: { url, events }, webhook: { url, origin: new URL(url).origin, secret } }
}
