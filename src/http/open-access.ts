import type { AccessOptions } from './app-parts.ts'

/** Everybody may do everything, as often as he likes: what holds where nothing is configured. */
export const openAccess: AccessOptions = {
  apiKeys: [],
  ratePerMinute: 0,
  failuresPerMinute: 60,
  maxStreamsPerKey: 0,
  overloadDelayMs: 0,
  ticketMs: 3_600_000,
}
