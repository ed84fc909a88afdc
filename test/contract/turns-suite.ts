import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

/** When a workflow's turn comes; the order that this makes is simulated elsewhere. */
export function describeTurns(bench: StoreBench): void {
  const store = () => bench.storage().store
  const query = (text: string, values: readonly unknown[]) => bench.database().query<{ turn: number }>(text, values)
  const turnOf = async ({ id }: WorkflowState) =>
    (await query('SELECT turn FROM agents.workflows WHERE id = $1', [id])).rows[0]?.turn ?? -1
  const rankOf = async ({ jobId }: WorkflowState) =>
    (await query('SELECT -priority AS turn FROM pgboss.job WHERE id = $1', [jobId])).rows[0]?.turn ?? -1
  const owner = () => `owner-${randomUUID()}`

  describe('turns', () => {
    beforeEach(async () => {
      await bench.takeJobs()
      await query('UPDATE agents.workflows SET active = false WHERE active AND $1', [true])
    })

    it('of one owner differ, however many are created at once', async () => {
      const whose = owner()
      const all = await Promise.all(Array.from({ length: 30 }, () => bench.created({ owner: whose })))
      const turns = await Promise.all(all.map(turnOf))
      // One that somebody had in hand may be left out, which harms nobody.
      expect(new Set(turns).size).toBe(30)
      expect(await Promise.all(all.map(rankOf))).toEqual(turns)
    })

    it('begin anew when nothing is left', async () => {
      const first = await bench.claimed({ owner: owner() })
      const last = await bench.claimed({ owner: first.owner })
      expect(await turnOf(last)).toBe(1)
      for (const one of [first, last])
        expect(await store().commit(change(one, { status: 'waiting', active: false }))).toBe(true)
      expect(await turnOf(await bench.created({ owner: first.owner }))).toBe(0)
    })

    it('are not counted where nobody has a key', async () => {
      const all = [await bench.created(), await bench.created(), await bench.created({ priority: 3 })]
      expect(await Promise.all(all.map(turnOf))).toEqual([0, 0, 0])
    })

    it('stay when a workflow is handed over', async () => {
      const whose = owner()
      const [, one] = [await bench.created({ owner: whose }), await bench.claimed({ owner: whose })]
      await bench.created({ owner: whose })
      const next = { activation: 2, jobId: randomUUID() }
      expect(await store().commit(change(one, next, { sendJob: true }))).toBe(true)
      expect([await turnOf(one), await rankOf({ ...one, ...next })]).toEqual([1, 1])
    })

    it('are new when one goes on that waited for a person, behind what its owner has asked for since', async () => {
      const whose = owner()
      const one = await bench.claimed({ owner: whose })
      const idle = change(one, { status: 'waiting', active: false }, { completeJob: one.jobId })
      expect(await store().commit(idle)).toBe(true)
      await bench.created({ owner: whose })
      await bench.created({ owner: whose })
      const next = { activation: 2, jobId: randomUUID(), active: true }
      expect(await store().commit(change(idle.state, next, { sendJob: true }))).toBe(true)
      expect([await turnOf(one), await rankOf({ ...one, ...next })]).toEqual([2, 2])
    })

    it('of each priority are counted apart', async () => {
      const whose = owner()
      await Promise.all(Array.from({ length: 3 }, () => bench.created({ owner: whose })))
      const one = await bench.created({ owner: whose, priority: -100 })
      expect([await turnOf(one), await rankOf(one)]).toEqual([0, 1_000_000_000])
    })

    it('never reach into another priority', async () => {
      const first = await bench.created({ owner: owner(), priority: -100 })
      await query('UPDATE agents.workflows SET turn = 2000000000 WHERE id = $1', [first.id])
      const one = await bench.created({ owner: first.owner, priority: -100 })
      expect([await turnOf(one), await rankOf(one)]).toEqual([2_000_000_001, 1_009_999_999])
      const high = await bench.created({ owner: owner(), priority: 100 })
      expect(await rankOf(high)).toBe(-1_000_000_000)
    })
  })
}
