/** A piece of work that takes the turn. It must not throw. */
export type Turn = () => Promise<void>

/** A transaction has the turn until it ends. */
interface OpenTransaction {
  readonly id: number
  readonly timer: NodeJS.Timeout
  /** Its statements, one after the other. */
  tail: Promise<void>
}

export interface TurnsOptions {
  readonly transactionLimitMs: number
  /** Undoes the open transaction, whose time is up. */
  readonly giveUp: Turn
  /** Something to do while nobody waits; null when there is nothing. */
  readonly idle: () => Turn | null
}

/** Who may use the only connection: one unit of work at a time, in the order of arrival. */
export interface Turns {
  /** Runs `work` when its turn comes. `transaction` set: the turn is then kept for it until `leave`. */
  enter(transaction: number | null, work: Turn): void
  /** Runs `work` inside the transaction that has the turn; false when that one does not have it (any more). */
  within(transaction: number, work: Turn): boolean
  /** As `within`, and gives the turn away afterwards. */
  leave(transaction: number, work: Turn): boolean
  /** Nothing runs any more, whoever waits. */
  stop(): void
}

/** Turns for a connection that can do one thing at a time. */
export function createTurns(options: TurnsOptions): Turns {
  const waiting: { readonly transaction: number | null; readonly work: Turn }[] = []
  let open: OpenTransaction | null = null
  let busy = false
  let stopped = false

  async function occupy(work: Turn): Promise<void> {
    busy = true
    await work()
    busy = false
    next()
  }

  function expire(id: number): void {
    if (open?.id !== id) return
    const { tail } = open
    // From here on its messages are refused, and the next in line waits for the rollback.
    open = null
    void occupy(() => tail.then(options.giveUp))
  }

  function next(): void {
    if (stopped || busy || open) return
    const unit = waiting.shift()
    const work = unit?.work ?? options.idle()
    if (!work) return
    if (!unit || unit.transaction === null) return void occupy(work)
    const id = unit.transaction
    const timer = setTimeout(() => expire(id), options.transactionLimitMs)
    // The first statement is the head of the tail, so that the time limit waits for it too.
    open = { id, timer, tail: work() }
  }

  async function after(earlier: Promise<void>, work: Turn): Promise<void> {
    await earlier
    if (!stopped) await work()
  }

  function within(transaction: number, work: Turn): boolean {
    if (stopped || open?.id !== transaction) return false
    open.tail = after(open.tail, work)
    return true
  }

  async function finish(id: number, work: Turn): Promise<void> {
    await work()
    if (open?.id !== id) return
    clearTimeout(open.timer)
    open = null
    next()
  }

  return {
    enter: (transaction, work) => {
      waiting.push({ transaction, work })
      next()
    },
    within,
    leave: (transaction, work) => within(transaction, () => finish(transaction, work)),
    stop: () => {
      stopped = true
      if (open) clearTimeout(open.timer)
    },
  }
}
