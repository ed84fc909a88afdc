import { createRecentChanges } from './recent-changes.ts'
import type { CommittedHere, RecentChanges } from './recent-changes.ts'
import type { EventPage } from './store.ts'

/** One reader's tie to a workflow. */
export interface Follower {
  /** Events right after `seq`, when everything up to the known number was committed here; null: ask the database. */
  recentAfter(seq: number, limit: number): EventPage | null
  /** A text that was kept here; null: ask the database. */
  recentText(stepIndex: number, attempt: number): string | null
  /** Highest number that this replica knows to be committed; 0 while it knows none. */
  knownSeq(): number
  /** Learned by reading. */
  learn(seq: number): void
  /** Resolves when something has happened since `version`, which is then `version()`; rejects with the signal's reason. */
  changed(version: number, signal: AbortSignal): Promise<void>
  /**
   * Calls `run` each time that something has happened, until what it gives back is called. A function listens only
   * once, must not throw, and may be called once more than that. It runs in the asynchronous context of whoever made it
   * happen.
   */
  onChange(run: () => void): () => void
  version(): number
  close(): void
}

/** Who follows which workflow on this replica, and what wakes them. */
export interface Followers {
  follow(workflowId: string): Follower
  /** A change was committed, here or (as far as polling tells) elsewhere; `seq` null: it may have been deleted. */
  advance(workflowId: string, seq: number | null, here?: CommittedHere): void
  /** An open text has grown. */
  grew(workflowId: string): void
  followedIds(): readonly string[]
  isFollowed(workflowId: string): boolean
}

interface Followed {
  readers: number
  version: number
  seq: number
  readonly recent: RecentChanges
  waiting: Set<() => void>
  readonly listening: Set<() => void>
  waking: boolean
}

/** Creates the registry. Readers are woken once per turn of the event loop, however many tokens it brought. */
export function createFollowers(): Followers {
  const followed = new Map<string, Followed>()

  let due: Followed[] = []

  const wakeDue = () => {
    const woken = due
    due = []
    for (const entry of woken) wakeReaders(entry)
  }
  const wake = (entry: Followed) => {
    if (entry.waking) return
    entry.waking = true
    if (due.push(entry) === 1) setImmediate(wakeDue)
  }

  return {
    follow(workflowId) {
      const entry = followed.get(workflowId) ?? newlyFollowed()
      followed.set(workflowId, entry)
      entry.readers += 1
      const leave = () => {
        entry.readers -= 1
        if (entry.readers === 0 && followed.get(workflowId) === entry) followed.delete(workflowId)
      }
      return createFollower(entry, { leave, wake: () => wake(entry) })
    },
    advance(workflowId, seq, here) {
      const entry = followed.get(workflowId)
      if (entry === undefined) return
      if (here !== undefined) entry.recent.add(here)
      if (seq !== null && seq <= entry.seq) return
      // Deletion leaves no number: forgetting what was known makes every reader look again.
      entry.seq = seq ?? Number.MAX_SAFE_INTEGER
      wake(entry)
    },
    grew(workflowId) {
      const entry = followed.get(workflowId)
      if (entry !== undefined) wake(entry)
    },
    followedIds: () => [...followed.keys()],
    isFollowed: (workflowId) => followed.has(workflowId),
  }
}

function newlyFollowed(): Followed {
  const recent = createRecentChanges()
  return { readers: 0, version: 0, seq: 0, recent, waiting: new Set(), listening: new Set(), waking: false }
}

function wakeReaders(entry: Followed): void {
  entry.waking = false
  entry.version += 1
  if (entry.waiting.size > 0) {
    const { waiting } = entry
    entry.waiting = new Set()
    for (const resolve of waiting) resolve()
  }
  for (const run of entry.listening) run()
}

function createFollower(
  entry: Followed,
  { leave, wake }: { readonly leave: () => void; readonly wake: () => void },
): Follower {
  let closed = false
  let waiting: PromiseWithResolvers<void> | null = null
  let watched: AbortSignal | null = null
  const done = () => waiting?.resolve()
  const abort = () => {
    entry.waiting.delete(done)
    waiting?.reject(watched?.reason)
  }
  /** A reader waits for each token under one signal: listening anew each time would cost more than the token. */
  const watch = (signal: AbortSignal | null) => {
    if (signal === watched) return
    watched?.removeEventListener('abort', abort)
    watched = signal
    signal?.addEventListener('abort', abort, { once: true })
  }
  return {
    recentAfter: (seq, limit) => entry.recent.eventsAfter(seq, { upTo: entry.seq, limit }),
    recentText: (stepIndex, attempt) => entry.recent.text(stepIndex, attempt),
    knownSeq: () => entry.seq,
    learn(seq) {
      if (seq <= entry.seq) return
      entry.seq = seq
      // Whoever told it afterwards would wake nobody: the others have not seen it yet.
      wake()
    },
    version: () => entry.version,
    async changed(version, signal) {
      signal.throwIfAborted()
      if (entry.version !== version) return undefined
      watch(signal)
      waiting = Promise.withResolvers<void>()
      entry.waiting.add(done)
      return waiting.promise
    },
    onChange(run) {
      entry.listening.add(run)
      return () => void entry.listening.delete(run)
    },
    close() {
      if (!closed) leave()
      closed = true
      watch(null)
    },
  }
}
