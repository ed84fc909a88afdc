import { Client } from 'pg'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database, Queryable } from '../../src/storage/database.ts'
import { connectNotify } from '../../src/storage/notify-connection.ts'
import { createNotifyHints } from '../../src/storage/notify-hints.ts'
import type { NotifyHints, NotifyHintsOptions } from '../../src/storage/notify-hints.ts'
import type { StorageParts } from '../../src/storage/open-database.ts'
import type { Hints } from '../../src/workflows/hints.ts'
import { failingParts, testId } from '../support/database.ts'
import { caller, customSteps, openEngineBench } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { startModelServer } from '../support/fault-server.ts'
import { answerSteps, createLatch, heldAnswer } from '../support/scripted-steps.ts'
import { postgresForTests } from './postgres-server.ts'

const server = await postgresForTests()

afterAll(async () => {
  await server?.stop()
})

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function newDatabase(): Promise<string> {
  return (await server?.createDatabase()) ?? ''
}

/** Hints of one replica, without the rest of it; impatient. */
async function openHints(databaseUrl: string, options: NotifyHintsOptions = {}): Promise<NotifyHints> {
  const hints = createNotifyHints(
    { connect: (hear, signal) => connectNotify({ databaseUrl, signal, patienceMs: 500 }, hear) },
    { firstWaitMs: 20, longestWaitMs: 100, ...options },
  )
  closing.push(() => hints.close())
  await hints.start()
  return hints
}

function heardBy(hints: Hints): string[] {
  const heard: string[] = []
  hints.listen((ids) => void heard.push(...ids))
  return heard
}

async function openAdmin(databaseUrl: string): Promise<Client> {
  const admin = new Client({ connectionString: databaseUrl })
  await admin.connect()
  closing.push(() => admin.end())
  return admin
}

/** Server processes of the connections for hints in this database. */
async function hintProcesses(admin: Client): Promise<readonly number[]> {
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'multi-agent-service hints' AND datname = current_database()`,
  )
  return rows.map(({ pid }) => pid)
}

describe.skipIf(!server)('notifications', () => {
  test('reach every other replica, never the one that sends them', async () => {
    const url = await newDatabase()
    const [a, b, c] = await Promise.all([openHints(url), openHints(url), openHints(url)])
    const [heardA, heardB, heardC] = [heardBy(a), heardBy(b), heardBy(c)]
    a.tell('wf_1')
    await expect.poll(() => [heardB, heardC]).toEqual([['wf_1'], ['wf_1']])
    b.tell('wf_2')
    await expect.poll(() => heardA).toEqual(['wf_2'])
    expect(heardB).toEqual(['wf_1'])
  })

  test('carry thousands of ids, none of them lost', async () => {
    const url = await newDatabase()
    const [a, b] = await Promise.all([openHints(url), openHints(url)])
    const heard = heardBy(b)
    const ids = Array.from({ length: 5000 }, () => testId())
    for (const id of ids) a.tell(id)
    await expect.poll(() => heard).toHaveLength(5000)
    expect(heard).toEqual(ids)
  })

  test('come again after their connection was ended by the server', async () => {
    const url = await newDatabase()
    const admin = await openAdmin(url)
    const [a, b] = await Promise.all([openHints(url), openHints(url)])
    const heard = heardBy(b)
    const before = await hintProcesses(admin)
    await admin.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [before])
    const replaced = async () => (await hintProcesses(admin)).filter((pid) => !before.includes(pid)).length
    await expect.poll(replaced, { timeout: 5000 }).toBe(2)
    await expect.poll(() => [a.listening(), b.listening()]).toEqual([true, true])
    a.tell('wf_1')
    await expect.poll(() => heard).toEqual(['wf_1'])
    expect(await hintProcesses(admin)).toHaveLength(2)
  })

  test('leave no connection behind', async () => {
    const url = await newDatabase()
    const admin = await openAdmin(url)
    const hints = await openHints(url)
    expect(await hintProcesses(admin)).toHaveLength(1)
    await hints.close()
    await expect.poll(() => hintProcesses(admin)).toEqual([])
  })

  test.skipIf(!server?.power)('of a server process that is frozen are known to be lost', async () => {
    const url = await newDatabase()
    const admin = await openAdmin(url)
    const hints = await openHints(url, { askEveryMs: 50 })
    const [frozen = 0] = await hintProcesses(admin)
    process.kill(frozen, 'SIGSTOP')
    try {
      await expect.poll(() => hintProcesses(admin), { timeout: 5000 }).toHaveLength(2)
      await expect.poll(() => hints.listening()).toBe(true)
    } finally {
      process.kill(frozen, 'SIGCONT')
    }
    await expect.poll(async () => (await hintProcesses(admin)).includes(frozen), { timeout: 5000 }).toBe(false)
  })
})

interface Replica {
  readonly bench: EngineBench
  readonly storage: Storage
}

async function openReplica(
  databaseUrl: string,
  options: EngineBenchOptions & { readonly parts?: StorageParts; readonly hints?: Hints } = {},
): Promise<Replica> {
  const storage = createStorage(
    { databaseUrl, dataDirectory: '/nowhere', poolSize: 6, statementTimeoutMs: 10_000, lockTimeoutMs: 2000 },
    options.parts ?? failingParts,
  )
  closing.push(() => storage.close())
  await storage.start()
  const engine = { onlyProcess: false, ...options.engine }
  const bench = await openEngineBench(storage, { ...options, engine })
  closing.push(() => bench.close())
  return { bench, storage }
}

const takesNothing = { maxConcurrentWorkflows: 0 }

async function openModel() {
  const model = await startModelServer()
  closing.push(() => model.close())
  return model
}

/** Hints of which nothing ever arrives. */
function lostHints(listening: boolean): Hints {
  return { tell: () => undefined, tellText: () => undefined, listen: () => () => undefined, listening: () => listening }
}

/** Resolves the next time that one of these things has been done. */
function createMoments() {
  let next = Promise.withResolvers<void>()
  return {
    next: () => next.promise,
    now() {
      next.resolve()
      next = Promise.withResolvers()
    },
  }
}

/** How long after A's cancel, which comes just after B has looked, the socket of B's step is closed, in milliseconds. */
async function cancelAcross(hints: { readonly ofA?: Hints; readonly ofB?: Hints } = {}): Promise<number> {
  const looked = createMoments()
  const url = await newDatabase()
  const model = await openModel()
  const a = await openReplica(url, { server: model, engine: takesNothing, ...(hints.ofA && { hints: hints.ofA }) })
  const b = await openReplica(url, {
    server: model,
    ...(hints.ofB && { hints: hints.ofB }),
    store: (real) => ({ ...real, heads: (ids) => real.heads(ids).finally(looked.now) }),
  })
  const latch = createLatch()
  closing.push(async () => latch.open())
  model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
  await Promise.all([a.bench.engine.start(), b.bench.engine.start()])
  const id = await a.bench.start(customSteps('a', 'b < a'))
  const call = await model.called(1)
  expect([a.bench.engine.held(), b.bench.engine.held()]).toEqual([0, 1])
  await looked.next()
  await a.bench.service.cancel({ kind: 'workflow', id }, caller)
  const cancelledAt = performance.now()
  await call.ended
  const tookMs = performance.now() - cancelledAt
  expect(call.aborted).toBe(true)
  await expect.poll(() => b.bench.engine.held()).toBe(0)
  expect([...a.bench.defects, ...b.bench.defects]).toEqual([])
  return tookMs
}

describe.skipIf(!server)('a cancel on another replica closes the socket to the model', () => {
  test('at once, by a notification', async () => {
    expect(await cancelAcross()).toBeLessThan(500)
  })

  test('by the round of a second, when the notification is lost', async () => {
    expect(await cancelAcross({ ofA: lostHints(true) })).toBeLessThan(1500)
  })

  test('sooner than that when the running replica hears nothing and knows it', async () => {
    expect(await cancelAcross({ ofB: lostHints(false) })).toBeLessThan(750)
  })
})

describe.skipIf(!server)('on two replicas', () => {
  test('what one has no room for begins on the other at once, again and again', async () => {
    const url = await newDatabase()
    const model = await openModel()
    const latch = createLatch()
    closing.push(async () => latch.open())
    model.answerWith(answerSteps({ long: [heldAnswer('long', latch)] }))
    const full = await openReplica(url, { server: model, engine: { maxConcurrentWorkflows: 1 } })
    await full.bench.engine.start()
    await full.bench.start(customSteps('long'))
    await model.called(1)
    const asked = createMoments()
    const idle = await openReplica(url, {
      server: model,
      queue: (real) => ({ ...real, fetch: (limit) => real.fetch(limit).finally(asked.now) }),
    })
    await idle.bench.engine.start()
    for (const n of [2, 3, 4]) {
      await asked.next()
      const startedAt = performance.now()
      const id = await full.bench.start(customSteps('short'))
      await model.called(n)
      // By itself it would ask again after half a second.
      expect(performance.now() - startedAt).toBeLessThan(400)
      await idle.bench.toEnd(id)
    }
    expect(idle.bench.observed.filter(({ event }) => event.type === 'step.started')).toHaveLength(3)
  })

  test('a reader on one sees at once what the other does, to the end', async () => {
    const url = await newDatabase()
    const model = await openModel()
    const latch = createLatch()
    model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    const a = await openReplica(url, { server: model, engine: takesNothing })
    const b = await openReplica(url, { server: model })
    await Promise.all([a.bench.engine.start(), b.bench.engine.start()])
    const id = await a.bench.start(customSteps('a', 'b < a', 'c < b', 'd < c'))
    const reader = await a.bench.follow(id)
    const ended = reader.toEnd()
    await model.called(1)
    const opened = performance.now()
    latch.open()
    await ended
    // Each of these steps could wait a second for a round.
    expect(performance.now() - opened).toBeLessThan(900)
    expect(reader.events.at(-1)).toMatchObject({ type: 'workflow.completed' })
    expect([...a.bench.defects, ...b.bench.defects]).toEqual([])
  })

  test('what one hands over goes on on the other', async () => {
    const url = await newDatabase()
    const model = await openModel()
    const latch = createLatch()
    model.answerWith(answerSteps({ a: [heldAnswer('a', latch), 'again'] }))
    const leaving = await openReplica(url, { server: model })
    await leaving.bench.engine.start()
    const id = await leaving.bench.start(customSteps('a'))
    await model.called(1)
    const staying = await openReplica(url, { server: model })
    await staying.bench.engine.start()
    const reader = await staying.bench.follow(id)
    await leaving.bench.engine.drain(0)
    await reader.toEnd()
    latch.open()
    expect(reader.of('step.retrying')).toMatchObject([{ error: { code: 'shutdown' } }])
    expect(reader.events.at(-1)).toMatchObject({ type: 'workflow.completed' })
  })

  test('no transaction of a change notifies anybody', async () => {
    const texts: string[] = []
    const watched = <T extends Queryable>(database: T): T => ({
      ...database,
      query(text: string, values?: readonly unknown[]) {
        texts.push(text)
        return database.query(text, values)
      },
    })
    const around = (database: Database): Database => ({
      ...watched(database),
      transaction: (work) => database.transaction((tx) => work(watched(tx))),
    })
    const { bench } = await openReplica(await newDatabase(), { parts: { ...failingParts, around } })
    closing.push(() => bench.server.close())
    await bench.engine.start()
    texts.length = 0
    const id = await bench.start(customSteps('a', 'b < a'))
    await bench.toEnd(id)
    expect(texts.filter((text) => text.includes('agents.events')).length).toBeGreaterThan(3)
    expect(texts.filter((text) => /notify/i.test(text))).toEqual([])
  })
})

describe.skipIf(!server?.power)('while Postgres is away', () => {
  test('nobody spins, and notifications come again with it', async () => {
    const url = await newDatabase()
    const errors: unknown[] = []
    const parts: StorageParts = { ...failingParts, onError: (error) => void errors.push(error) }
    const { storage } = await openReplica(url, { parts })
    expect(storage.status().database).toEqual({ ok: true, detail: 'ok' })
    const admin = await openAdmin(url)
    const [listener] = await hintProcesses(admin)
    await admin.query('SELECT pg_terminate_backend($1)', [listener])
    await vi.waitUntil(() => !storage.hints.listening(), { timeout: 5000, interval: 1 })
    expect(storage.status().database).toEqual({ ok: true, detail: 'notifications are lost, polling' })
    expect(storage.status().queue).toEqual({ ok: true, detail: 'ok' })
    expect(storage.ready()).toBe(true)
    await vi.waitUntil(() => storage.hints.listening(), { timeout: 5000 })
    expect(storage.status().database).toEqual({ ok: true, detail: 'ok' })

    await closing.pop()?.()
    await server?.power?.off()
    errors.length = 0
    await vi.waitUntil(() => !storage.hints.listening() && !storage.ready(), { timeout: 10_000 })
    // An idle replica has to notice it too, or it would take afterwards what others run.
    await expect(storage.store.heads([])).rejects.toMatchObject({ code: 'unavailable' })
    await server?.power?.on()
    await vi.waitUntil(() => storage.hints.listening() && storage.ready(), { timeout: 10_000 })
    expect(errors.length).toBeLessThan(20)
  })
})
