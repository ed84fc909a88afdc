/** Counts the time of one start of a step, which goes on over its tries but not while it waits for its turn. */
export interface Stopwatch {
  /** Aborted when the counted time reaches the limit. */
  readonly timeUp: AbortSignal
  start(): void
  pause(): void
  /** Milliseconds counted so far. */
  elapsedMs(): number
}

/** Creates a stopwatch that already shows `usedMs` and stands still. Uses the monotonic clock. */
export function createStopwatch(usedMs: number, limitMs: number): Stopwatch {
  const controller = new AbortController()
  let counted = usedMs
  let since: number | null = null
  let timer: NodeJS.Timeout | undefined

  const elapsedMs = () => counted + (since === null ? 0 : performance.now() - since)
  const pause = () => {
    counted = elapsedMs()
    since = null
    clearTimeout(timer)
  }
  return {
    timeUp: controller.signal,
    start() {
      if (since !== null) return
      since = performance.now()
      // setTimeout takes at most 2^31 − 1 ms, which is longer than any step may run.
      const leftMs = Math.min(Math.max(0, limitMs - counted), 2 ** 31 - 1)
      timer = setTimeout(() => controller.abort(new Error('time is up')), leftMs)
    },
    pause,
    elapsedMs,
  }
}
