/** Those who wait for one moment, and are all woken by it. */
export interface WaitingRoom {
  readonly size: () => number
  /** Resolves at the next `wake`; rejects with the signal's reason. */
  readonly wait: (signal: AbortSignal) => Promise<void>
  readonly wake: () => void
}

/** An empty one. */
export function createWaitingRoom(): WaitingRoom {
  const waiting = new Set<() => void>()
  return {
    size: () => waiting.size,
    wait: (signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const giveUp = (): void => {
          waiting.delete(ready)
          reject(signal.reason as Error)
        }
        const ready = (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        }
        signal.addEventListener('abort', giveUp, { once: true })
        waiting.add(ready)
      }),
    wake: () => {
      const woken = [...waiting]
      waiting.clear()
      for (const ready of woken) ready()
    },
  }
}
