import type { LifecycleEvent } from './events.ts'
import type { Change, EventPage } from './store.ts'
import type { WorkflowStatus } from './workflow.ts'

/** A change that was committed on this replica, as its readers need it. */
export interface CommittedHere {
  readonly status: WorkflowStatus
  readonly events: readonly LifecycleEvent[]
  /** Texts that were kept. */
  readonly texts: Change['outputs']
}

/** The last changes of one workflow that is followed, so that its readers need not ask the database for them. */
export interface RecentChanges {
  add(change: CommittedHere): void
  /** Events right after `seq`; null when not all of them up to `upTo` were committed here. */
  eventsAfter(seq: number, range: { readonly upTo: number; readonly limit: number }): EventPage | null
  /** null: not one of the last that were kept here. */
  text(stepIndex: number, attempt: number): string | null
}

const maxEvents = 256
const maxTexts = 16

/** Remembers nothing yet. */
export function createRecentChanges(): RecentChanges {
  const texts = new Map<string, string>()
  let events: readonly LifecycleEvent[] = []
  let status: WorkflowStatus | null = null

  return {
    add(change) {
      // Without events it may be told of after a later one, and says nothing new.
      if (change.events.length === 0) return
      status = change.status
      const follows = (events.at(-1)?.seq ?? 0) + 1 === change.events[0]?.seq
      // Numbers in between were committed elsewhere.
      events = [...(follows ? events : []), ...change.events].slice(-maxEvents)
      for (const { stepIndex, attempt, text } of change.texts) texts.set(nameOf(stepIndex, attempt), text)
      for (const name of texts.keys()) if (texts.size > maxTexts) texts.delete(name)
    },
    eventsAfter(seq, { upTo, limit }) {
      const [first, last] = [events[0], events.at(-1)]
      if (status === null || first === undefined || last === undefined) return null
      if (first.seq > seq + 1 || last.seq <= seq || last.seq < upTo) return null
      const from = seq + 1 - first.seq
      return { status, seq: last.seq, events: events.slice(from, from + limit) }
    },
    text: (stepIndex, attempt) => texts.get(nameOf(stepIndex, attempt)) ?? null,
  }
}

function nameOf(stepIndex: number, attempt: number): string {
  return `${stepIndex}.${attempt}`
}
