import { describe, expect, it } from 'vitest'
import { customStep } from '../support/engine-fixture.ts'
import { freezingQueue, lapseUntil, startHeld } from './engine-lapses-suite.ts'
import { races } from './engine-races.ts'
import { runRace } from './engine-races-suite.ts'
import type { EngineSite } from './engine-site.ts'
import { expectWhole, finish, startTry, storedEvents } from './engine-try.ts'
import type { Try } from './engine-try.ts'

const answersAtOnce = 20
const answers = Number(process.env['RACE_ANSWERS'] ?? 500)

async function lossesOf(one: Try): Promise<readonly unknown[]> {
  const events = await storedEvents(one)
  return events.filter(({ type }) => type === 'step.retrying').map(({ data }) => data['error'])
}

/** What only two replicas can do to each other. */
export function describeReplicas(site: EngineSite): void {
  describe('two replicas', () => {
    it('who freezes between taking a job and claiming its workflow finds it done, and does nothing', async () => {
      const queue = freezingQueue()
      const frozen = await site.openBench({ queue: queue.wrap })
      const other = await site.openBench({}, 1)
      await frozen.engine.start()
      const one = await startTry(site, [frozen], { steps: [customStep('a'), customStep('b < a')] })
      await expect.poll(() => queue.fetched).toHaveLength(1)
      await other.engine.start()
      await lapseUntil(one, async () => (await site.storage().store.load(one.id))?.status === 'completed')
      const { seq } = (await expectWhole(one)).at(-1) ?? {}
      queue.thaw()
      // It takes work again only when it is through with that one.
      const next = await startTry(site, [frozen], { steps: [customStep('a')] })
      expect(await finish(next)).toBe('completed')
      expect((await expectWhole(one)).at(-1)?.seq).toBe(seq)
      expect(site.script.asked(one.correlationId)).toEqual(['a', 'b'])
      expect(await lossesOf(one)).toEqual([])
      await site.expectNothingLeft()
      expect([...frozen.defects, ...other.defects]).toEqual([])
    })

    it('who is taken for dead while it runs a step stops, and its call is closed', async () => {
      // One that is full looks for no work, and so not for its own.
      const alive = await site.openBench({ engine: { maxConcurrentWorkflows: 1 } })
      const other = await site.openBench({}, 1)
      await alive.engine.start()
      const calls = site.model().calls.length
      const one = await startHeld(site, alive)
      await other.engine.start()
      await lapseUntil(one, async () => site.script.asked(one.correlationId).length === 2)
      const call = site.model().calls[calls]
      await call?.ended
      expect(call?.aborted).toBe(true)
      await expect.poll(() => alive.engine.held()).toBe(0)
      expect(await finish(one)).toBe('completed')
      await expectWhole(one)
      expect(await lossesOf(one)).toMatchObject([{ code: 'worker_lost' }])
      expect(site.script.asked(one.correlationId)).toEqual(['a', 'a', 'b'])
      await site.expectNothingLeft()
      expect([...alive.defects, ...other.defects]).toEqual([])
    })

    it(`${answers} answers that race with letting go are all heard, and none waits for a heartbeat`, async () => {
      const race = races.find(({ name }) => name === 'approve and letting go')
      if (race === undefined) throw new Error('there is no such race')
      const since = (await site.query<{ at: string }>('SELECT now()::text AS at')).rows[0]?.at
      const outcomes = await runRace(site, race, { times: answers, atOnce: answersAtOnce })
      expect(outcomes).toEqual({ '202 - completed, a completed': answers })
      // One that nobody heard would have gone on only after its job had lapsed.
      const fetchedAgain = `SELECT id FROM pgboss.job WHERE name = 'activation' AND created_on >= $1 AND retry_count > 0`
      expect((await site.query(fetchedAgain, [since])).rows).toEqual([])
    }, 180_000)
  })
}
