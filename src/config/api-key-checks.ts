import { parseApiKey } from './api-key.ts'
import type { ApiKey } from './api-key.ts'
import { findEntry, type CheckedSettings } from './checked-settings.ts'
import type { Fault } from './config-error.ts'
import { faultOf } from './reading.ts'

type Parsed = ReturnType<typeof parseApiKey>

/** Each key must be well-formed, and neither name nor hash may come twice. Entries are told by their number only. */
export function checkApiKeys({ file, entries, invalid }: CheckedSettings): readonly Fault[] {
  const entry = findEntry(entries, 'api_keys')
  if (entry === undefined || invalid.has('api_keys')) return []
  const parsed = file.api_keys.map(parseApiKey)
  return parsed.flatMap((key, index) => {
    const detail = 'fault' in key ? key.fault : repetition(parsed.slice(0, index), key)
    return detail === null ? [] : [faultOf(entry, `entry ${index + 1} ${detail}`)]
  })
}

/** Keys alone open the service to other machines; keys that nobody would ask for are a mistake. */
export function checkAuth({ file, entries, invalid }: CheckedSettings): readonly Fault[] {
  const entry = findEntry(entries, 'auth')
  if (entry === undefined || invalid.has('auth') || invalid.has('api_keys')) return []
  if (file.auth !== 'none' || file.api_keys.length === 0) return []
  const detail = 'is none, so nobody would be asked for one of the API keys: set AUTH=keys, or remove API_KEYS'
  return [faultOf(entry, detail)]
}

function repetition(before: readonly Parsed[], { name, sha256 }: ApiKey): string | null {
  const sameName = before.findIndex((other) => 'name' in other && other.name === name)
  if (sameName >= 0) return `has the name of entry ${sameName + 1}: every key needs its own`
  const sameHash = before.findIndex((other) => 'name' in other && other.sha256 === sha256)
  return sameHash >= 0 ? `has the hash of entry ${sameHash + 1}: one key cannot be two` : null
}
