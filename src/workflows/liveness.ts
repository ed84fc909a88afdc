import type { Followers } from './followers.ts'
import type { ActivationQueue } from './queue.ts'
import { sameClaim } from './committer.ts'
import type { Runner } from './runner.ts'
import type { WorkflowStore } from './store.ts'

const gapMs = 3000
const calmMs = 10_000
const sweepEveryMs = 60_000

export interface LivenessParts {
  readonly store: WorkflowStore
  readonly queue: ActivationQueue
  readonly followers: Followers
  readonly runners: () => readonly Runner[]
  /** Activates again what is active but has no live job. */
  readonly reactivate: (workflowId: string) => Promise<void>
}

/** One round a second keeps what this replica holds, notices what others changed, and finds what was lost. */
export interface Liveness {
  round(): Promise<void>
  /**
   * Compares what is known here of workflows that are held or followed with what is stored, and wakes whoever does not
   * know it yet. Without ids: of all of them.
   */
  look(workflowIds?: readonly string[]): Promise<void>
}

/**
 * Jobs are taken from others only when this replica itself has been connected without a gap for longer than a
 * heartbeat may last: after an outage of the database everybody keeps what he runs.
 */
export function createLiveness({ store, queue, followers, runners, reactivate }: LivenessParts): Liveness {
  let lastRound = performance.now()
  let lastGap = performance.now()
  let lastSweep = performance.now()

  const look = async (workflowIds?: readonly string[]) => {
    const held = runners()
    const ids = new Set(workflowIds ?? [...held.map((runner) => runner.workflowId), ...followers.followedIds()])
    const heads = new Map((await store.heads([...ids])).map((head) => [head.id, head]))
    for (const id of ids) followers.advance(id, heads.get(id)?.seq ?? null)
    for (const runner of held.filter(({ workflowId }) => ids.has(workflowId))) {
      const head = heads.get(runner.workflowId)
      const { seq, claim } = runner.stored()
      if (head === undefined || head.seq !== seq || !sameClaim(head.claim, claim)) runner.poke()
    }
  }

  const supervise = async () => {
    const now = performance.now()
    if (now - lastGap < calmMs) return
    // Counted apart from lapses, which may come more often than once a minute and must not put it off for ever.
    const due = now - lastSweep >= sweepEveryMs
    if (!due && !(await queue.hasLapsed())) return
    if (due) lastSweep = now
    await queue.supervise()
    if (due) for (const id of await store.strandedIds()) await reactivate(id)
  }

  return {
    async round() {
      const held = runners()
      if (held.length > 0) await queue.touch(held.map((runner) => runner.job()))
      // Who holds and follows nothing asks all the same: else it would not notice that the database was away.
      await look()
      const now = performance.now()
      if (now - lastRound > gapMs) lastGap = now
      lastRound = now
      await supervise()
    },
    look,
  }
}
