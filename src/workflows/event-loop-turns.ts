/** Lets work go on a little at a time: at most `perTurn` resolve within one turn of the event loop, the rest in order. */
export function createEventLoopTurns(perTurn: number): () => Promise<void> {
  const waiting: (() => void)[] = []
  let left = perTurn
  let scheduled = false

  const begin = () => {
    scheduled = false
    left = perTurn
    while (left > 0 && waiting.length > 0) {
      left -= 1
      waiting.shift()?.()
    }
    if (waiting.length > 0) schedule()
  }
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(begin)
  }
  return () => {
    schedule()
    if (left > 0 && waiting.length === 0) {
      left -= 1
      return Promise.resolve()
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
}
