import type { Clock } from '../../src/llm/clock.ts'

/** A clock that stands still until it is moved. */
export interface HandClock extends Clock {
  /** Moves on and runs what has become due, in its order. */
  advance(byMs: number): void
  /** Timers that are set. */
  timers(): number
}

/** Starts at 0. */
export function createHandClock(): HandClock {
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  let now = 0
  const nextUntil = (end: number) =>
    [...timers].filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at)[0]
  return {
    now: () => now,
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance: (byMs) => {
      const end = now + byMs
      for (let timer = nextUntil(end); timer !== undefined; timer = nextUntil(end)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.run()
      }
      now = end
    },
    timers: () => timers.size,
  }
}
