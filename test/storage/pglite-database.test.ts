import { cp } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Database } from '../../src/storage/database.ts'
import { openPGliteDatabase } from '../../src/storage/pglite-database.ts'
import { createMaintenance } from '../../src/storage/pglite-maintenance.ts'
import { preparedForTests, temporaryDirectory } from '../support/database.ts'

describe('PGlite in a thread', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let database: Database

  const open = async (name: string, onFatal: (message: string) => void): Promise<Database> => {
    const path = join(directory.path, name)
    await cp(await preparedForTests(), path, { recursive: true })
    return openPGliteDatabase({ directory: path, transactionLimitMs: 200, maintenanceIntervalMs: 20 }, { onFatal })
  }

  beforeAll(async () => {
    directory = await temporaryDirectory()
    database = await open('shared', (message) => {
      throw new Error(message)
    })
    await database.query('CREATE TABLE t (n integer PRIMARY KEY)')
  })

  afterAll(async () => {
    await database?.close()
    await directory.remove()
  })

  const numbers = async (): Promise<number[]> => {
    const { rows } = await database.query<{ n: number }>('SELECT n FROM t ORDER BY n')
    return rows.map(({ n }) => n)
  }

  it('gives the same values as Postgres', async () => {
    const { rows, rowCount } = await database.query(
      `SELECT 5::int8 AS big, '\\x0102'::bytea AS bytes, '{"a":1}'::json AS j, '[1]'::jsonb AS b, true AS t, count(*) AS n`,
    )
    expect(rows).toEqual([{ big: 5, bytes: Buffer.from([1, 2]), j: { a: 1 }, b: [1], t: true, n: 1 }])
    expect(Buffer.isBuffer(rows[0]?.['bytes'])).toBe(true)
    expect(rowCount).toBe(1)
    const at = await database.query<{ at: Date }>(`SELECT $1::timestamptz AS at`, ['2026-01-02T03:04:05.678Z'])
    expect(at.rows[0]?.at.getTime()).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
  })

  it('commits what a transaction did, or nothing of it', async () => {
    await database.query('DELETE FROM t')
    const both = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)')
      await tx.query('INSERT INTO t VALUES (2)')
      return 'done'
    })
    expect(await both).toBe('done')
    const neither = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (3)')
      throw new Error('changed my mind')
    })
    await expect(neither).rejects.toThrow('changed my mind')
    const swallowed = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (4)')
      await tx.query('INSERT INTO t VALUES (1)').catch(() => undefined)
    })
    await expect(swallowed).rejects.toThrow('rolled back')
    expect(await numbers()).toEqual([1, 2])
    await database.transaction(() => Promise.resolve())
  })

  it('shows nobody the middle of a transaction', async () => {
    await database.query('DELETE FROM t')
    let outside: Promise<number[]> | undefined
    await database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)')
      outside = numbers()
      await tx.query('INSERT INTO t VALUES (2)')
    })
    expect(await outside).toEqual([1, 2])
  })

  it('gives up a transaction that stays open, and lets the others go on', async () => {
    await database.query('DELETE FROM t')
    const forgotten = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)')
      expect(await numbers()).toEqual([])
      await tx.query('INSERT INTO t VALUES (2)')
    })
    await expect(forgotten).rejects.toMatchObject({ code: 'unavailable' })
    expect(await numbers()).toEqual([])
  })

  it('is left without an open transaction by a text that failed in the middle of one', async () => {
    await database.query('DELETE FROM t')
    await expect(database.query('BEGIN; INSERT INTO t VALUES (1); SELECT 1/0; COMMIT')).rejects.toMatchObject({
      code: '22012',
    })
    expect(await numbers()).toEqual([])
  })

  it('lets the event loop turn while it is busy', async () => {
    let turns = 0
    let busy = true
    const turn = (): void => {
      turns += 1
      if (busy) setImmediate(turn)
    }
    turn()
    for (let n = 0; n < 50; n += 1) await database.query('SELECT sum(n) FROM generate_series(1, 1000) n')
    busy = false
    expect(turns).toBeGreaterThan(50)
  })

  it('is checkpointed and vacuumed by the statements of its maintenance', async () => {
    let now = 0
    const maintenance = createMaintenance(
      async (text) => (await database.query(text)).rows,
      () => now,
    )
    await database.query(
      'CREATE TABLE agents.dead AS SELECT n, repeat(md5(n::text), 9) AS x FROM generate_series(1, 9000) n',
    )
    now = 10_000_000
    await maintenance.plan()
    await maintenance.take()?.()
    await maintenance.plan()
    for (let work = maintenance.take(); work; work = maintenance.take()) await work()
    const { rows } = await database.query(`SELECT reltuples FROM pg_class WHERE oid = 'agents.dead'::regclass`)
    expect(rows).toEqual([{ reltuples: 9000 }])
  })

  it('runs nothing any more once the disk is full, and says so at once', async () => {
    const fatal = Promise.withResolvers<string>()
    const full = await open('full', fatal.resolve)
    const failing = full.query(`DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$`)
    const queued = full.query('SELECT 1')
    await expect(failing).rejects.toMatchObject({ code: 'unavailable' })
    await expect(queued).rejects.toMatchObject({ code: 'unavailable', message: 'The disk is full.' })
    expect(await fatal.promise).toBe('The disk is full.')
    await expect(full.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable' })
    await full.close()
  })

  it('does not open what is no database', async () => {
    const opening = openPGliteDatabase({ directory: '/dev/null/x' }, { onFatal: () => undefined })
    await expect(opening).rejects.toMatchObject({ code: 'unavailable' })
  })
})
