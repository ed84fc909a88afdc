import type { CommittedEvent } from '../workflows/events.ts'

/** Knows which tasks this process has seen begin and not yet end, over their attempts. */
export interface TaskTimes {
  /** False when the task had begun before: this is only its next attempt. */
  started(committed: CommittedEvent): boolean
  /** Milliseconds since it began; null when that was not seen. */
  ended(committed: CommittedEvent): number | null
}

// an end on another replica is not seen here, so the oldest must give way some day
const mostTasks = 10_000

export function createTaskTimes(): TaskTimes {
  const begun = new Map<string, number>()
  return {
    started: ({ step, event }) => {
      const id = step?.taskId ?? ''
      if (begun.has(id)) return false
      begun.set(id, event.at)
      const oldest = begun.keys().next()
      if (begun.size > mostTasks && oldest.done !== true) begun.delete(oldest.value)
      return true
    },
    ended: ({ step, event }) => {
      const id = step?.taskId ?? ''
      const at = begun.get(id)
      begun.delete(id)
      return at === undefined ? null : Math.max(0, event.at - at)
    },
  }
}
