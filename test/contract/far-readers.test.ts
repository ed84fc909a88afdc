import { afterAll, afterEach, describe, expect, test } from 'vitest'

import type { Database } from '../../src/storage/database.ts'
import type { Hints } from '../../src/workflows/hints.ts'
import { failingParts, openTestStorage } from '../support/database.ts'
import { caller, customSteps, openEngineBench } from '../support/engine-fixture.ts'
import { answerSteps, createLatch, heldAnswer, workOf } from '../support/scripted-steps.ts'
import type { Latch } from '../support/scripted-steps.ts'
import { postgresForTests } from './postgres-server.ts'
import { openReplicaBenches } from './replica-benches.ts'
import type { ReplicaBench, ReplicaBenches } from './replica-benches.ts'

const server = await postgresForTests()
const opened: ReplicaBenches[] = []
const latches: Latch[] = []

afterEach(async () => {
  for (const latch of latches.splice(0)) latch.open()
  for (const replicas of opened.splice(0)) await replicas.close()
})
afterAll(async () => {
  await server?.stop()
})

async function openReplicas(): Promise<ReplicaBenches> {
  const replicas = await openReplicaBenches((await server?.createDatabase()) ?? '')
  opened.push(replicas)
  return replicas
}

function newLatch(): Latch {
  const latch = createLatch()
  latches.push(latch)
  return latch
}

/** Hints of which nothing ever arrives, and who has them knows it. */
const deaf: Hints = {
  tell: () => undefined,
  tellText: () => undefined,
  listen: () => () => undefined,
  listening: () => false,
}

const touching = (replica: ReplicaBench, table: string) => replica.statements.filter((text) => text.includes(table))
const written = (replica: ReplicaBench) => touching(replica, 'INSERT INTO agents.chunks')
const readFrom = (replica: ReplicaBench) =>
  touching(replica, 'FROM agents.chunks').filter((text) => !/INSERT|DELETE/.test(text))

describe.skipIf(!server)('a reader on a replica that does not run the step', () => {
  test.each([
    ['by notifications', {}],
    ['by polling, when they are lost', { hints: deaf }],
  ])('sees its text while it grows, %s', async (_how, options) => {
    const replicas = await openReplicas()
    const latch = newLatch()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    const runner = await replicas.open(options)
    const other = await replicas.openIdle(options)
    const id = await runner.bench.start(customSteps('a'))
    const events = await other.bench.follow(id)
    await events.until('step.delta')
    expect(events.of('step.completed')).toEqual([])
    latch.open()
    await events.toEnd()
    expect(events.joined('a', 1)).toBe(workOf('a'))
    expect([...runner.bench.defects, ...other.bench.defects]).toEqual([])
  })

  test('shares what is read with all others there', async () => {
    const replicas = await openReplicas()
    const latch = newLatch()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const id = await runner.bench.start(customSteps('a'))
    const readers = await Promise.all(Array.from({ length: 50 }, () => other.bench.follow(id)))
    await Promise.all(readers.map((events) => events.until('step.delta')))
    // One for the hint of each write, and one a second.
    expect(readFrom(other).length).toBeLessThan(readers.length)
    latch.open()
    await Promise.all(readers.map((events) => events.toEnd()))
    expect(new Set(readers.map((events) => events.joined('a', 1)))).toEqual(new Set([workOf('a')]))
  })

  test('sees nothing of an attempt after it is void, and all of the next', async () => {
    const replicas = await openReplicas()
    const latch = newLatch()
    const broken = {
      text: 'thrown away by all',
      ending: 'reset',
      before: (n: number) => (n === 2 ? latch.opened : undefined),
    } as const
    const second = newLatch()
    replicas.model.answerWith(answerSteps({ a: [broken, heldAnswer('a', second)] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const id = await runner.bench.start(customSteps('a'))
    const events = await other.bench.follow(id)
    expect(await events.until('step.delta')).toMatchObject({ attempt: 1 })
    latch.open()
    await events.until('step.retrying')
    expect(await events.until('step.delta', 'a', events.of('step.delta').length + 1)).toMatchObject({
      attempt: 2,
      offset: 0,
    })
    second.open()
    await events.toEnd()
    const order = events.events.map(({ type, attempt }) => `${type} ${attempt}`)
    expect(order.lastIndexOf('step.delta 1')).toBeLessThan(order.indexOf('step.retrying 1'))
    expect(events.joined('a', 2)).toBe(workOf('a'))
  })

  test('hears no more of a text that was cancelled, and no chunk of it is left', async () => {
    const replicas = await openReplicas()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', newLatch())] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const id = await runner.bench.start(customSteps('a'))
    const events = await other.bench.follow(id)
    await events.until('step.delta')
    await other.bench.service.cancel({ kind: 'workflow', id }, caller)
    await events.toEnd()
    expect(events.events.at(-1)?.type).toBe('workflow.cancelled')
    expect((await runner.query('SELECT FROM agents.chunks')).rows).toEqual([])
  })

  test('goes on with whoever takes the workflow over, also where it was lost', async () => {
    const replicas = await openReplicas()
    const second = newLatch()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', newLatch()), heldAnswer('a', second)] }))
    // One that is full looks for no work, and so not for its own.
    const loser = await replicas.open({ engine: { maxConcurrentWorkflows: 1 } })
    const idle = await replicas.openIdle()
    const id = await loser.bench.start(customSteps('a'))
    const readers = [await loser.bench.follow(id), await idle.bench.follow(id)]
    for (const events of readers) await events.until('step.delta')
    const taker = await replicas.open()
    const silence = `UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE state = 'active' AND retry_count = 0`
    const lapse = async () => {
      await taker.query(silence)
      await taker.storage.queue.supervise()
      return taker.bench.engine.held()
    }
    await expect.poll(lapse, { timeout: 15_000, interval: 100 }).toBe(1)
    for (const events of readers) {
      const before = events.of('step.delta').length
      await events.until('step.retrying')
      expect(await events.until('step.delta', 'a', before + 1)).toMatchObject({ attempt: 2, offset: 0 })
    }
    second.open()
    for (const events of readers) {
      await events.toEnd()
      expect(events.joined('a', 2)).toBe(workOf('a'))
    }
    expect([...loser.bench.defects, ...idle.bench.defects, ...taker.bench.defects]).toEqual([])
  })
})

describe.skipIf(!server)('while nobody reads on another replica', () => {
  test('nothing is announced or written', async () => {
    const replicas = await openReplicas()
    const latch = newLatch()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const id = await runner.bench.start(customSteps('a', 'b < a'))
    const events = await runner.bench.follow(id)
    await events.until('step.delta')
    latch.open()
    await events.toEnd()
    const ended = await other.bench.follow(id)
    await ended.toEnd()
    expect(ended.joined('a', 1)).toBe(workOf('a'))
    for (const replica of [runner, other]) {
      expect([written(replica), readFrom(replica), touching(replica, 'INSERT INTO agents.announcements')]).toEqual([
        [],
        [],
        [],
      ])
    }
  })
})

test('on PGlite, where this process is the only one, nothing is announced, written or looked for', async () => {
  const statements: string[] = []
  const around = (database: Database): Database => ({
    ...database,
    query: (text, values) => {
      statements.push(text)
      return database.query(text, values)
    },
  })
  const storage = await openTestStorage({}, { ...failingParts, around })
  const latch = newLatch()
  const bench = await openEngineBench(storage)
  bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
  await bench.engine.start()
  const events = await bench.follow(await bench.start(customSteps('a')))
  await events.until('step.delta')
  latch.open()
  await events.toEnd()
  await bench.close()
  await storage.close()
  const isOfChunks = (text: string) => /agents\.(chunks|announcements)/.test(text)
  // Closing an attempt deletes its chunks in the same statement, whether there are any or not.
  expect(statements.filter((text) => isOfChunks(text) && !text.includes('DELETE FROM agents.chunks'))).toEqual([])
})

describe.skipIf(!server?.power)('after an outage of the database', () => {
  test('a reader on another replica is told what was said meanwhile', async () => {
    const replicas = await openReplicas()
    const [first, second] = [newLatch(), newLatch()]
    const before = (n: number) => (n === 1 ? first.opened : n === 3 ? second.opened : undefined)
    replicas.model.answerWith(answerSteps({ a: [{ text: 'before meanwhile and after', before }] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const events = await other.bench.follow(await runner.bench.start(customSteps('a')))
    await events.until('step.delta')
    await server?.power?.off()
    first.open()
    await expect.poll(() => runner.storage.ready() || other.storage.ready(), { timeout: 10_000 }).toBe(false)
    await server?.power?.on()
    await events.until('step.delta', 'a', 2)
    expect(events.of('step.retrying')).toEqual([])
    second.open()
    await events.toEnd()
    expect(events.joined('a', 1)).toBe('before meanwhile and after')
    expect([...runner.bench.defects, ...other.bench.defects]).toEqual([])
  })
})
