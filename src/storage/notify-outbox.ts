/** Ids that wait to be sent, each once, for one sender. */
export interface NotifyOutbox {
  /** Wakes the sender at the end of this turn of the event loop, so that what is added in one turn is sent together. */
  add(id: string): void
  /** Takes all that wait. */
  take(): readonly string[]
  /** Resolves when the sender has been woken since it asked last. */
  woken(): Promise<void>
  wake(): void
}

/** Beyond so many, ids are dropped: without a connection for so long, everybody looks by himself. */
const maxIds = 10_000

/** Creates an empty one. */
export function createNotifyOutbox(): NotifyOutbox {
  const ids = new Set<string>()
  let bell = Promise.withResolvers<void>()
  let turning = false

  return {
    add(id) {
      if (ids.size >= maxIds) return
      ids.add(id)
      if (turning) return
      turning = true
      setImmediate(() => {
        turning = false
        bell.resolve()
      })
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
