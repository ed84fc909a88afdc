/** Time as the model client sees it; a test moves it by hand. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Runs `run` once, `delayMs` from now; does not keep the process alive. The result cancels it. */
  after(delayMs: number, run: () => void): () => void
}

// setTimeout fires at once when given more
const longestTimerMs = 2 ** 31 - 1

/** The machine's own clock. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    after: (delayMs, run) => {
      const timer = setTimeout(run, Math.min(Math.ceil(delayMs), longestTimerMs))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
