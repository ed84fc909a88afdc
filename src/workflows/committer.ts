import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { Change, WorkflowStore } from './store.ts'
import type { Claim, WorkflowState } from './workflow.ts'

const patienceMs = 250

/** Asks again while the database is away; rejects with the signal's reason, or with any other error at once. */
export async function untilAvailable<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error)) throw error
      await sleep(patienceMs, undefined, { signal })
    }
  }
}

/** True when the outcome of a statement is unknown, or the database could not be asked at all. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

/**
 * Makes a change, and finds out what became of it when the connection broke in the middle.
 * false: refused. Never repeats blindly: done means the number was reached under my claim with the events I wrote.
 */
export async function commitForSure(store: WorkflowStore, change: Change, signal: AbortSignal): Promise<boolean> {
  for (let inDoubt = false; ; inDoubt = true) {
    const outcome = await tryToCommit(store, change)
    // Once an answer was lost, what refuses the next try may be the one before, which arrived after all.
    if (outcome === true || (outcome === false && !inDoubt)) return outcome
    if (outcome === null) await sleep(patienceMs, undefined, { signal })
    const found = await untilAvailable(() => store.load(change.state.id), signal)
    if (found === null) return false
    if (await wasWritten(store, { change, found }, signal)) return true
    if (outcome === false || found.seq !== change.seen) return false
  }
}

/** null: its outcome is unknown. */
async function tryToCommit(store: WorkflowStore, change: Change): Promise<boolean | null> {
  try {
    return await store.commit(change)
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return null
  }
}

interface ReadBack {
  readonly change: Change
  readonly found: WorkflowState
}

/** The number alone proves nothing: a verb may have used it. The events, claim and job must be those of the change. */
async function wasWritten(store: WorkflowStore, { change, found }: ReadBack, signal: AbortSignal): Promise<boolean> {
  const { events, guard, seen, state } = change
  // A verb leaves the claim alone, and a runner may have raised it meanwhile.
  if (found.seq < state.seq || (guard.kind !== 'verb' && !sameClaim(found.claim, state.claim))) return false
  if (events.length === 0) return found.jobId === state.jobId
  const page = await untilAvailable(() => store.eventsAfter(state.id, seen, events.length), signal)
  return JSON.stringify(page?.events.map(mark)) === JSON.stringify(events.map(mark))
}

function mark(event: Change['events'][number]) {
  return [event.seq, event.type, event.at, event.correlationId, event.step, event.attempt]
}

/** True when both name the same right to run. */
export function sameClaim(a: Claim | null, b: Claim | null): boolean {
  return a === null || b === null ? a === b : a.activation === b.activation && a.retry === b.retry
}
