import { afterAll, describe, expect, it } from 'vitest'

import type { Database } from '../../src/storage/database.ts'
import { createPostgresDatabase } from '../../src/storage/postgres-database.ts'
import { createStatementNames } from '../../src/storage/statement-names.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { postgresOptions } from '../support/database.ts'

function refusal(code: string): Error {
  return Object.assign(new Error('refused'), { code })
}

describe('names of statements', () => {
  it('are one for each text', () => {
    const names = createStatementNames()
    const [first, second] = [names.of('SELECT $1'), names.of('SELECT $2')]
    expect(first).toEqual(expect.any(String))
    expect(second).not.toBe(first)
    expect(names.of('SELECT $1')).toBe(first)
  })

  it('are given to a bounded number of texts', () => {
    const names = createStatementNames()
    const given = Array.from({ length: 1000 }, (_, n) => names.of(`SELECT ${n}`)).filter((name) => name !== undefined)
    expect(given).toHaveLength(400)
    expect(new Set(given).size).toBe(400)
    expect(names.of('SELECT 0')).toBe(given[0])
  })

  it.for(['26000', '42P05', '0A000'])('are given up for good after %s', (code) => {
    const names = createStatementNames()
    names.of('SELECT $1')
    expect(names.dropAfter(refusal(code))).toBe(true)
    expect(names.of('SELECT $1')).toBeUndefined()
    // Another statement was under way under its name when they were given up.
    expect(names.dropAfter(refusal(code))).toBe(true)
  })

  it('outlive every other error', () => {
    const names = createStatementNames()
    const name = names.of('SELECT $1')
    for (const error of [refusal('23505'), refusal('ECONNRESET'), new Error('no code'), null]) {
      expect(names.dropAfter(error)).toBe(false)
    }
    expect(names.of('SELECT $1')).toBe(name)
  })
})

const server = await postgresForTests()
const opened: Database[] = []

afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()))
  await server?.stop()
})

async function openDatabase(poolSize: number): Promise<Database> {
  const databaseUrl = (await server?.createDatabase()) ?? ''
  const database = createPostgresDatabase({ ...postgresOptions(databaseUrl), databaseUrl, poolSize })
  opened.push(database)
  return database
}

async function countPrepared(database: Database): Promise<unknown> {
  return (await database.query(`SELECT count(*) AS n FROM pg_prepared_statements WHERE name ~ '^s[0-9]+$'`)).rows
}

describe.skipIf(!server)('statements on a real Postgres', () => {
  const insert = 'INSERT INTO t VALUES ($1)'
  const rows = async (database: Database) => (await database.query('SELECT n FROM t ORDER BY n')).rows

  it('are kept by their connection when they have values', async () => {
    const database = await openDatabase(1)
    await database.query('CREATE TABLE t (n integer)')
    for (const n of [1, 2, 3]) await database.query(insert, [n])
    expect(await countPrepared(database)).toEqual([{ n: 1 }])
  })

  it('go on without names, once each, when the connection has lost them', async () => {
    const database = await openDatabase(1)
    await database.query('CREATE TABLE t (n integer)')
    await database.query(insert, [1])
    await database.query('DEALLOCATE ALL')
    await database.query(insert, [2])
    await database.query(insert, [3])
    expect(await rows(database)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    expect(await countPrepared(database)).toEqual([{ n: 0 }])
  })

  it('go on in a transaction, which is made again from its beginning', async () => {
    const database = await openDatabase(1)
    await database.query('CREATE TABLE t (n integer)')
    await database.query(insert, [1])
    await database.query('DEALLOCATE ALL')
    let runs = 0
    await database.transaction(async (tx) => {
      runs += 1
      await tx.query('INSERT INTO t VALUES (7)')
      await tx.query(insert, [8])
    })
    expect(runs).toBe(2)
    expect(await rows(database)).toEqual([{ n: 1 }, { n: 7 }, { n: 8 }])
  })

  it('go on when several connections lose them in the middle of work', async () => {
    const database = await openDatabase(4)
    await database.query('CREATE TABLE t (n integer)')
    const insertAll = (from: number) =>
      Promise.all(Array.from({ length: 40 }, (_, n) => database.query(insert, [from + n])))
    const forget = Array.from({ length: 4 }, () => database.query('DEALLOCATE ALL'))
    await insertAll(0)
    await Promise.all([...forget, insertAll(40)])
    expect((await rows(database)).length).toBe(80)
  })

  it('go on when a migration has changed what they give', async () => {
    const database = await openDatabase(1)
    await database.query('CREATE TABLE t (n integer)')
    const read = () => database.query('SELECT * FROM t WHERE n = $1', [1])
    await database.query(insert, [1])
    expect((await read()).rows).toEqual([{ n: 1 }])
    await database.query(`ALTER TABLE t ADD COLUMN m text DEFAULT 'new'`)
    expect((await read()).rows).toEqual([{ n: 1, m: 'new' }])
  })
})
