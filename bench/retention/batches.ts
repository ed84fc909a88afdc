import type { WorkflowStore } from '../../src/workflows/store.ts'

/** One batch of deleted workflows. */
export interface Batch {
  readonly removed: number
  readonly ms: number
}

/** Deletes as the store does, and notes how long that took. */
export function timedRemoval(store: Pick<WorkflowStore, 'removeEnded'>) {
  const batches: Batch[] = []
  return {
    batches,
    async removeEnded(keepMs: number, limit: number): Promise<number> {
      const begunAt = performance.now()
      const removed = await store.removeEnded(keepMs, limit)
      batches.push({ removed, ms: performance.now() - begunAt })
      return removed
    },
  }
}
