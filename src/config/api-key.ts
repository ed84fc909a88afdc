import { createHash, randomBytes } from 'node:crypto'

/** What a key may do: `write` includes `read`, `admin` everything. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** One API key as the settings name it. The key itself is nowhere but with its owner. */
export interface ApiKey {
  readonly name: string
  /** SHA-256 of the whole key, 64 hex digits in lower case. */
  readonly sha256: string
  readonly scopes: readonly Scope[]
}

/** What a key's name may be; it becomes a label of metrics and stands in the log. */
export const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const HASH = /^[0-9a-f]{64}$/i
const prefix = 'lma_'
const keyBytes = 32

function isScope(word: string): word is Scope {
  return (SCOPES as readonly string[]).includes(word)
}

/** Scopes joined by `+`; null when one is unknown or there is none. */
export function parseScopes(text: string): readonly Scope[] | null {
  const words = text.split('+')
  return words.every(isScope) ? [...new Set(words)] : null
}

/**
 * Reads `name:sha256` or `name:sha256:scopes`. What is wrong is told as the end of a sentence, and without a word of what
 * was written: whoever gets it wrong may have put the key itself there.
 */
export function parseApiKey(text: string): ApiKey | { readonly fault: string } {
  const [name = '', hash = '', scopes = 'write', ...rest] = text.split(':').map((part) => part.trim())
  const granted = parseScopes(scopes)
  if (rest.length > 0 || hash === '') return { fault: 'must be name:sha256 or name:sha256:scopes' }
  if (!KEY_NAME.test(name)) {
    return { fault: 'must begin with a name of at most 63 of a–z, A–Z, 0–9, ., _ and -, a letter or digit first' }
  }
  if (!HASH.test(hash)) return { fault: 'must have the SHA-256 of the key, 64 hex digits, after its name' }
  if (granted === null) return { fault: `must have scopes of ${SCOPES.join(', ')}, joined by +` }
  return { name, sha256: hash.toLowerCase(), scopes: granted }
}

/** SHA-256 of a key in hex, as the settings have it. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** A new key of 256 random bits, and the entry of `API_KEYS` that lets it in. */
export function makeApiKey(name: string, scopes: readonly Scope[]): { readonly key: string; readonly entry: string } {
  const key = prefix + randomBytes(keyBytes).toString('base64url')
  return { key, entry: [name, hashOfKey(key), scopes.join('+')].join(':') }
}
