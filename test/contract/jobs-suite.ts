import { randomUUID } from 'node:crypto'

import { PgBoss } from 'pg-boss'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { activationQueueName } from '../../src/storage/activation-queue-name.ts'
import { asBossDatabase } from '../../src/storage/database.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

/** Differs from job to job. */
const own = new Set(['id', 'data'])

/** Jobs that a change completes in its own statement are left as pg-boss itself leaves them. */
export function describeJobs(bench: StoreBench): void {
  describe('the job of a change that lets go', () => {
    let boss: PgBoss | null = null

    beforeAll(async () => {
      const backend = bench.storage().embedded ? 'pglite' : 'postgres'
      boss = new PgBoss({
        db: asBossDatabase(bench.database()),
        backend,
        supervise: false,
        schedule: false,
        registerInstance: false,
      })
      await boss.start()
    })
    afterAll(async () => {
      await boss?.stop({ graceful: false, close: false })
    })

    /** The row of a job, with whether a time is set in place of the time. */
    const jobOf = async ({ jobId }: WorkflowState) => {
      const text = 'SELECT row_to_json(t) AS job FROM pgboss.job t WHERE id = $1'
      const { rows } = await bench.database().query<{ job: Record<string, unknown> }>(text, [jobId])
      const columns = Object.entries(rows[0]?.job ?? {}).filter(([name]) => !own.has(name))
      return Object.fromEntries(
        columns.map(([name, value]) => {
          const isTime = name.endsWith('_on') || name.endsWith('_after') || name.endsWith('_until')
          return [name, isTime ? value !== null : value]
        }),
      )
    }
    const letGo = async (before: WorkflowState) => {
      const idle = change(before, { active: false }, { completeJob: before.jobId })
      expect(await bench.storage().store.commit(idle)).toBe(true)
    }
    const letGoByBoss = ({ jobId }: WorkflowState) =>
      boss?.complete(activationQueueName, jobId ?? '', null, { includeQueued: true })

    const lapse = `UPDATE pgboss.job SET heartbeat_on = now() - interval '1 hour' WHERE id = ANY ($1::uuid[])`

    it.for(['queued', 'active', 'queued again'])('is left as pg-boss leaves it: one that was %s', async (moment) => {
      await bench.takeJobs()
      const [one, other] = [await bench.created(), await bench.created()]
      const { queue } = bench.storage()
      if (moment !== 'queued') expect(await queue.fetch(10)).toHaveLength(2)
      if (moment === 'queued again') {
        await bench.database().query(lapse, [[one.jobId, other.jobId]])
        // pg-boss does so once a second at most, whoever asks
        await vi.waitFor(
          async () => {
            await queue.supervise()
            expect(await jobOf(one)).toMatchObject({ state: 'retry' })
          },
          { timeout: 20_000, interval: 200 },
        )
      }
      const before = await jobOf(one)
      await letGo(one)
      await letGoByBoss(other)
      const left = await jobOf(one)
      expect(left).toEqual(await jobOf(other))
      expect(left).toMatchObject({ state: 'completed', completed_on: true, blocked: false, output: null })
      expect(before).toMatchObject({ completed_on: false })
      expect(await queue.fetch(10)).toEqual([])
    })

    it('stays as it is when it was completed already, and does not hold the change up', async () => {
      await bench.takeJobs()
      const before = await bench.created()
      await bench.takeJobs()
      const text = 'SELECT row_to_json(t) AS job FROM pgboss.job t WHERE id = $1'
      const completed = (await bench.database().query(text, [before.jobId])).rows
      await letGo(before)
      expect((await bench.database().query(text, [before.jobId])).rows).toEqual(completed)
    })

    it('stays when the change is refused, and goes with no other of its name', async () => {
      await bench.takeJobs()
      const [before, bystander] = [await bench.created(), await bench.created()]
      const late = change({ ...before, seq: 7 }, { active: false }, { completeJob: before.jobId })
      expect(await bench.storage().store.commit(late)).toBe(false)
      expect(await jobOf(before)).toMatchObject({ state: 'created', completed_on: false })
      const strange = change(before, { active: false, jobId: randomUUID() }, { completeJob: randomUUID() })
      expect(await bench.storage().store.commit(strange)).toBe(true)
      expect(await jobOf(bystander)).toMatchObject({ state: 'created' })
      await bench.takeJobs()
    })
  })
}
