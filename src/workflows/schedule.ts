/** Says when something is due that is done from time to time. */
export interface Schedule {
  /** True at first, and then when it was true `everyMs` ago or longer. */
  due(everyMs: number): boolean
}

/** Creates one, by the monotonic clock. `first` false: as if it had been due just now. */
export function createSchedule({ first = true } = {}): Schedule {
  let last = first ? -Infinity : performance.now()
  return {
    due(everyMs) {
      const now = performance.now()
      if (now - last < everyMs) return false
      last = now
      return true
    },
  }
}
