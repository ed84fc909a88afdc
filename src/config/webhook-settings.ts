import { Type } from '@sinclair/typebox'
import { flag, text } from './setting.ts'

/** Telling others of events over HTTP. */
export const webhookSettings = {
  webhooks: Type.Object(
    {
      enabled: flag({ default: false, description: 'Workflows may ask to be told of by webhook.' }),
      secret: text({
        default: '',
        format: 'webhook-secret-or-empty',
        secret: true,
        description: 'Signs the messages of workflows that bring no secret of their own. Empty: those are refused.',
      }),
      allowed_hosts: Type.Array(Type.String({ format: 'host-and-port' }), {
        default: [],
        description:
          'Hosts that may be called, as name or name:port. Empty: any public one. With a list only these, and then also on a private or loopback address.',
      }),
    },
    { default: {}, additionalProperties: false },
  ),
}

/** The settings below `webhooks`. */
export interface WebhookSettings {
  readonly enabled: boolean
  /** Empty: none. */
  readonly secret: string
  /** Empty: any public host. */
  readonly allowedHosts: readonly string[]
}
