import { createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { WorkflowRef } from '../workflows/service.ts'
import type { Identity, Keyring } from './keyring.ts'

/** What a client is given: it stands in an URL, as `?ticket=`. */
export interface StreamTicket {
  readonly ticket: string
  /** RFC 3339. */
  readonly expires_at: string
}

/** The right to read one stream until it expires, for a browser's EventSource, which cannot send headers. */
export interface StreamTickets {
  /** Throws `unavailable` while what signs cannot be read. */
  issue(owner: Identity, ref: Pick<WorkflowRef, 'kind' | 'id'>): Promise<StreamTicket>
  /**
   * Who reads with it. Throws `unauthorized` for one that is altered, has expired, is for another stream, or whose key
   * is gone; `unavailable` as `issue` does.
   */
  verify(ticket: string, ref: Pick<WorkflowRef, 'kind' | 'id'>): Promise<Identity>
}

/** What signs, shared by all replicas, and their common clock (milliseconds since the epoch). */
export interface Signing {
  readonly key: () => Promise<Uint8Array>
  readonly now: () => number
}

/** `expiry.mac.name`; the mac is 32 bytes in base64url. */
const form = /^([1-9]\d{0,15})\.([\w-]{43})\.([\w.-]{0,63})$/

interface Claim {
  readonly ref: Pick<WorkflowRef, 'kind' | 'id'>
  readonly expiry: string
  readonly holder: Identity
}

/** With the hash of the holder's key: a key that is taken away, or replaced, takes its tickets with it. */
function macOf(key: Uint8Array, { ref, expiry, holder }: Claim): string {
  const claimed = ['stream', ref.kind, ref.id, expiry, holder.principal.name, holder.credential]
  return createHmac('sha256', key).update(JSON.stringify(claimed)).digest('base64url')
}

function refuse(): never {
  throw new AppError('unauthorized', 'The ticket is not valid: it was altered, has expired, or is for another stream.')
}

/** Nothing is stored of a ticket: any replica can tell it, also after a restart. */
export function createStreamTickets(
  { signing, keyring }: { readonly signing: Signing; readonly keyring: Keyring },
  { lifeMs }: { readonly lifeMs: number },
): StreamTickets {
  return {
    async issue(holder, ref) {
      const expiresAt = Math.floor(signing.now() + lifeMs)
      const expiry = String(expiresAt)
      const mac = macOf(await signing.key(), { ref, expiry, holder })
      return { ticket: `${expiry}.${mac}.${holder.principal.name}`, expires_at: new Date(expiresAt).toISOString() }
    },
    async verify(ticket, ref) {
      const [, expiry = '', mac = '', name = ''] = form.exec(ticket) ?? refuse()
      const holder = keyring.named(name)
      if (holder === null || Number(expiry) <= signing.now()) return refuse()
      const expected = macOf(await signing.key(), { ref, expiry, holder })
      if (!timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) return refuse()
      return holder
    },
  }
}
