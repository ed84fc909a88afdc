import { lifecycleTypes } from '../../src/workflows/events.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal, WireEvent } from '../smoke/event-journal.ts'

/** A client of somebody else's that follows one stream, and comes back by itself. */
export interface FollowedStream {
  readonly journal: EventJournal
  /** Times that it was let in. */
  connections(): number
  /** Resolves when the client itself holds the stream to be over. */
  readonly over: Promise<void>
  /** Ends it, whatever it is doing. */
  close(): Promise<void> | void
}

/** Follows the stream under this URL with one client. */
export type Follow = (url: string) => FollowedStream | Promise<FollowedStream>

/** Every type that has an `id:`: an EventSource hears only those that it is told of. */
export const eventTypes: readonly string[] = [...lifecycleTypes, 'step.delta']

/** A journal, and what writes a frame into it as clients see frames. */
export function createFrameJournal() {
  const journal = createEventJournal()
  return {
    journal,
    take(frame: {
      readonly id?: string | undefined
      readonly event?: string | undefined
      readonly data: string
    }): void {
      const parsed = JSON.parse(frame.data) as WireEvent
      const type = frame.event === parsed.type ? parsed.type : `${frame.event} around ${parsed.type}`
      journal.take({ ...parsed, type }, frame.id ?? null)
    },
  }
}
