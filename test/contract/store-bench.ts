import { expect } from 'vitest'

import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change, firstClaim, newWorkflow } from './fixtures.ts'

/** What the suites have in common: one storage, and workflows in it. */
export interface StoreBench {
  storage(): Storage
  /** The database below it. */
  database(): Database
  load(id: string): Promise<WorkflowState>
  /** A stored workflow. */
  created(changes?: Partial<WorkflowState>): Promise<WorkflowState>
  /** A stored workflow whose first claim is taken, at `seq` 2. */
  claimed(changes?: Partial<WorkflowState>): Promise<WorkflowState>
  /** Fetches and completes every job that waits; their ids. */
  takeJobs(): Promise<Set<string>>
}

export function createStoreBench(storage: () => Storage, database: () => Database): StoreBench {
  async function created(changes: Partial<WorkflowState> = {}): Promise<WorkflowState> {
    const workflow = newWorkflow(changes)
    await storage().store.create(workflow, null)
    return workflow.state
  }

  return {
    storage,
    database,
    created,
    async load(id) {
      const loaded = await storage().store.load(id)
      if (!loaded) throw new Error(`${id} is not there`)
      return loaded
    },
    async claimed(changes) {
      const before = await created(changes)
      const guard = { kind: 'take', claim: firstClaim } as const
      const take = change(before, { status: 'running', claim: firstClaim }, { guard })
      expect(await storage().store.commit(take)).toBe(true)
      return take.state
    },
    async takeJobs() {
      const ids = new Set<string>()
      for (;;) {
        const jobs = await storage().queue.fetch(100)
        if (jobs.length === 0) return ids
        for (const job of jobs) {
          ids.add(job.id)
          await storage().queue.completeFenced(job)
        }
      }
    },
  }
}
