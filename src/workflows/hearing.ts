import { setTimeout as sleep } from 'node:timers/promises'
import type { Followers } from './followers.ts'
import type { HearHints, Hints } from './hints.ts'
import type { Liveness } from './liveness.ts'
import type { WorkLoop } from './work-loop.ts'

/** Hints of new work count at most once in this time: each of them costs a look into the queue. */
const betweenWakesMs = 100
/** How often this replica looks by itself while it hears nothing. */
const deafLookMs = 250

export interface HearingParts {
  readonly hints: Hints
  readonly followers: Pick<Followers, 'isFollowed'>
  readonly loop: Pick<WorkLoop, 'find' | 'wake'>
  readonly liveness: Pick<Liveness, 'look'>
  readonly report: (error: unknown) => void
}

/** What a replica makes of the hints of others. */
export interface Hearing {
  start(): void
  stop(): void
}

/**
 * However many hints come, one look at a time is under way, for all that have come meanwhile; and the first hint of
 * possible new work counts at once, later ones a few times a second.
 */
export function createHearing(parts: HearingParts): Hearing {
  const { hints, followers, loop, liveness, report } = parts
  const stopped = new AbortController()
  const wakeSometimes = atMostEvery(betweenWakesMs, () => loop.wake())
  const hinted = new Set<string>()
  let looking = false
  let leave: (() => void) | null = null

  const isHeld = (id: string) => loop.find(id) !== undefined
  const lookAtHinted = async () => {
    looking = true
    while (hinted.size > 0) {
      const ids = [...hinted]
      hinted.clear()
      await liveness.look(ids).catch(report)
    }
    looking = false
  }
  const hear: HearHints = (workflowIds) => {
    if (stopped.signal.aborted) return
    for (const id of workflowIds) if (isHeld(id) || followers.isFollowed(id)) hinted.add(id)
    if (hinted.size > 0 && !looking) void lookAtHinted()
    // Also one that is followed here may wait for somebody to run it.
    if (workflowIds.some((id) => !isHeld(id))) wakeSometimes()
  }

  return {
    start() {
      leave = hints.listen(hear)
      void lookWhileDeaf(parts, stopped.signal)
    },
    stop() {
      stopped.abort()
      leave?.()
    },
  }
}

async function lookWhileDeaf({ hints, liveness, report }: HearingParts, stopped: AbortSignal): Promise<void> {
  for (let wasDeaf = false; ;) {
    await sleep(deafLookMs, undefined, { signal: stopped, ref: false }).catch(() => undefined)
    if (stopped.aborted) return
    const isDeaf = !hints.listening()
    // Once more when it hears again: what happened just before was told to nobody here.
    if (isDeaf || wasDeaf) await liveness.look().catch(report)
    wasDeaf = isDeaf
  }
}

/** The first call counts at once; those that come within the time after one that counted count together at its end. */
function atMostEvery(ms: number, work: () => void): () => void {
  let resting = false
  let asked = false
  const begin = () => {
    resting = true
    setTimeout(rest, ms).unref()
    work()
  }
  const rest = () => {
    resting = false
    if (!asked) return
    asked = false
    begin()
  }
  return () => {
    if (resting) asked = true
    else begin()
  }
}
