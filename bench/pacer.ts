/** Makes many streams send at the same rate, each in its own part of the interval. */
export interface Pacer {
  /** `send` is called `rate` times a second until the result is called. */
  add(send: () => void): () => void
  stop(): void
}

interface Stream {
  dueAt: number
  readonly send: () => void
}

const tickMs = 1

/** Starts without streams. `phases`: how many parts an interval is divided into, normally the number of streams. */
export function createPacer({ rate, phases }: { readonly rate: number; readonly phases: number }): Pacer {
  const intervalMs = 1_000 / rate
  const streams = new Set<Stream>()
  let added = 0
  const tick = (): void => {
    const now = performance.now()
    for (const stream of streams) {
      while (stream.dueAt <= now) {
        stream.dueAt += intervalMs
        stream.send()
      }
    }
  }
  const timer = setInterval(tick, tickMs)
  return {
    add: (send) => {
      const phase = (added % phases) / phases
      added += 1
      const stream: Stream = { dueAt: performance.now() + intervalMs * (1 + phase), send }
      streams.add(stream)
      return () => void streams.delete(stream)
    },
    stop: () => clearInterval(timer),
  }
}
