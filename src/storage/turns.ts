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
  giveUp(): Promise<void>
  /** Something to do while nobody waits; false when there is nothing. */
  idle(): (() => Promise<void>) | null
}

/** Who may use the only connection: one unit of work at a time, in the order of arrival. */
export interface Turns {
  /** Runs `work` when its turn comes. `transaction` set: the turn is kept for it until `leave`. */
  enter(transaction: number | null, work: () => Promise<void>): void
  /** Runs `work` inside the transaction that has the turn; false when that one does not have it (any more). */
  within(transaction: number, work: () => Promise<void>): boolean
  /** As `within`, and gives the turn away afterwards. */
  leave(transaction: number, work: () => Promise<void>): boolean
  /** Starts idle work if nobody has the turn. */
  poke(): void
  /** Nothing runs any more, whoever waits. */
  stop(): void
}

/** None of the works given to it may throw. */
export function createTurns(options: TurnsOptions): Turns {
  const waiting: { readonly transaction: number | null; readonly work: () => Promise<void> }[] = []
  let open: OpenTransaction | null = null
  let busy = false
  let stopped = false

  function release(): void {
    if (open) clearTimeout(open.timer)
    open = null
    next()
  }

  function expire(id: number): void {
    if (open?.id !== id) return
    const expired = open
    // From here on its messages are refused, and the next in line has to wait for the rollback.
    open = null
    busy = true
    void expired.tail.then(options.giveUp).then(() => {
      busy = false
      next()
    })
  }

  function begin(id: number): void {
    const timer = setTimeout(() => expire(id), options.transactionLimitMs)
    open = { id, timer, tail: Promise.resolve() }
  }

  function next(): void {
    if (stopped || busy || open) return
    const unit = waiting.shift()
    const work = unit?.work ?? options.idle()
    if (!work) return
    busy = true
    if (unit && unit.transaction !== null) begin(unit.transaction)
    void work().then(() => {
      busy = false
      next()
    })
  }

  function within(transaction: number, work: () => Promise<void>): boolean {
    if (stopped || open?.id !== transaction) return false
    open.tail = open.tail.then(() => (stopped ? undefined : work()))
    return true
  }

  return {
    enter: (transaction, work) => {
      waiting.push({ transaction, work })
      next()
    },
    within,
    leave: (transaction, work) =>
      within(transaction, async () => {
        await work()
        release()
      }),
    poke: next,
    stop: () => {
      stopped = true
      if (open) clearTimeout(open.timer)
    },
  }
}
