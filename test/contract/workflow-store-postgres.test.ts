import { afterAll, describe, expect, it, vi } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import { createPostgresDatabase } from '../../src/storage/postgres-database.ts'
import { failingParts } from '../support/database.ts'
import { newWorkflow } from './fixtures.ts'
import { freePort, postgresForTests } from './postgres-server.ts'
import { describeWorkflowStore } from './workflow-store-suite.ts'

const server = await postgresForTests()

const limits = { poolSize: 8, statementTimeoutMs: 10_000, lockTimeoutMs: 2000 }

afterAll(async () => {
  await server?.stop()
})

function storageOn(databaseUrl: string): Storage {
  return createStorage({ databaseUrl, dataDirectory: '/nowhere', publishes: true, ...limits }, failingParts)
}

async function openStorage(): Promise<Storage> {
  const storage = storageOn((await server?.createDatabase()) ?? '')
  await storage.start()
  return storage
}

describe.skipIf(!server)('on a real Postgres', () => {
  describeWorkflowStore('Postgres', openStorage)

  it('is set up by one of several replicas that start together', async () => {
    const url = (await server?.createDatabase()) ?? ''
    const replicas = [1, 2, 3].map(() => storageOn(url))
    await Promise.all(replicas.map((replica) => replica.start()))
    const workflow = newWorkflow()
    await replicas[0]?.store.create(workflow)
    expect(await replicas[2]?.store.load(workflow.state.id)).toEqual(workflow.state)
    await Promise.all(replicas.map((replica) => replica.close()))
  })

  it('runs a transaction again that lost a deadlock', async () => {
    const databaseUrl = (await server?.createDatabase()) ?? ''
    const database = createPostgresDatabase({ databaseUrl, ...limits })
    await database.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    await database.query('INSERT INTO t VALUES (1, 0), (2, 0)')
    const first = Promise.withResolvers<void>()
    let runs = 0
    const add = (own: number, other: number) =>
      database.transaction(async (tx) => {
        runs += 1
        await tx.query('UPDATE t SET n = n + 1 WHERE id = $1', [own])
        if (runs === 2) first.resolve()
        await first.promise
        await tx.query('UPDATE t SET n = n + 1 WHERE id = $1', [other])
      })
    await Promise.all([add(1, 2), add(2, 1)])
    expect((await database.query('SELECT n FROM t')).rows).toEqual([{ n: 2 }, { n: 2 }])
    expect(runs).toBeGreaterThan(2)
    await database.close()
  })

  it('gives both backends the same values', async () => {
    const databaseUrl = (await server?.createDatabase()) ?? ''
    const database = createPostgresDatabase({ databaseUrl, ...limits })
    const { rows } = await database.query(
      `SELECT 5::int8 AS big, '\\x0102'::bytea AS bytes, '{"a":1}'::json AS j, '[1]'::jsonb AS b, true AS t, count(*) AS n`,
    )
    expect(rows).toEqual([{ big: 5, bytes: Buffer.from([1, 2]), j: { a: 1 }, b: [1], t: true, n: 1 }])
    await database.close()
  })

  it('says unavailable for a lock that is not given up, and goes on with the same connections', async () => {
    const databaseUrl = (await server?.createDatabase()) ?? ''
    const database = createPostgresDatabase({ databaseUrl, ...limits, lockTimeoutMs: 100 })
    await database.query('CREATE TABLE t (n integer)')
    await database.transaction(async (tx) => {
      await tx.query('LOCK TABLE t')
      await expect(database.query('SELECT n FROM t')).rejects.toMatchObject({ code: 'unavailable' })
    })
    expect((await database.query('SELECT n FROM t')).rows).toEqual([])
    await database.close()
  })

  it('refuses an address that is no use at once', async () => {
    const url = new URL((await server?.createDatabase()) ?? '')
    url.pathname = '/no_such_database'
    const storage = storageOn(url.href)
    await expect(storage.start()).rejects.toMatchObject({ code: 'internal' })
    await storage.close()
  })
})

describe.skipIf(!server?.power)('a Postgres that comes and goes', () => {
  it('is waited for, missed, and found again', async () => {
    const url = (await server?.createDatabase()) ?? ''
    await server?.power?.off()
    const storage = storageOn(url)
    const started = storage.start()
    await expect(storage.store.load('wf_1')).rejects.toMatchObject({ code: 'unavailable' })
    expect(storage.ready()).toBe(false)
    await server?.power?.on()
    await started
    expect(storage.ready()).toBe(true)
    const workflow = newWorkflow()
    await storage.store.create(workflow)
    await server?.power?.off()
    await vi.waitUntil(() => !storage.ready(), { timeout: 10_000 })
    await expect(storage.store.load(workflow.state.id)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(storage.queue.fetch(1)).rejects.toMatchObject({ code: 'unavailable' })
    await server?.power?.on()
    await vi.waitUntil(() => storage.ready(), { timeout: 10_000 })
    expect(await storage.store.load(workflow.state.id)).toEqual(workflow.state)
    await storage.close()
  })

  it('can be given up while it is waited for', async () => {
    const storage = storageOn(`postgres://postgres:postgres@127.0.0.1:${await freePort()}/postgres`)
    const [started] = await Promise.allSettled([storage.start(), storage.close()])
    expect(started).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
  })
})
