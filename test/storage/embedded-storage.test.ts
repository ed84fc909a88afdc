import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { embeddedOptions, failingParts, temporaryDirectory } from '../support/database.ts'
import { startStorageProcess } from './storage-processes.ts'

describe('storage on the embedded database', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  const opened: Storage[] = []

  async function storageIn(path: string): Promise<Storage> {
    const storage = createStorage(await embeddedOptions(path), failingParts)
    opened.push(storage)
    return storage
  }

  beforeEach(async () => {
    directory = await temporaryDirectory()
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((storage) => storage.close()))
    await directory.remove()
  })

  it('refuses a directory that a process uses, naming it, and has everything it acknowledged after a kill -9', async () => {
    const process = startStorageProcess(directory.path)
    await process.working
    const refused = await storageIn(directory.path)
    await expect(refused.start()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        `already used by process ${process.pid} on ${hostname()} since 20[0-9T:-]+Z`,
      ) as unknown,
    })
    await process.kill()
    const storage = await storageIn(directory.path)
    await storage.start()
    const heads = await storage.store.heads([...process.stored])
    expect(process.stored.size).toBeGreaterThanOrEqual(20)
    expect(new Set(heads.map(({ id }) => id))).toEqual(process.stored)
    expect(await storage.store.strandedIds()).toEqual([])
  })

  it('sets a half made database aside, and throws unavailable before it is started and after it is closed', async () => {
    const path = join(directory.path, 'data')
    await mkdir(join(path, 'pgdata'), { recursive: true })
    await writeFile(join(path, 'pgdata', 'PG_VERSION'), '1')
    const storage = await storageIn(path)
    const closed = expect.objectContaining({ code: 'unavailable' }) as unknown
    await expect(storage.store.load('wf_1')).rejects.toEqual(closed)
    await expect(storage.queue.fetch(1)).rejects.toEqual(closed)
    await expect(storage.queue.hasLapsed()).rejects.toEqual(closed)
    expect(storage.ready()).toBe(false)
    expect(storage.status().database).toEqual({ ok: false, detail: 'not open yet' })
    await storage.start()
    expect(await readdir(path)).toEqual(expect.arrayContaining([expect.stringMatching(/^pgdata-incomplete-/)]))
    expect(await storage.store.activeIds()).toEqual([])
    expect(storage.ready()).toBe(true)
    expect(storage.status().queue).toEqual({ ok: true, detail: 'ok' })
    await storage.close()
    await expect(storage.store.create(newWorkflow(), null)).rejects.toEqual(closed)
    expect(storage.ready()).toBe(false)
  })
})
