import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFollowers } from '../../src/workflows/followers.ts'
import { handOverLost } from '../../src/workflows/hand-over.ts'
import { createLiveness } from '../../src/workflows/liveness.ts'
import type { ActivationJob, ActivationQueue } from '../../src/workflows/queue.ts'
import { customStep } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { createLatch } from '../support/scripted-steps.ts'
import type { EngineSite } from './engine-site.ts'
import { expectWhole, finish, startTry, storedEvents } from './engine-try.ts'
import type { Try } from './engine-try.ts'

const steps = [customStep('a'), customStep('b < a')]
const onlyHeld = { steps, answers: { a: ['held'] } } as const
const hourMs = 3_600_000
const twoTries = [
  'step.queued 0',
  'step.started 1',
  'step.retrying 1',
  'step.started 2',
  'artifact.created 2',
  'step.completed 2',
]
const beat = `SELECT heartbeat_on::text AS at FROM pgboss.job WHERE state = 'active'`

/** A monotonic clock that the test can put forward. */
function pushableClock() {
  const real = performance.now.bind(performance)
  let aheadMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => real() + aheadMs)
  return { push: (ms: number) => void (aheadMs += ms) }
}

/** The rounds of a further replica, which holds nothing, on the clock of the test. */
function watchman({ storage }: EngineSite, push: (ms: number) => void) {
  const { store, queue, clock, hints } = storage()
  const followers = createFollowers()
  const abandoned = new AbortController().signal
  const parts = { store, clock, hints, followers, abandoned, observe: () => undefined, maxWorkerLosses: 25 }
  const reactivate = (id: string) => handOverLost(parts, id)
  const liveness = createLiveness({ store, queue, followers, runners: () => [], reactivate })
  return async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      push(1000)
      await liveness.round()
    }
  }
}

async function eventTypes(one: Try, step: string): Promise<readonly string[]> {
  const events = await storedEvents(one)
  return events.filter((event) => event.step === step).map(({ type, attempt }) => `${type} ${attempt}`)
}

/** A workflow whose first step hangs in its call. */
export async function startHeld(site: EngineSite, bench: EngineBench): Promise<Try> {
  const one = await startTry(site, [bench], onlyHeld)
  await expect.poll(() => site.script.asked(one.correlationId)).toEqual(['a'])
  return one
}

async function claimOf({ id, site }: Try) {
  return (await site.storage().store.heads([id]))[0]?.claim ?? null
}

/** Lets its job lapse, again whenever its holder gives a sign of life, until that has had its effect. */
export async function lapseUntil(one: Try, done: () => Promise<boolean>): Promise<void> {
  const isDone = async () => {
    const over = await done()
    if (!over) await one.site.lapseJobs()
    return over
  }
  await expect.poll(isDone, { timeout: 15_000, interval: 200 }).toBe(true)
}

async function jobState({ site, id }: Try): Promise<string | undefined> {
  const text = `SELECT state::text FROM pgboss.job WHERE id = (SELECT job_id FROM agents.workflows WHERE id = $1)`
  return (await site.query<{ state: string }>(text, [id])).rows[0]?.state
}

/** What it fetches arrives only when the latch is open: it froze in between. */
export function freezingQueue() {
  const latch = createLatch()
  const fetched: ActivationJob[] = []
  const wrap = (real: ActivationQueue): ActivationQueue => ({
    ...real,
    async fetch(limit) {
      const jobs = await real.fetch(limit)
      fetched.push(...jobs)
      if (jobs.length > 0) await latch.opened
      return jobs
    },
  })
  return { wrap, fetched, thaw: latch.open }
}

async function expectWellEnded(one: Try): Promise<void> {
  expect(await finish(one)).toBe('completed')
  await expectWhole(one)
  await one.site.expectNothingLeft()
}

function describeOwnJobs(site: EngineSite): void {
  it('its own, fetched again by the one who runs it, costs no attempt and no call', async () => {
    const bench = await site.openBench()
    await bench.engine.start()
    const one = await startHeld(site, bench)
    await lapseUntil(one, async () => ((await claimOf(one))?.retry ?? 0) > 0)
    expect(bench.engine.held()).toBe(1)
    await expectWellEnded(one)
    expect(site.script.asked(one.correlationId)).toEqual(['a', 'b'])
    expect(await eventTypes(one, 'a')).not.toContain('step.retrying 1')
    expect(bench.defects).toEqual([])
  })

  it('is left alone for ten seconds after a gap, and taken then', async () => {
    const { push } = pushableClock()
    const queue = freezingQueue()
    const bench = await site.openBench({ queue: queue.wrap })
    await bench.engine.start()
    const one = await startTry(site, [bench], { steps })
    await expect.poll(() => queue.fetched).toHaveLength(1)
    const rounds = watchman(site, push)
    await rounds(15)
    await site.query(`UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE state = 'active'`)
    push(4000)
    // The clock also runs by itself, hence not to the last second.
    await rounds(5)
    expect(await jobState(one)).toBe('active')
    // the queue itself is supervised at most once in a second of the database's
    const requeued = async () => {
      await rounds(3)
      return jobState(one)
    }
    await expect.poll(requeued, { interval: 200 }).not.toBe('active')
    queue.thaw()
    await expectWellEnded(one)
  })
}

function describeStranded(site: EngineSite): void {
  it('a workflow whose job is gone is found by the sweep of anybody, and goes on', async () => {
    const { push } = pushableClock()
    const bench = await site.openBench()
    const one = await startTry(site, [bench], { steps })
    await site.query('DELETE FROM pgboss.job WHERE id = (SELECT job_id FROM agents.workflows WHERE id = $1)', [one.id])
    const rounds = watchman(site, push)
    await rounds(30)
    expect((await site.storage().store.load(one.id))?.activation).toBe(1)
    await rounds(31)
    expect((await site.storage().store.load(one.id))?.activation).toBe(2)
    await bench.engine.start()
    await expectWellEnded(one)
    expect(site.script.asked(one.correlationId)).toEqual(['a', 'b'])
  })
}

function describeHandOvers(site: EngineSite): void {
  const openAt = async (options: EngineBenchOptions) => {
    const clock = pushableClock()
    const bench = await site.openBench(options)
    await bench.engine.start()
    return { bench, ...clock }
  }
  const activation = async ({ id }: Try) => (await site.storage().store.load(id))?.activation

  it('after an hour an activation is renewed while no step runs, and nobody notices', async () => {
    const { bench, push } = await openAt({ run: { retryDelayMs: () => 3000 } })
    const one = await startTry(site, [bench], { steps, answers: { a: ['busy', 'work'] } })
    await (await bench.follow(one.ref)).until('step.retrying', 'a')
    push(hourMs)
    await expect.poll(() => activation(one), { timeout: 5000 }).toBe(2)
    await expectWellEnded(one)
    expect(await eventTypes(one, 'a')).toEqual(twoTries)
    expect(site.script.asked(one.correlationId)).toEqual(['a', 'a', 'b'])
    expect(bench.defects).toEqual([])
  })

  it('a running step is waited for, but not for longer than twelve hours', async () => {
    const { bench, push } = await openAt({})
    const one = await startHeld(site, bench)
    const rounds = await site.query<{ at: string }>(beat)
    push(hourMs)
    await expect.poll(async () => (await site.query(beat)).rows, { timeout: 5000 }).not.toEqual(rounds.rows)
    expect(await activation(one)).toBe(1)
    push(12 * hourMs)
    await expect.poll(() => activation(one), { timeout: 5000 }).toBe(2)
    await expectWellEnded(one)
    expect(await eventTypes(one, 'a')).toEqual(twoTries)
    const retrying = (await storedEvents(one)).filter(({ type }) => type === 'step.retrying')
    expect(retrying.map(({ data }) => data['error'])).toMatchObject([{ code: 'shutdown' }])
    expect(bench.defects).toEqual([])
  })
}

/** What becomes of jobs whose holder gives no sign of life. */
export function describeLapses(site: EngineSite): void {
  afterEach(() => {
    vi.restoreAllMocks()
  })
  describe('a job that lapses', () => {
    describeOwnJobs(site)
  })
  describe('what is stranded', () => {
    describeStranded(site)
  })
  describe('hand-over', () => {
    describeHandOvers(site)
  })
}
