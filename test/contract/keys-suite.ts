import { randomUUID } from 'node:crypto'

import { describe, expect, it, vi } from 'vitest'

import type { KeyBinding } from '../../src/workflows/store.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { artifact, change, event, firstClaim, newWorkflow } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const reused = { code: 'idempotency-key-reused' }

function binding(changes: Partial<KeyBinding> = {}): KeyBinding {
  return { owner: 'owner', key: randomUUID(), digest: 'digest', seq: 0, ...changes }
}

/** What idempotency keys promise. */
export function describeKeys(bench: StoreBench): void {
  const bound = ({ owner, key }: KeyBinding) => bench.storage().store.boundKey(owner, key)

  const age = async ({ key }: KeyBinding, hours: number): Promise<void> => {
    const text = `UPDATE agents.idempotency_keys SET created_at = created_at - $2 * interval '1 hour' WHERE key = $1`
    expect((await bench.database().query(text, [key, hours])).rowCount).toBe(1)
  }

  const stored = async ({ key }: KeyBinding): Promise<number> => {
    return (await bench.database().query('SELECT FROM agents.idempotency_keys WHERE key = $1', [key])).rowCount
  }

  const createdWith = async (bind: KeyBinding): Promise<string> => {
    const workflow = newWorkflow()
    await bench.storage().store.create(workflow, bind)
    return workflow.state.id
  }

  /** Of two works at once, the index of the one that is done; the other one is refused. */
  const winnerOf = async (works: readonly Promise<unknown>[]): Promise<number> => {
    const outcomes = await Promise.allSettled(works)
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(outcomes[1 - winner]).toMatchObject({ status: 'rejected', reason: reused })
    return winner
  }

  const raceOfCreations = async (used: KeyBinding): Promise<{ won: WorkflowState; lost: WorkflowState }> => {
    const both = [newWorkflow(), newWorkflow()] as const
    const winner = await winnerOf(both.map((workflow) => bench.storage().store.create(workflow, used)))
    const [won, lost] = winner === 0 ? both : [both[1], both[0]]
    return { won: won.state, lost: lost.state }
  }

  describe('a key', () => {
    it('is free until a change binds it, each owner having keys of his own', async () => {
      const first = binding({ seq: 7, digest: 'a' })
      expect(await bound(first)).toBeNull()
      const workflowId = await createdWith(first)
      expect(await bound(first)).toEqual({ digest: 'a', workflowId, seq: 7 })
      const other = { ...first, owner: 'other' }
      expect(await bound(other)).toBeNull()
      const otherId = await createdWith(other)
      expect(await bound(other)).toMatchObject({ workflowId: otherId })
      expect(await bound(first)).toMatchObject({ workflowId })
    })

    it.each(['digest', 'another digest'])(
      'that is bound refuses a second workflow, job included (%s)',
      async (digest) => {
        await bench.takeJobs()
        const first = binding()
        const id = await createdWith(first)
        const jobs = await bench.takeJobs()
        const second = newWorkflow()
        await expect(bench.storage().store.create(second, { ...first, digest })).rejects.toMatchObject(reused)
        expect(await bench.storage().store.load(second.state.id)).toBeNull()
        expect(await bench.storage().store.eventsAfter(second.state.id, 0, 1)).toBeNull()
        expect(jobs.size).toBe(1)
        expect(await bench.takeJobs()).toEqual(new Set())
        expect(await bound(first)).toEqual({ digest: 'digest', workflowId: id, seq: 0 })
      },
    )

    it('is bound by a change of one statement, and refuses another one whole', async () => {
      const before = await bench.created()
      const used = binding({ seq: before.seq })
      const first = change(before, {}, { binding: used })
      expect(await bench.storage().store.commit(first)).toBe(true)
      expect(await bound(used)).toEqual({ digest: 'digest', workflowId: before.id, seq: before.seq })
      const more = { binding: used, outputs: [{ stepIndex: 0, attempt: 1, text: 't' }], artifacts: [artifact('a')] }
      const second = change(first.state, { status: 'running' }, more)
      await expect(bench.storage().store.commit(second)).rejects.toMatchObject(reused)
      expect(await bench.load(before.id)).toEqual(first.state)
      expect(await bench.storage().store.output(before.id, 0, 1)).toBeNull()
      expect(await bench.storage().store.artifact(before.id, 'a', 1)).toBeNull()
    })

    it('that is bound leaves the jobs of a refused change as they were', async () => {
      await bench.takeJobs()
      const used = binding()
      const before = await bench.claimed()
      const first = change(before, {}, { binding: used })
      expect(await bench.storage().store.commit(first)).toBe(true)
      const next = { activation: 2, jobId: randomUUID() }
      const jobs = { binding: used, sendJob: true, completeJob: before.jobId }
      await expect(bench.storage().store.commit(change(first.state, next, jobs))).rejects.toMatchObject(reused)
      expect(await bench.load(before.id)).toEqual(first.state)
      expect(await bench.takeJobs()).toEqual(new Set([before.jobId]))
    })

    it.each([
      ['an old number', { seen: 99 }],
      ['a lost claim', { guard: { kind: 'runner' as const, claim: { ...firstClaim, retry: 9 } } }],
    ])('is not bound by a change that is refused for %s', async (_, refused) => {
      const used = binding()
      const before = await bench.claimed()
      expect(await bench.storage().store.commit({ ...change(before, {}, { binding: used }), ...refused })).toBe(false)
      expect(await bound(used)).toBeNull()
      await createdWith(used)
    })

    it('is found bound only by a change that is not refused anyway', async () => {
      const used = binding()
      await createdWith(used)
      const before = await bench.created()
      expect(await bench.storage().store.commit({ ...change(before, {}, { binding: used }), seen: 99 })).toBe(false)
    })

    it('is free again after 24 hours, for a new workflow and for a change', async () => {
      const old = binding({ digest: 'old' })
      const firstId = await createdWith(old)
      await age(old, 23)
      expect(await bound(old)).toMatchObject({ workflowId: firstId })
      await expect(bench.storage().store.create(newWorkflow(), old)).rejects.toMatchObject(reused)
      await age(old, 1)
      expect(await bound(old)).toBeNull()
      const fresh = { ...old, digest: 'new' }
      const workflowId = await createdWith(fresh)
      expect(await bound(old)).toEqual({ digest: 'new', workflowId, seq: 0 })
      await age(old, 24)
      const before = await bench.created()
      expect(await bench.storage().store.commit(change(before, {}, { binding: old }))).toBe(true)
      expect(await bound(old)).toMatchObject({ digest: 'old', workflowId: before.id })
    })

    it('that has expired is kept by a change that is refused, and deleted with the completed jobs', async () => {
      const [old, young] = [binding(), binding()]
      await createdWith(old)
      await createdWith(young)
      await age(old, 25)
      const before = await bench.created()
      expect(await bench.storage().store.commit({ ...change(before, {}, { binding: old }), seen: 99 })).toBe(false)
      expect(await stored(old)).toBe(1)
      await bench.storage().queue.supervise()
      expect([await stored(old), await stored(young)]).toEqual([0, 1])
    })

    it('is free again when the workflow is deleted', async () => {
      const used = binding()
      const before = await bench.created()
      const end = change(before, { active: false, status: 'cancelled' }, { binding: used })
      expect(await bench.storage().store.commit(end)).toBe(true)
      expect(await bench.storage().store.remove(before.id)).toBe('removed')
      expect(await bound(used)).toBeNull()
      await createdWith(used)
    })

    it('belongs to one of two workflows that are created with it at once, fifty times', async () => {
      await bench.takeJobs()
      const jobs = new Set<string | null>()
      for (let n = 0; n < 50; n += 1) {
        const used = binding()
        const { won, lost } = await raceOfCreations(used)
        expect(await bound(used)).toMatchObject({ workflowId: won.id })
        expect(await bench.storage().store.load(lost.id)).toBeNull()
        jobs.add(won.jobId)
      }
      expect(await bench.takeJobs()).toEqual(jobs)
    })

    it.each(['commits', 'fails'])('is waited for while another transaction binds it (which then %s)', async (end) => {
      const used = binding()
      const { id } = await bench.created()
      const second = newWorkflow()
      const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      let creating: Promise<PromiseSettledResult<unknown>[]> = Promise.resolve([])
      const first = bench.database().transaction(async (tx) => {
        const insert =
          'INSERT INTO agents.idempotency_keys (owner, key, digest, seq, workflow_id) VALUES ($1, $2, $3, 0, $4)'
        await tx.query(insert, [used.owner, used.key, 'first', id])
        // Settled and not awaited: it may be refused before this transaction's own promise is done.
        creating = Promise.allSettled([bench.storage().store.create(second, used)])
        if (!bench.storage().embedded) await vi.waitUntil(async () => (await tx.query(waits)).rowCount === 1)
        if (end === 'fails') throw new Error('changed my mind')
      })
      const [outcome] = await Promise.allSettled([first])
      expect(outcome.status).toBe(end === 'fails' ? 'rejected' : 'fulfilled')
      const [created] = await creating
      expect(created).toMatchObject(end === 'fails' ? { status: 'fulfilled' } : { status: 'rejected', reason: reused })
      expect(await bound(used)).toMatchObject({ workflowId: end === 'fails' ? second.state.id : id })
    })

    it('belongs to one of two workflows also when it was free again', async () => {
      for (let n = 0; n < 10; n += 1) {
        const used = binding()
        await createdWith(used)
        await age(used, 24)
        const { won } = await raceOfCreations(used)
        expect(await bound(used)).toMatchObject({ workflowId: won.id })
      }
    })

    it('belongs to one of two changes of different workflows', async () => {
      const used = binding()
      const both = [await bench.created(), await bench.created()]
      const ends = both.map((before) =>
        change(
          before,
          { active: false, jobId: null, status: 'cancelled' },
          { binding: used, completeJob: before.jobId, events: [event(2, 'workflow.cancelled')] },
        ),
      )
      const won = await winnerOf(ends.map((end) => bench.storage().store.commit(end)))
      const lost = 1 - won
      expect(await bench.load(both[won]?.id ?? '')).toEqual(ends[won]?.state)
      expect(await bench.load(both[lost]?.id ?? '')).toEqual(both[lost])
      expect(await bench.storage().store.strandedIds()).not.toContain(both[lost]?.id)
    })
  })
}
