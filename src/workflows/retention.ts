import { isUnavailable } from './committer.ts'
import type { WorkflowStore } from './store.ts'
import { pause } from './work-loop.ts'

export interface RetentionParts {
  readonly store: Pick<WorkflowStore, 'removeEnded'>
  readonly report: (error: unknown) => void
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

/** So few that whoever waits for the database does not notice. */
const batchSize = 100
/** Rest after a batch, in times of what it took: the database is busy with this for a fifth of its time at most. */
const restFactor = 4

/**
 * Deletes in batches, oldest first, with all that belongs to a workflow. Any number of replicas may do so at the same
 * time: each skips what another one has in hand.
 */
export function createRetention(
  { store, report }: RetentionParts,
  { keepMs, everyMs = 600_000 }: RetentionOptions,
): Retention {
  const stopping = new AbortController()
  let running = Promise.resolve()

  const deleteAll = async () => {
    for (let removed = batchSize; removed === batchSize && !stopping.signal.aborted;) {
      const startedAt = performance.now()
      removed = await store.removeEnded(keepMs, batchSize)
      await pause((performance.now() - startedAt) * restFactor, stopping.signal)
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
