import { createHash, timingSafeEqual } from 'node:crypto'
import type { ApiKey, Scope } from '../config/api-key.ts'
import { everybody } from '../workflows/principal.ts'
import type { Principal } from '../workflows/principal.ts'

/** Who sends a request, and what he may do. */
export interface Identity {
  readonly principal: Principal
  readonly scopes: ReadonlySet<Scope>
  /** SHA-256 (hex) of his key, '' where nobody has one: what he is given for later goes with the key. */
  readonly credential: string
}

/** The keys that are configured. */
export interface Keyring {
  /** Nobody is asked for a key, because there is none. */
  readonly isEmpty: boolean
  /** Whose key this is; null: nobody's. Takes the same time whichever it is. */
  find(key: string): Identity | null
  /** Who has this name now; '' is everybody, while there are no keys. */
  named(name: string): Identity | null
}

/** Whoever asks where nobody has a key. */
export const anybody: Identity = { principal: everybody, scopes: new Set(['admin']), credential: '' }

/** What includes a scope. */
const grantedBy: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read', 'write', 'admin'],
  write: ['write', 'admin'],
  admin: ['admin'],
}

/** Whether somebody may do what needs this scope. */
export function hasScope({ scopes }: Identity, needed: Scope): boolean {
  return grantedBy[needed].some((scope) => scopes.has(scope))
}

function identityOf({ name, sha256, scopes }: ApiKey): Identity {
  return { principal: { name, seesAll: scopes.includes('admin') }, scopes: new Set(scopes), credential: sha256 }
}

/** Keeps the hashes of the keys, never a key. */
export function createKeyring(keys: readonly ApiKey[]): Keyring {
  const known = keys.map((key) => ({ hash: Buffer.from(key.sha256, 'hex'), identity: identityOf(key) }))
  const names = new Map(known.map(({ identity }) => [identity.principal.name, identity]))
  if (keys.length === 0) names.set('', anybody)
  return {
    isEmpty: keys.length === 0,
    find(key) {
      const hash = createHash('sha256').update(key).digest()
      let found: Identity | null = null
      // All of them, also after the right one: how long it takes tells nothing.
      for (const each of known) if (timingSafeEqual(each.hash, hash)) found = each.identity
      return found
    },
    named: (name) => names.get(name) ?? null,
  }
}
