import { isUnavailable } from './committer.ts'
import type { WorkflowStore } from './store.ts'
import { pause } from './work-loop.ts'

export interface RetentionParts {
  readonly store: Pick<WorkflowStore, 'removeEnded'>
  readonly report: (error: unknown) => void
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number
}

export interface RetentionOptions {
  /** How long an ended workflow is kept; 0: for ever. */
  readonly keepMs: number
  /** Time between two passes; default ten minutes. */
  readonly everyMs?: number
}

/** Deletes what ended too long ago. */
export interface Retention {
  start(): void
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>
}

/** Milliseconds that a batch is to take: the embedded database does nothing else meanwhile, and nobody is to notice. */
const batchMs = 20
/** Workflows of a batch. Below the least, a statement costs more than what it deletes. */
const batchSizes = { first: 20, least: 10, most: 500 }
/** Rest after a batch, in times of what it took: the database is busy with this for a tenth of its time at most. */
const restFactor = 9

/**
 * Deletes in batches, oldest first, with all that belongs to a workflow. Any number of replicas may do so at the same
 * time: each skips what another one has in hand.
 */
export function createRetention(
  { store, report, now = () => performance.now() }: RetentionParts,
  { keepMs, everyMs = 600_000 }: RetentionOptions,
): Retention {
  const stopping = new AbortController()
  let running = Promise.resolve()

  let batchSize = batchSizes.first

  const deleteAll = async () => {
    for (let isMore = true; isMore && !stopping.signal.aborted;) {
      const startedAt = now()
      const removed = await store.removeEnded(keepMs, batchSize)
      const tookMs = now() - startedAt
      isMore = removed === batchSize
      if (isMore) batchSize = nextSize(batchSize, tookMs)
      await pause(tookMs * restFactor, stopping.signal)
    }
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      await deleteAll().catch((error: unknown) => {
        if (!isUnavailable(error)) report(error)
      })
      await pause(everyMs, stopping.signal)
    }
  }
  return {
    start() {
      if (keepMs > 0) running = run()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Follows what a batch took, in steps: one that had to wait says little of the next. */
function nextSize(size: number, tookMs: number): number {
  const factor = Math.min(2, Math.max(0.5, batchMs / Math.max(1, tookMs)))
  return Math.min(batchSizes.most, Math.max(batchSizes.least, Math.round(size * factor)))
}
