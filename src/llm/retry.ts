/** What decides the wait before the next try. */
export interface RetryDelay {
  /** Tries made so far, at least 1. */
  readonly tries: number
  readonly initialMs: number
  /** Longest wait, jitter included. */
  readonly maxMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Milliseconds to wait before the next try: doubling, times a jitter of 0.5–1.5. What servers ask for is the gates'. */
export function retryDelayMs({ tries, initialMs, maxMs, random }: RetryDelay): number {
  const doubled = initialMs * 2 ** Math.max(0, tries - 1)
  return Math.round(Math.min(maxMs, doubled * (0.5 + random())))
}

// a server that asks for more than a day is not understood
const longestWaitMs = 24 * 60 * 60 * 1000

/**
 * What `retry-after-ms` or else `Retry-After` (seconds or an HTTP date, RFC 9110 10.2.3) asks for, in milliseconds
 * from `wallNowMs`; undefined when neither is there or can be read. At most a day.
 */
export function parseRetryAfter(
  header: (name: 'retry-after-ms' | 'retry-after') => string | null,
  wallNowMs: number,
): number | undefined {
  const waitMs = numberIn(header('retry-after-ms'), 1) ?? waitOf(header('retry-after'), wallNowMs)
  return waitMs === undefined ? undefined : Math.min(Math.ceil(waitMs), longestWaitMs)
}

function waitOf(value: string | null, wallNowMs: number): number | undefined {
  const seconds = numberIn(value, 1000)
  if (seconds !== undefined || value === null) return seconds
  // Date.parse alone takes "-5" for a year
  if (!/^[A-Za-z]{3,9},? /.test(value)) return undefined
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

function numberIn(value: string | null, unitMs: number): number | undefined {
  return value !== null && /^\s*\d{1,15}(\.\d{1,15})?\s*$/.test(value) ? Number(value) * unitMs : undefined
}
