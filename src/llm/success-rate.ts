import type { Clock } from './clock.ts'

/** How calls went lately. */
export interface SuccessRate {
  count(success: boolean): void
  /** 0–1 over the last 5 minutes or 100 calls, whichever is fewer; null before any. */
  rate(): number | null
}

const windowMs = 5 * 60 * 1000
const windowCalls = 100

/** Starts without any call. */
export function createSuccessRate({ clock }: { readonly clock: Clock }): SuccessRate {
  let results: readonly { readonly at: number; readonly success: boolean }[] = []
  return {
    count: (success) => {
      results = [...results.slice(1 - windowCalls), { at: clock.now(), success }]
    },
    rate: () => {
      const since = clock.now() - windowMs
      const recent = results.filter(({ at }) => at >= since)
      return recent.length === 0 ? null : recent.filter(({ success }) => success).length / recent.length
    },
  }
}
