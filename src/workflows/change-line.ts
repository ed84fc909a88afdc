import type { Decision } from './draft.ts'
import type { RunnerChange } from './planned-change.ts'
import type { Claim } from './workflow.ts'

/** A change that is to be made. */
export interface WantedChange {
  /** On the state as it stands then; asked again whenever somebody else was first. null: no change after all. */
  readonly plan: () => Promise<RunnerChange | null>
  /** The claim that it takes; null: it is made under the one that is held. */
  readonly take: Claim | null
}

/** A change that the state allows. */
export interface DecidedChange {
  readonly wanted: WantedChange
  readonly planned: RunnerChange
  readonly decision: Decision
}

export interface ChangeLineParts {
  /** Decides on the state that all before it have left; null: that does not allow it. */
  readonly decide: (planned: RunnerChange) => Decision | null
  /** Stores all or nothing. `again`: somebody else was first, and the state is a new one. `refused`: nothing may be stored. */
  readonly commit: (decided: readonly DecidedChange[]) => Promise<'stored' | 'again' | 'refused'>
  /** Goes back to the state that was stored last. */
  readonly revert: () => void
  /** Lets whoever waits for the state see it as it stands; false: nobody does. */
  readonly show: () => boolean
}

/** Changes of one workflow, made one after the other. */
export interface ChangeLine {
  /** true once it is stored; false when it cannot be. Rejects when it, or storing it, failed. */
  make(wanted: WantedChange): Promise<boolean>
  /** Runs work when everything that was decided before is stored. */
  between(work: () => Promise<void>): Promise<void>
}

/** So many at most are stored together, so that the first does not wait for ever. */
const mostTogether = 16

interface Waiting {
  readonly wanted: WantedChange
  readonly done: PromiseWithResolvers<boolean>
}

type Decided = DecidedChange & Waiting

/** Changes that stand or fall together. */
interface Batch {
  readonly decided: Decided[]
  /** Those of them, and what the state that they leave does not allow: that holds only once they are stored. */
  readonly asked: Waiting[]
}

/**
 * Creates a line. What waits together, and what comes of that within a turn of the event loop, is stored together: a
 * step that has become ready begins with the change that made it ready.
 */
export function createChangeLine(parts: ChangeLineParts): ChangeLine {
  const waiting: Waiting[] = []
  let last: Promise<unknown> = Promise.resolve()
  let draining = false

  const serially = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  const decideWaiting = async (batch: Batch, most: number): Promise<void> => {
    const { decided } = batch
    for (let next = waiting[0]; next !== undefined && decided.length < most; next = waiting[0]) {
      // The right to write is given once for all of them.
      if (decided.length > 0 && next.wanted.take !== null) return
      if (!(await decideOne(parts, next, batch))) return
      waiting.shift()
      if (waiting.length === 0 && most > 1 && parts.show()) await nextTurn()
    }
  }

  const storeTogether = async (most: number): Promise<void> => {
    const batch: Batch = { decided: [], asked: [] }
    const { decided, asked } = batch
    try {
      await decideWaiting(batch, most)
      const outcome = decided.length === 0 ? 'refused' : await parts.commit(decided)
      if (outcome === 'again') waiting.unshift(...asked)
      else for (const { done } of asked) done.resolve(outcome === 'stored' && decided.some((one) => one.done === done))
    } catch (error) {
      parts.revert()
      // What one of them is refused for must not take the others with it.
      const [only] = asked
      if (only !== undefined && asked.length === 1) return only.done.reject(error)
      waiting.unshift(...asked)
      for (const _ of asked) await storeTogether(1)
    }
  }

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await storeTogether(mostTogether)
    draining = false
  }

  return {
    make(wanted) {
      const done = Promise.withResolvers<boolean>()
      waiting.push({ wanted, done })
      if (!draining) void serially(drain)
      draining = true
      return done.promise
    },
    between: serially,
  }
}

/** Puts it into the batch. false: it has to wait until that is stored. */
async function decideOne({ decide }: ChangeLineParts, next: Waiting, { decided, asked }: Batch): Promise<boolean> {
  try {
    const planned = await next.wanted.plan()
    // The versions of its files stand on those that are about to be stored.
    if (hasFiles(planned) && decided.some((one) => hasFiles(one.planned))) return false
    const decision = planned === null ? null : decide(planned)
    if (planned !== null && decision !== null) decided.push({ ...next, planned, decision })
    if (decided.length > 0) asked.push(next)
    else next.done.resolve(false)
  } catch (error) {
    next.done.reject(error)
  }
  return true
}

function hasFiles(planned: RunnerChange | null): boolean {
  return (planned?.artifacts ?? []).length > 0
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
