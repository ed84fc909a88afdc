/** How late this process answers. */
export interface LoopDelay {
  /** By how many milliseconds, on average, whatever came up in the last seconds had to wait. */
  now(): number
  close(): void
}

interface LoopDelayClock {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Calls back every so many milliseconds until what it returns is called. */
  readonly every: (ms: number, tick: () => void) => () => void
}

const tickMs = 100
/** What was so long ago counts for a third. */
const memoryMs = 2000

const systemClock: LoopDelayClock = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms).unref()
    return () => clearInterval(timer)
  },
}

/**
 * Watches how late a timer comes, weighed by the time that passed meanwhile: one second in which nothing was answered
 * counts for more than a hundred moments in which everything was.
 */
export function watchLoopDelay(clock: LoopDelayClock = systemClock): LoopDelay {
  let average = 0
  let last = clock.now()
  const stop = clock.every(tickMs, () => {
    const passed = clock.now() - last
    last += passed
    const kept = Math.exp(-passed / memoryMs)
    average = average * kept + Math.max(0, passed - tickMs) * (1 - kept)
  })
  return { now: () => average, close: stop }
}
