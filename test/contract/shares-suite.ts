import { randomUUID } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change, firstClaim } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

/** What an owner may run at once. */
export function describeShares(bench: StoreBench): void {
  const store = () => bench.storage().store
  const queue = () => bench.storage().queue
  const newOwner = () => `owner-${randomUUID()}`
  const running = async (owner: string) => (await store().runningOf()).get(owner) ?? 0
  const many = (owner: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => bench.created({ owner })))
  const letIn = ({ id, activation }: WorkflowState, share = 1) => store().takeShare(id, activation, share)

  describe('the share of an owner', () => {
    it('is never exceeded, however many are let in at once, and used up', async () => {
      const owner = newOwner()
      const taken = await Promise.all((await many(owner, 30)).map((one) => letIn(one, 3)))
      expect(taken.filter(Boolean)).toHaveLength(3)
      expect(await running(owner)).toBe(3)
    })

    it('is that of this owner alone', async () => {
      const [one] = await many(newOwner(), 1)
      const [other] = await many(newOwner(), 1)
      expect([one && (await letIn(one)), other && (await letIn(other))]).toEqual([true, true])
    })

    it('counts who is let in or claimed once, and lets the same one in again', async () => {
      const owner = newOwner()
      const claimed = await bench.claimed({ owner })
      const waiting = await bench.created({ owner })
      expect(await letIn(claimed)).toBe(true)
      expect(await letIn(waiting)).toBe(false)
      expect(await letIn(waiting, 2)).toBe(true)
      expect(await letIn(waiting)).toBe(true)
      expect(await running(owner)).toBe(2)
    })

    it('is given back by whoever is no longer active', async () => {
      const owner = newOwner()
      const first = await bench.claimed({ owner })
      const second = await bench.created({ owner })
      expect(await letIn(second)).toBe(false)
      expect(await store().commit(change(first, { status: 'waiting', active: false }))).toBe(true)
      expect(await running(owner)).toBe(0)
      expect(await letIn(second)).toBe(true)
    })

    it('is given back by whoever is handed over, and he has to be let in again', async () => {
      const owner = newOwner()
      const first = await bench.claimed({ owner })
      const second = await bench.created({ owner })
      const next = { activation: 2, jobId: randomUUID() }
      expect(await store().commit(change(first, next, { sendJob: true }))).toBe(true)
      expect(await letIn(second)).toBe(true)
      expect(await letIn({ ...first, ...next })).toBe(false)
    })

    it('is not taken by what is not there any more', async () => {
      const owner = newOwner()
      const ended = await bench.claimed({ owner })
      expect(await store().commit(change(ended, { status: 'completed', active: false }))).toBe(true)
      await letIn({ ...ended, activation: 2 })
      await store().takeShare('wf_nobody', 1, 1)
      expect(await running(owner)).toBe(0)
    })
  })

  describe('a job that is put back', () => {
    const jobOf = async ({ jobId }: WorkflowState) =>
      (
        await bench
          .database()
          .query('SELECT state::text, retry_count, group_id, priority FROM pgboss.job WHERE id = $1', [jobId])
      ).rows[0]

    it('waits as if it had not been fetched, and is passed over for its owner', async () => {
      await bench.takeJobs()
      const owner = newOwner()
      const one = await bench.created({ owner })
      const before = await jobOf(one)
      const [job] = await queue().fetch(1)
      await queue().putBack(job ? [job] : [])
      expect(await jobOf(one)).toEqual(before)
      expect(await queue().fetch(1, [owner])).toEqual([])
      expect(await queue().fetch(1, [newOwner()])).toMatchObject([{ id: one.jobId, retry: 0 }])
    })

    it('stays with whoever has fetched it since', async () => {
      await bench.takeJobs()
      const one = await bench.created({ owner: newOwner() })
      const [job] = await queue().fetch(1)
      await bench.database().query('UPDATE pgboss.job SET retry_count = 1 WHERE id = $1', [one.jobId])
      await queue().putBack(job ? [job] : [])
      expect(await jobOf(one)).toMatchObject({ state: 'active', retry_count: 1 })
    })

    it('leaves those that are not put back', async () => {
      await bench.takeJobs()
      const [one, other] = [await bench.created({ owner: newOwner() }), await bench.created({ owner: newOwner() })]
      const jobs = await queue().fetch(2)
      await queue().putBack(jobs.filter(({ id }) => id === one.jobId))
      await queue().putBack([])
      expect(await jobOf(other)).toMatchObject({ state: 'active' })
    })
  })

  it('the job of a lost process is found although its owner is passed over', async () => {
    await bench.takeJobs()
    const owner = newOwner()
    const one = await bench.created({ owner })
    const [job] = await queue().fetch(1)
    expect(await letIn(one)).toBe(true)
    const take = change(one, { status: 'running', claim: firstClaim }, { guard: { kind: 'take', claim: firstClaim } })
    expect(await store().commit(take)).toBe(true)
    const lapse = `UPDATE pgboss.job SET heartbeat_on = now() - interval '1 hour' WHERE id = $1`
    await bench.database().query(lapse, [job?.id])
    await vi.waitFor(
      async () => {
        await queue().supervise()
        expect(await queue().fetch(1, [owner])).toMatchObject([{ id: one.jobId, retry: 1 }])
      },
      { timeout: 20_000, interval: 200 },
    )
    expect(await letIn(take.state)).toBe(true)
  })
}
