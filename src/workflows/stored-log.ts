import { keepsAttempt } from './events.ts'
import type { LifecycleEvent } from './events.ts'
import type { Follower } from './followers.ts'
import type { EventPage, WorkflowStore } from './store.ts'

/** The stored events of one workflow with their texts; from memory, where they were committed on this replica. */
export interface StoredLog {
  /** Events after `seq`, oldest first; null: the workflow is gone. */
  after(seq: number, limit: number): Promise<EventPage | null>
  /**
   * The text that an event closes its attempt with, and what of it is shown as the step's output; null for every other
   * event. It goes only with its workflow.
   */
  closingText(event: LifecycleEvent, stepIndex: number | null): Promise<ClosingText | null | 'gone'>
}

export interface ClosingText {
  readonly text: string
  /** A person's edit is the step's output; the text that was delivered stays what it was. */
  readonly shown: string
}

/** The log of a followed workflow. */
export function createStoredLog(store: WorkflowStore, follower: Follower, id: string): StoredLog {
  return {
    after: async (seq, limit) => follower.recentAfter(seq, limit) ?? store.eventsAfter(id, seq, limit),
    async closingText({ type, attempt, data }, stepIndex) {
      if (!keepsAttempt(type) || stepIndex === null || attempt === null) return null
      const text = follower.recentText(stepIndex, attempt) ?? (await store.output(id, stepIndex, attempt))
      if (text === null) return 'gone'
      const shown = data['edited'] === true ? await store.edit(id, stepIndex, attempt) : text
      return shown === null ? 'gone' : { text, shown }
    },
  }
}
