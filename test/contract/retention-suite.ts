import { describe, expect, it } from 'vitest'

import { change, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const dayMs = 86_400_000

/** Deleting what ended long ago. */
export function describeRetention(bench: StoreBench): void {
  describe('what is no longer kept', () => {
    const endedAgo = async (days: number, status: 'completed' | 'failed' = 'completed'): Promise<string> => {
      const { store, clock } = bench.storage()
      const before = await bench.created({ steps: [step(0)] })
      const endedAt = clock.now() - days * dayMs
      const end = change(before, { status, endedAt, active: false }, { completeJob: before.jobId })
      expect(await store.commit(end)).toBe(true)
      return before.id
    }
    const isThere = async (id: string) => (await bench.storage().store.load(id)) !== null

    it('goes in batches, oldest first, with all that belongs to it; the rest stays', async () => {
      const { store } = bench.storage()
      const running = await bench.created()
      const fresh = await endedAgo(4990)
      const [older, oldest] = [await endedAgo(5001, 'failed'), await endedAgo(5002)]
      expect(await store.removeEnded(5000 * dayMs, 1)).toBe(1)
      expect([await isThere(older), await isThere(oldest)]).toEqual([true, false])
      expect(await store.removeEnded(5000 * dayMs, 10)).toBe(1)
      expect(await store.removeEnded(5000 * dayMs, 10)).toBe(0)
      expect([await isThere(older), await isThere(fresh), await isThere(running.id)]).toEqual([false, true, true])
      for (const table of ['steps', 'events', 'attempts', 'outputs', 'calls', 'workflow_inputs', 'idempotency_keys']) {
        const text = `SELECT FROM agents.${table} WHERE workflow_id = ANY ($1::text[])`
        expect({ table, ...(await bench.database().query(text, [[older, oldest]])) }).toMatchObject({ table, rows: [] })
      }
    })
  })
}
