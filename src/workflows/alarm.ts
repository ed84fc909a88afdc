/** Lets one loop wait for the next thing to do. */
export interface Alarm {
  /** Ends the wait, or the next one if there is none. */
  ring(): void
  /** Resolves when it rings, or after the time; never rejects. Keeps no process alive. One wait at a time. */
  wait(ms: number): Promise<void>
}

/** Creates one that has not rung. */
export function createAlarm(): Alarm {
  let rung = false
  let wake: (() => void) | null = null
  return {
    ring() {
      rung = true
      wake?.()
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms).unref()
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = null
      rung = false
    },
  }
}
