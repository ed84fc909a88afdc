import { createHandClock, type HandClock } from '../support/hand-clock.ts'

/** A hand clock that shows what it has been asked for. */
export interface WatchedClock extends HandClock {
  /** Resolves once something is due in exactly so many milliseconds. */
  dueIn(delayMs: number): Promise<void>
}

/** Starts at 0. */
export function createWatchedClock(): WatchedClock {
  const clock = createHandClock()
  const times = new Set<{ readonly at: number }>()
  return {
    ...clock,
    after: (delayMs, run) => {
      const time = { at: clock.now() + delayMs }
      times.add(time)
      const cancel = clock.after(delayMs, () => {
        times.delete(time)
        run()
      })
      return () => {
        times.delete(time)
        cancel()
      }
    },
    dueIn: (delayMs) => until(() => [...times].some(({ at }) => at === clock.now() + delayMs)),
  }
}

/** Resolves when everything that can happen now has made `isSo` true. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
