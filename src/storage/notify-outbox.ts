/** Ids that wait to be sent, each once, for one sender. */
export interface NotifyOutbox {
  /** Wakes the sender at the end of this turn of the event loop, or when it has rested; what is added meanwhile goes together. */
  add(id: string): void
  /** Takes all that wait. */
  take(): readonly string[]
  /** Resolves when the sender has been woken since it asked last. */
  woken(): Promise<void>
  wake(): void
}

/** Beyond so many, ids are dropped: without a connection for so long, everybody looks by himself. */
const maxIds = 10_000
/** Each notification is a transaction of its own, so there are at most fifty a second, however much happens. */
const restMs = 20

/** Creates an empty one. */
export function createNotifyOutbox(): NotifyOutbox {
  const ids = new Set<string>()
  let bell = Promise.withResolvers<void>()
  let turning = false
  let lastAt = 0
  const ring = () => {
    turning = false
    lastAt = performance.now()
    bell.resolve()
  }

  return {
    add(id) {
      if (ids.size >= maxIds) return
      ids.add(id)
      if (turning) return
      turning = true
      const leftMs = lastAt + restMs - performance.now()
      if (leftMs <= 0) setImmediate(ring)
      else setTimeout(ring, leftMs).unref()
    },
    take() {
      const taken = [...ids]
      ids.clear()
      return taken
    },
    async woken() {
      await bell.promise
      bell = Promise.withResolvers()
    },
    wake: () => bell.resolve(),
  }
}
