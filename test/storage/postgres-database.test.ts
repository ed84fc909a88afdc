import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { StorageOptions } from '../../src/storage/open-database.ts'
import { createPostgresDatabase } from '../../src/storage/postgres-database.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { freePort } from '../support/free-port.ts'
import { failingParts, postgresOptions, temporaryDirectory } from '../support/database.ts'
import { createSelfSignedCertificate } from '../support/self-signed-certificate.ts'

const server = await postgresForTests()
const opened: Database[] = []

afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()))
  await server?.stop()
})

const freshUrl = async (): Promise<string> => (await server?.createDatabase()) ?? ''

function databaseOn(databaseUrl: string, options: Partial<StorageOptions> = {}): Database {
  const database = createPostgresDatabase({ ...postgresOptions(databaseUrl), ...options, databaseUrl })
  opened.push(database)
  return database
}

describe.skipIf(!server)('a pool of connections to Postgres', () => {
  it('runs a transaction again that lost a deadlock', async () => {
    const database = databaseOn(await freshUrl())
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
  })

  it('gives both backends the same values', async () => {
    const database = databaseOn(await freshUrl())
    const { rows } = await database.query(
      `SELECT 5::int8 AS big, '\\x0102'::bytea AS bytes, '{"a":1}'::json AS j, '[1]'::jsonb AS b, true AS t, count(*) AS n`,
    )
    expect(rows).toEqual([{ big: 5, bytes: Buffer.from([1, 2]), j: { a: 1 }, b: [1], t: true, n: 1 }])
  })

  it('says unavailable for a lock that is not given up, and goes on with the same connections', async () => {
    const database = databaseOn(await freshUrl(), { lockTimeoutMs: 100 })
    await database.query('CREATE TABLE t (n integer)')
    await database.transaction(async (tx) => {
      await tx.query('LOCK TABLE t')
      await expect(database.query('SELECT n FROM t')).rejects.toMatchObject({ code: 'unavailable' })
    })
    expect((await database.query('SELECT n FROM t')).rows).toEqual([])
  })

  it('opens no more connections than it may', async () => {
    const database = databaseOn(await freshUrl(), { poolSize: 3 })
    const pids = await Promise.all(
      Array.from({ length: 12 }, () =>
        database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(0.02)'),
      ),
    )
    expect(new Set(pids.map(({ rows }) => rows[0]?.pid)).size).toBe(3)
  })

  it('says unavailable for a statement that takes too long, and goes on with the same connection', async () => {
    const database = databaseOn(await freshUrl(), { poolSize: 1, statementTimeoutMs: 50 })
    const pid = async () => (await database.query('SELECT pg_backend_pid() AS pid')).rows
    const before = await pid()
    await expect(database.query('SELECT pg_sleep(10)')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await pid()).toEqual(before)
  })

  it('takes from PG* what the URL leaves out', async () => {
    const url = new URL(await freshUrl())
    vi.stubEnv('PGHOST', url.hostname)
    vi.stubEnv('PGPORT', url.port)
    vi.stubEnv('PGUSER', url.username)
    vi.stubEnv('PGPASSWORD', url.password)
    vi.stubEnv('PGDATABASE', url.pathname.slice(1))
    try {
      const { rows } = await databaseOn('postgres://').query('SELECT current_database() AS name')
      expect(rows).toEqual([{ name: url.pathname.slice(1) }])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it.each([
    ['a database that is not there', (url: URL) => (url.pathname = '/no_such_database')],
    ['a password that is wrong', (url: URL) => (url.password = 'wrong')],
    ['TLS, which the server does not have', (url: URL) => (url.search = '?sslmode=require')],
    ['a mode of TLS that decides by itself', (url: URL) => (url.search = '?sslmode=prefer')],
  ])('refuses at once %s', async (_, change) => {
    const url = new URL(await freshUrl())
    change(url)
    const storage = createStorage(postgresOptions(url.href), failingParts)
    await expect(storage.start()).rejects.toMatchObject({ code: 'internal' })
    await storage.close()
  })
})

describe.skipIf(!server?.power)('a Postgres with TLS', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let root: string
  let stranger: string
  let url: URL

  beforeAll(async () => {
    directory = await temporaryDirectory()
    root = join(directory.path, 'root.crt')
    stranger = join(directory.path, 'stranger.crt')
    const make = () => createSelfSignedCertificate(new Date(Date.now() - 86_400_000), new Date(Date.now() + 86_400_000))
    const certificate = make()
    await writeFile(root, certificate.cert)
    await writeFile(stranger, make().cert)
    url = new URL(await freshUrl())
    await server?.power?.encrypt(certificate)
    await vi.waitUntil(() => encrypted('127.0.0.1', '?sslmode=require').catch(() => false))
  })

  afterAll(() => directory.remove())

  const encrypted = async (host: string, query: string): Promise<boolean | undefined> => {
    url.hostname = host
    const files = query.replace('ROOT', root).replace('STRANGER', stranger)
    const text = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    return (await databaseOn(`${url.href}${files}`).query<{ ssl: boolean }>(text)).rows[0]?.ssl
  }

  it.each([
    ['127.0.0.1', '', false],
    ['127.0.0.1', '?sslmode=disable', false],
    ['127.0.0.1', '?sslmode=require', true],
    ['127.0.0.1', '?sslmode=require&sslrootcert=ROOT', true],
    ['127.0.0.1', '?sslmode=verify-ca&sslrootcert=ROOT', true],
    ['localhost', '?sslmode=verify-full&sslrootcert=ROOT', true],
  ])('at %s%s: encrypted %s', async (host, query, ssl) => {
    expect(await encrypted(host, query)).toBe(ssl)
  })

  it.each([
    ['127.0.0.1', '?sslmode=require&sslrootcert=STRANGER', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['127.0.0.1', '?sslmode=verify-ca&sslrootcert=STRANGER', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['127.0.0.1', '?sslmode=verify-full&sslrootcert=ROOT', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['localhost', '?sslmode=verify-full', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('at %s%s is not trusted', async (host, query, code) => {
    await expect(encrypted(host, query)).rejects.toMatchObject({ code })
  })
})

describe.skipIf(!server?.power)('a Postgres that comes and goes', () => {
  it('is waited for, missed, and found again', async () => {
    const url = await freshUrl()
    await server?.power?.off()
    const storage = createStorage(postgresOptions(url), failingParts)
    const started = storage.start()
    await expect(storage.store.load('wf_1')).rejects.toMatchObject({ code: 'unavailable' })
    expect(storage.ready()).toBe(false)
    await server?.power?.on()
    await started
    expect(storage.ready()).toBe(true)
    const workflow = newWorkflow()
    await storage.store.create(workflow, null)
    await server?.power?.off()
    await vi.waitUntil(() => !storage.ready(), { timeout: 10_000 })
    await expect(storage.store.load(workflow.state.id)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(storage.queue.fetch(1)).rejects.toMatchObject({ code: 'unavailable' })
    await server?.power?.on()
    await vi.waitUntil(() => storage.ready(), { timeout: 10_000 })
    expect(await storage.store.load(workflow.state.id)).toEqual(workflow.state)
    await storage.close()
  })

  it('fails what it breaks off in the middle, and is used again as soon as it is back', async () => {
    const database = databaseOn(await freshUrl(), { poolSize: 2 })
    await database.query('CREATE TABLE t (n integer)')
    const inTheMiddle = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)')
      await server?.power?.off()
      await tx.query('INSERT INTO t VALUES (2)')
    })
    await expect(inTheMiddle).rejects.toMatchObject({ code: 'unavailable' })
    await expect(database.query('SELECT n FROM t')).rejects.toMatchObject({ code: 'unavailable' })
    await server?.power?.on()
    // More than the pool has, so that one which is not given back would be missed.
    const counts = await Promise.all([1, 2, 3, 4].map(() => database.query('SELECT count(*) AS n FROM t')))
    expect(counts.map(({ rows }) => rows)).toEqual(Array.from({ length: 4 }, () => [{ n: 0 }]))
  })

  it('is given up for the moment while it is frozen, and used again when it thaws', async () => {
    const storage = createStorage({ ...postgresOptions(await freshUrl()), statementTimeoutMs: 300 }, failingParts)
    await storage.start()
    const workflow = newWorkflow()
    await storage.store.create(workflow, null)
    await server?.power?.freeze()
    try {
      // As many as the pool has, and some for which it has to open a connection or wait for one.
      const asked = Array.from({ length: 12 }, () => storage.store.load(workflow.state.id))
      const outcomes = await Promise.allSettled(asked)
      const unavailable: unknown = expect.objectContaining({ code: 'unavailable' })
      expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: unavailable })))
      await vi.waitUntil(() => !storage.ready(), { timeout: 10_000 })
    } finally {
      server?.power?.thaw()
    }
    await vi.waitUntil(() => storage.ready(), { timeout: 10_000 })
    expect(await storage.store.load(workflow.state.id)).toEqual(workflow.state)
    expect((await storage.queue.fetch(10)).map(({ workflowId }) => workflowId)).toEqual([workflow.state.id])
    await storage.close()
  })

  it('can be given up while it is waited for', async () => {
    const url = `postgres://postgres:postgres@127.0.0.1:${await freePort()}/postgres`
    const storage = createStorage(postgresOptions(url), failingParts)
    const [started] = await Promise.allSettled([storage.start(), storage.close()])
    expect(started).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
  })
})
