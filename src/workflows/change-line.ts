import type { Decision } from './draft.ts'
import type { PlannedChange } from './planned-change.ts'
import type { Claim } from './workflow.ts'

/** A change that is to be made. */
export interface WantedChange {
  /** On the state as it stands then; asked again whenever somebody else was first. */
  readonly plan: () => Promise<PlannedChange>
  /** The claim that it takes; null: it is made under the one that is held. */
  readonly take: Claim | null
}

/** A change that the state allows. */
export interface DecidedChange {
  readonly wanted: WantedChange
  readonly planned: PlannedChange
  readonly decision: Decision
}

export interface ChangeLineParts {
  /** Decides on the state that all before it have left; null: that does not allow it. */
  readonly decide: (planned: PlannedChange) => Decision | null
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

  /** Puts it among the decided, or tells that it is not allowed. false: it has to wait until those are stored. */
  const decideOne = async (next: Waiting, decided: Decided[]): Promise<boolean> => {
    const planned = await next.wanted.plan().catch((error: unknown) => {
      next.done.reject(error)
      return null
    })
    // The versions of its files stand on those that are about to be stored.
    if (planned !== null && hasFiles(planned) && decided.some((one) => hasFiles(one.planned))) return false
    const decision = planned === null ? null : parts.decide(planned)
    if (planned === null || decision === null) next.done.resolve(false)
    else decided.push({ ...next, planned, decision })
    return true
  }

  const decideWaiting = async (decided: Decided[], most: number): Promise<void> => {
    for (let next = waiting[0]; next !== undefined && decided.length < most; next = waiting[0]) {
      // The right to write is given once for all of them.
      if (decided.length > 0 && next.wanted.take !== null) return
      if (!(await decideOne(next, decided))) return
      waiting.shift()
      if (waiting.length === 0 && most > 1 && parts.show()) await nextTurn()
    }
  }

  const storeTogether = async (most: number): Promise<void> => {
    const decided: Decided[] = []
    try {
      await decideWaiting(decided, most)
      const outcome = decided.length === 0 ? 'refused' : await parts.commit(decided)
      if (outcome === 'again') waiting.unshift(...decided)
      else for (const { done } of decided) done.resolve(outcome === 'stored')
    } catch (error) {
      parts.revert()
      if (decided.length === 1) return decided[0]?.done.reject(error)
      // What one of them is refused for must not take the others with it.
      waiting.unshift(...decided)
      for (const _ of decided) await storeTogether(1)
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

function hasFiles({ artifacts = [] }: PlannedChange): boolean {
  return artifacts.length > 0
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
