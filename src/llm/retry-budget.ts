import type { Clock } from './clock.ts'

/** The share of an endpoint's calls that may repeat failed ones, so that a dying server is not stormed. */
export interface RetryBudget {
  /** A call is made, whatever it is. */
  readonly countCall: () => void
  /** A call that repeats a failed one is about to be made. */
  spend(): void
  /** Milliseconds until the next repeated call may be made, 0 for now. */
  readonly waitMs: () => number
}

const windowMs = 60_000
// a lone call keeps its tries
const alwaysAllowed = 10

/** `percent` of the calls of the last minute, but never fewer than 10. */
export function createRetryBudget(percent: number, { clock }: { readonly clock: Clock }): RetryBudget {
  const calls = createRecentCount(clock)
  let retriedAt: readonly number[] = []
  const recentRetries = (): readonly number[] => {
    const since = clock.now() - windowMs
    if ((retriedAt[0] ?? Number.POSITIVE_INFINITY) <= since) retriedAt = retriedAt.filter((at) => at > since)
    return retriedAt
  }
  return {
    countCall: calls.add,
    spend: () => {
      retriedAt = [...recentRetries(), clock.now()]
    },
    waitMs: () => {
      const allowed = Math.max(alwaysAllowed, Math.floor((calls.sum() * percent) / 100))
      const spent = recentRetries()
      const oldestInTheWay = spent[spent.length - allowed]
      return oldestInTheWay === undefined ? 0 : Math.max(1, oldestInTheWay + windowMs - clock.now())
    },
  }
}

const slotMs = 1_000

interface Slot {
  readonly from: number
  count: number
}

/** Counts to the second: a minute of calls in at most 61 numbers. */
function createRecentCount(clock: Clock): { readonly add: () => void; readonly sum: () => number } {
  let slots: readonly Slot[] = []
  const recent = (): readonly Slot[] => {
    const since = clock.now() - windowMs
    if ((slots[0]?.from ?? Number.POSITIVE_INFINITY) <= since) slots = slots.filter(({ from }) => from > since)
    return slots
  }
  return {
    add: () => {
      const from = Math.floor(clock.now() / slotMs) * slotMs
      const last = recent().at(-1)
      if (last?.from === from) last.count += 1
      else slots = [...slots, { from, count: 1 }]
    },
    sum: () => recent().reduce((total, { count }) => total + count, 0),
  }
}
