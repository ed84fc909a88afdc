import { join } from 'node:path'

import { describe, expect } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import { handOverLost } from '../../src/workflows/hand-over.ts'
import type { ActivationJob, ActivationQueue } from '../../src/workflows/queue.ts'
import { toChange } from '../../src/workflows/planned-change.ts'
import { decide } from '../../src/workflows/transitions.ts'
import { embeddedOptions, failingParts, temporaryDirectory } from '../support/database.ts'
import { caller, customSteps, openEngineBench, test } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import { answerSteps, createLatch, heldAnswer, stepOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

/** Jobs that somebody else seems to have put back into the queue. */
function interceptQueue() {
  const fetched: ActivationJob[] = []
  const injected: ActivationJob[] = []
  const wrap = (real: ActivationQueue): ActivationQueue => ({
    ...real,
    async fetch(limit) {
      const jobs = [...injected.splice(0), ...(await real.fetch(limit))]
      fetched.push(...jobs)
      return jobs
    },
  })
  const inject = (bench: EngineBench, job: ActivationJob) => {
    injected.push(job)
    bench.engine.wake(job.workflowId)
  }
  return { wrap, fetched, inject }
}

function jobOf(fetched: readonly ActivationJob[], id: string): ActivationJob {
  const job = fetched.find(({ workflowId }) => workflowId === id)
  if (job === undefined) throw new Error('no job was fetched')
  return job
}

describe('drain', () => {
  test('lets a running step finish, starts none, and hands over', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    const early = await bench.follow(id)
    await early.until('step.delta', 'a')
    const drained = bench.engine.drain(10_000)
    latch.open()
    await drained
    await early.until('step.completed', 'a')
    expect(early.names()).not.toContain('step.started b@1')
    expect(bench.engine.held()).toBe(0)

    const next = await openBench({ server: bench.server })
    await next.engine.start()
    const { events, of } = await next.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying')).toEqual([])
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'b'])
  })

  test('takes a step away that does not finish in time; its next attempt is made elsewhere', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ b: [heldAnswer('b', latch), 'b again'] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    const early = await bench.follow(id)
    await early.until('step.delta', 'b')
    await bench.engine.drain(0)
    await early.until('step.retrying', 'b')
    expect(early.of('step.retrying', 'b')).toMatchObject([{ attempt: 1, delay_ms: 0, error: { code: 'shutdown' } }])
    const [, call] = bench.server.calls
    await call?.ended
    expect(call?.aborted).toBe(true)

    const next = await openBench({ server: bench.server })
    await next.engine.start()
    const { events, of, joined } = await next.toEnd(id)
    expectLawful(events)
    expect(of('step.completed', 'b')[0]).toMatchObject({ attempt: 2, output: 'b again' })
    expect(joined('b', 1)).toBe('')
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'b', 'b'])
    expect([...bench.defects, ...next.defects]).toEqual([])
  })
})

describe('a lost process', () => {
  test('what it left is taken back at boot, and finished steps are not asked for again', async ({ openBench }) => {
    const directory = await temporaryDirectory()
    const options = await embeddedOptions(join(directory.path, 'data'))
    const lost = createStorage(options, failingParts)
    await lost.start()
    const bench = await openBench({ storage: lost })
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ b: [heldAnswer('b', latch), 'b again'] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a', 'c < b'))
    await (await bench.follow(id)).until('step.delta', 'b')
    await lost.close()
    await bench.kill()

    const found = createStorage(options, failingParts)
    await found.start()
    const next = await openEngineBench(found, { server: bench.server })
    await next.engine.start()
    const { events, of } = await next.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying')).toMatchObject([{ step: 'b', attempt: 1, error: { code: 'worker_lost' } }])
    expect(of('step.completed', 'b')[0]).toMatchObject({ attempt: 2, output: 'b again' })
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'b', 'b', 'c'])
    expect(of('workflow.started')).toHaveLength(1)
    await next.close()
    await found.close()
    await directory.remove()
  })

  test('again and again, the step fails', async ({ openBench }) => {
    const first = await openBench({ run: { maxWorkerLosses: 1 } })
    const latch = createLatch()
    first.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    await first.engine.start()
    const id = await first.start(customSteps('a', 'b < a', 'x'))
    await (await first.follow(id)).until('step.delta', 'a')
    await first.kill()
    const second = await openBench({ run: { maxWorkerLosses: 1 }, server: first.server })
    await second.engine.start()
    const again = await second.follow(id)
    await again.until('step.retrying', 'a')
    await again.until('step.delta', 'a')
    await second.kill()
    const third = await openBench({ run: { maxWorkerLosses: 1 }, server: first.server })
    await third.engine.start()
    const { events, of } = await third.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying', 'a')).toHaveLength(1)
    expect(of('step.failed', 'a')[0]).toMatchObject({ attempt: 2, error: { code: 'worker_lost' } })
    expect(of('step.skipped', 'b')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'workflow.failed', error: { code: 'worker_lost' } })
    expect(await third.store.activeIds()).toEqual([])
  })

  test('at boot nothing is taken back that this process has taken itself', async ({ openBench }) => {
    const bench = await openBench()
    const ids = await Promise.all(Array.from({ length: 20 }, () => bench.start(customSteps('a', 'b < a'))))
    await bench.engine.start()
    for (const { events, of } of await Promise.all(ids.map((id) => bench.toEnd(id)))) {
      expectLawful(events)
      expect(of('step.retrying')).toEqual([])
    }
    expect(bench.server.calls).toHaveLength(40)
  })
})

describe('claims', () => {
  test('its own lapsed job, fetched again, is adopted: nothing is lost or done again', async ({ openBench }) => {
    const queue = interceptQueue()
    const bench = await openBench({ queue: queue.wrap })
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    await (await bench.follow(id)).until('step.delta', 'a')
    const job = jobOf(queue.fetched, id)
    queue.inject(bench, { ...job, retry: job.retry + 1 })
    await expect
      .poll(async () => (await bench.store.heads([id]))[0]?.claim)
      .toEqual({ activation: job.activation, retry: job.retry + 1 })
    latch.open()
    const { events, of } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying')).toEqual([])
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'b'])
    expect(bench.defects).toEqual([])
  })

  /** Somebody else takes the claim, as after a lapse that this replica slept through. */
  async function takeClaim(bench: EngineBench, id: string): Promise<number> {
    const state = await bench.store.load(id)
    if (state === null) throw new Error('it is gone')
    const claim = { activation: state.activation, retry: 7 }
    const happening = { type: 'taken', claim, maxWorkerLosses: 25 } as const
    const decision = decide(state, happening, { now: state.updatedAt })
    if (decision === null) throw new Error('it cannot be taken')
    const change = toChange(decision, {}, { seen: state.seq, guard: { kind: 'take', claim } })
    expect(await bench.store.commit(change)).toBe(true)
    return decision.state.seq
  }

  test.for(['at its next write', 'at the next round'])(
    'who has lost one stops %s and writes nothing',
    async (when, { openBench }) => {
      const bench = await openBench()
      const latch = createLatch()
      bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
      await bench.engine.start()
      const id = await bench.start(customSteps('a', 'b < a'))
      await (await bench.follow(id)).until('step.delta', 'a')
      const seq = await takeClaim(bench, id)
      if (when === 'at its next write') latch.open()
      await bench.server.calls[0]?.ended
      expect(bench.server.calls[0]?.aborted).toBe(when === 'at the next round')
      await expect.poll(() => bench.engine.held()).toBe(0)
      const stored = await bench.store.eventsAfter(id, 0, 100)
      expect(stored?.seq).toBe(seq)
      expect(stored?.events.at(-1)).toMatchObject({ type: 'step.retrying', data: { error: { code: 'worker_lost' } } })
      expect(await bench.store.output(id, 0, 1)).toBeNull()
      expect(bench.defects).toEqual([])
      await bench.service.cancel({ kind: 'workflow', id }, { ...caller, correlationId: 'request-2' })
      latch.open()
    },
  )

  test('who is handed over by others lets go, and the next activation begins', async ({ openBench, storage }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch), 'a again'] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    await (await bench.follow(id)).until('step.delta', 'a')
    const others = {
      store: storage.store,
      clock: storage.clock,
      observe: () => undefined,
      followers: createFollowers(),
      hints: storage.hints,
    }
    await handOverLost({ ...others, abandoned: new AbortController().signal, maxWorkerLosses: 25 }, id)
    const { events, of } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying')).toMatchObject([{ step: 'a', attempt: 1, error: { code: 'worker_lost' } }])
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'a', 'b'])
    expect(bench.server.calls[0]?.aborted).toBe(true)
    expect(bench.defects).toEqual([])
  })

  test('a left-over job of an earlier activation holds nobody up', async ({ openBench }) => {
    const queue = interceptQueue()
    const bench = await openBench({ queue: queue.wrap })
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await (await bench.follow(id)).until('step.delta', 'a')
    queue.inject(bench, { ...jobOf(queue.fetched, id), activation: 0, retry: 3 })
    // The first may have been fetched together with it.
    await bench.toEnd(await bench.start(customSteps('other')))
    await bench.toEnd(await bench.start(customSteps('another')))
    latch.open()
    const { of } = await bench.toEnd(id)
    expect(of('step.started')).toHaveLength(1)
  })
})

test('a look at the stored state while a call is open does not count that call twice', async ({ openBench }) => {
  const bench = await openBench()
  const latch = createLatch()
  bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
  await bench.engine.start()
  const id = await bench.start(customSteps('a', 'b < a'))
  await (await bench.follow(id)).until('step.delta', 'a')
  bench.engine.wake(id)
  await bench.store.load(id)
  latch.open()
  const { of } = await bench.toEnd(id)
  const { resource } = await bench.service.get({ kind: 'workflow', id })
  expect(of('step.completed', 'a')[0]?.usage?.llm_calls).toBe(1)
  expect(of('workflow.completed')[0]?.usage).toEqual(resource.usage)
})
