import { randomUUID } from 'node:crypto'

import { describe, expect, it, vi } from 'vitest'

import type { ListFilter } from '../../src/workflows/store.ts'
import type { StepStatus } from '../../src/workflows/workflow.ts'
import { testId } from '../support/database.ts'
import { artifact, call, change, event, firstClaim, moment, newWorkflow, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const everything: ListFilter = {
  statuses: [],
  stepStatuses: [],
  type: null,
  createdAfter: null,
  createdBefore: null,
  metadata: {},
  limit: 100,
  after: null,
  kind: 'workflow',
  owner: null,
  role: null,
}

/** What lists, heads, removal and the queue promise. */
export function describeLists(bench: StoreBench): void {
  const add = async (type: string, count: number): Promise<string[]> => {
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) {
      const time = (moment + n).toString(16).padStart(12, '0')
      ids.unshift((await bench.created({ type, createdAt: moment + n, id: `wf_${time}${randomUUID()}` })).id)
    }
    return ids
  }

  describe('list', () => {
    it('is newest first, filtered by type, status and time', async () => {
      const type = `type_${randomUUID()}`
      const ids = await add(type, 4)
      const list = async (filter: Partial<ListFilter>): Promise<string[]> =>
        (await bench.storage().store.list({ ...everything, type, ...filter })).map((record) => record.state.id)
      expect(await list({})).toEqual(ids)
      expect(await list({ createdAfter: moment, createdBefore: moment + 3 })).toEqual(ids.slice(1, 3))
      expect(await list({ statuses: ['completed', 'failed'] })).toEqual([])
      const second = await bench.load(ids[1] ?? '')
      expect(await bench.storage().store.commit(change(second, { status: 'failed' }))).toBe(true)
      expect(await list({ statuses: ['completed', 'failed'] })).toEqual([ids[1]])
      expect(await list({ statuses: ['queued'] })).toEqual([ids[0], ids[2], ids[3]])
      expect((await bench.storage().store.list({ ...everything, type, limit: 1 }))[0]?.state).toEqual(
        await bench.load(ids[0] ?? ''),
      )
    })

    it('pages without missing or repeating one while others are added', async () => {
      const type = `type_${randomUUID()}`
      const ids = await add(type, 5)
      const seen: string[] = []
      for (let after: string | null = null; ;) {
        const page = await bench.storage().store.list({ ...everything, type, limit: 2, after })
        if (page.length === 0) break
        seen.push(...page.map((record) => record.state.id))
        after = seen.at(-1) ?? null
        await bench.created({ type })
      }
      expect(seen).toEqual(ids)
    })

    it('finds metadata, and direct tasks by role', async () => {
      const ticket = randomUUID()
      const workflow = newWorkflow()
      const metadata = { ticket, other: 'x' }
      await bench.storage().store.create({ ...workflow, input: { ...workflow.input, metadata } }, null)
      const found = await bench.storage().store.list({ ...everything, metadata: { ticket } })
      expect(found.map((record) => [record.state.id, record.input.metadata])).toEqual([[workflow.state.id, metadata]])
      expect(await bench.storage().store.list({ ...everything, metadata: { ticket, other: 'y' } })).toEqual([])

      const role = `role_${randomUUID()}`
      const first = step(0)
      const steps = [step(0, { definition: { ...first.definition, role } })]
      const task = await bench.created({ kind: 'task', id: testId('task'), steps })
      await bench.created({ steps })
      const tasks = await bench.storage().store.list({ ...everything, kind: 'task', role })
      expect(tasks.map((record) => record.state)).toEqual([task])
    })

    it('finds direct tasks by the status of their step', async () => {
      const role = `role_${randomUUID()}`
      const first = step(0)
      const definition = { ...first.definition, role }
      const addTask = (status: StepStatus) =>
        bench.created({ kind: 'task', id: testId('task'), status: 'failed', steps: [step(0, { definition, status })] })
      const incomplete = await addTask('incomplete')
      const failed = await addTask('failed')
      const list = async (stepStatuses: readonly StepStatus[]): Promise<string[]> => {
        const tasks = await bench.storage().store.list({ ...everything, kind: 'task', role, stepStatuses })
        return tasks.map((record) => record.state.id)
      }
      expect(await list(['incomplete'])).toEqual([incomplete.id])
      expect(new Set(await list(['incomplete', 'failed']))).toEqual(new Set([incomplete.id, failed.id]))
      expect(await list(['completed'])).toEqual([])
    })
  })

  describe('who is where', () => {
    it('shows the heads of those that exist', async () => {
      const one = await bench.claimed()
      const two = await bench.created()
      const heads = await bench.storage().store.heads([one.id, 'wf_none', two.id])
      expect(heads.toSorted((a, b) => b.seq - a.seq)).toEqual([
        { id: one.id, seq: 2, active: true, claim: firstClaim },
        { id: two.id, seq: 1, active: true, claim: null },
      ])
      expect(await bench.storage().store.heads([])).toEqual([])
    })

    it('knows the active, and those of them whose job is gone', async () => {
      const { store } = bench.storage()
      await bench.takeJobs()
      const before = await bench.created()
      expect(await store.activeIds()).toContain(before.id)
      expect(await store.strandedIds()).not.toContain(before.id)
      await bench.takeJobs()
      expect(await store.strandedIds()).toContain(before.id)
      const next = { activation: 2, jobId: randomUUID() }
      expect(await store.commit(change(before, next, { sendJob: true, events: [] }))).toBe(true)
      expect(await store.strandedIds()).not.toContain(before.id)
      const idle = change({ ...before, ...next }, { active: false }, { completeJob: next.jobId })
      expect(await store.commit(idle)).toBe(true)
      expect(await store.activeIds()).not.toContain(before.id)
      expect(await store.strandedIds()).not.toContain(before.id)
    })

    it('counts those that wait', async () => {
      const before = await bench.storage().store.queueDepth()
      await bench.created({ createdAt: moment - 1_000_000 })
      const after = await bench.storage().store.queueDepth()
      expect(after).toEqual({ queued: before.queued + 1, oldestCreatedAt: moment - 1_000_000 })
    })
  })

  describe('remove', () => {
    it('removes an ended workflow with everything, and nothing else', async () => {
      const before = await bench.created()
      const { id } = before
      const { store } = bench.storage()
      expect(await store.remove('wf_none')).toBe('missing')
      expect(await store.remove(id)).toBe('not_ended')
      const end = change(
        before,
        { active: false, status: 'cancelled' },
        { artifacts: [artifact('a')], calls: [call(id)], outputs: [{ stepIndex: 0, attempt: 1, text: 't' }] },
      )
      expect(await store.commit(end)).toBe(true)
      expect(await store.remove(id)).toBe('removed')
      expect(await store.remove(id)).toBe('missing')
      expect(await store.load(id)).toBeNull()
      expect(await store.output(id, 0, 1)).toBeNull()
      expect(await store.artifact(id, 'a', 1)).toBeNull()
      await bench.storage().store.create({ ...newWorkflow(), state: { ...before, jobId: randomUUID() } }, null)
      expect(await bench.load(id)).toMatchObject({ seq: 1, status: 'queued' })
    })
  })

  describe('the queue', () => {
    it('gives jobs by priority, then age, and keeps what is held for its holder', async () => {
      await bench.takeJobs()
      const ids: string[] = []
      for (const priority of [0, -5, 10, 0]) ids.push((await bench.created({ priority })).id)
      const jobs = await bench.storage().queue.fetch(10)
      expect(jobs.map((job) => job.workflowId)).toEqual([ids[2], ids[0], ids[3], ids[1]])
      expect(await bench.storage().queue.fetch(10)).toEqual([])
      await bench.storage().queue.touch(jobs)
      await bench.storage().queue.touch([])
      expect(await bench.storage().queue.hasLapsed()).toBe(false)
      await bench.storage().queue.supervise()
      expect(await bench.storage().queue.fetch(10)).toEqual([])
      const stale = jobs.map((job) => ({ ...job, retry: job.retry + 1 }))
      for (const job of stale) await bench.storage().queue.completeFenced(job)
      expect(await bench.storage().store.strandedIds()).not.toContain(ids[0])
      for (const job of jobs) await bench.storage().queue.completeFenced(job)
      expect(await bench.storage().store.strandedIds()).toContain(ids[0])
    })
  })

  describe('publications', () => {
    it('are sent by the change that ends a workflow, and come again later when they fail', async () => {
      const { store, publications } = bench.storage()
      for (let job = await publications.fetch(); job; job = await publications.fetch()) await publications.complete(job)
      const before = await bench.created()
      const end = change(before, { active: false, status: 'cancelled' }, { events: [event(2, 'workflow.cancelled')] })
      expect(await store.commit({ ...end, seen: 99 })).toBe(false)
      expect(await publications.fetch()).toBeNull()
      expect(await store.commit(end)).toBe(true)
      const job = await publications.fetch()
      expect(job).toMatchObject({ workflowId: before.id, retry: 0 })
      expect(await publications.fetch()).toBeNull()
      if (job) await publications.fail(job)
      const again = await vi.waitUntil(() => publications.fetch(), { timeout: 10_000 })
      expect(again).toEqual({ ...job, retry: 1 })
      await publications.complete(again)
      await bench.storage().queue.supervise()
      expect(await publications.fetch()).toBeNull()
    })
  })

  it('tells the time of the database, whole milliseconds', () => {
    expect(Math.abs(bench.storage().clock.now() - Date.now())).toBeLessThan(2000)
    expect(Number.isInteger(bench.storage().clock.now())).toBe(true)
    expect(bench.storage().ready()).toBe(true)
  })
}
