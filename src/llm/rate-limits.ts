const limited = ['requests', 'tokens', 'project-tokens']
const longestResetMs = 24 * 60 * 60 * 1000

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 0.001, µs: 0.001 }

/**
 * Milliseconds until a server that has nothing left for us (`x-ratelimit-remaining-requests: 0`, `-tokens: 0`) has
 * again, by its `x-ratelimit-reset-*`: a Go duration (OpenAI, Groq: `6m0s`, `1.5s`, `120ms`), seconds, or an RFC 3339
 * date. null when something is left or nothing is said. At most a day.
 */
export function pauseUntilReset(header: (name: string) => string | null, wallNowMs: number): number | null {
  const waits = limited
    .filter((what) => isNothing(header(`x-ratelimit-remaining-${what}`)))
    .map((what) => resetMs(header(`x-ratelimit-reset-${what}`)?.trim() ?? '', wallNowMs))
    .filter((waitMs) => waitMs !== null && waitMs > 0)
  return waits.length === 0 ? null : Math.min(Math.max(...(waits as number[])), longestResetMs)
}

// Azure counts below zero
function isNothing(remaining: string | null): boolean {
  return remaining !== null && /^\s*(?:-\d+|-?0+)(?:\.\d+)?\s*$/.test(remaining) && Number(remaining) <= 0
}

function resetMs(value: string, wallNowMs: number): number | null {
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(value)) return Number(value) * 1_000
  if (/^\d{4}-\d\d-\d\d[Tt ]/.test(value)) {
    const at = Date.parse(value)
    return Number.isNaN(at) ? null : Math.max(0, at - wallNowMs)
  }
  return durationMs(value)
}

function durationMs(value: string): number | null {
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms|m|us|µs|s)){1,6}$/.test(value)) return null
  const parts = value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|s)/g)
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0)
}
