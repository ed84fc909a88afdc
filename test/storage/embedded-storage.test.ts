import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { embeddedOptions, failingParts, temporaryDirectory } from '../support/database.ts'

/** Another process on the same directory that stores workflows until it is killed. */
async function startProcess(directory: string): Promise<{ pid: number; stored: Set<string>; kill(): Promise<void> }> {
  const script = fileURLToPath(new URL('storage-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const stored = new Set<string>()
  const several = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', (line) => {
    if (line !== 'open') stored.add(line)
    if (stored.size === 20) several.resolve()
  })
  await Promise.race([several.promise, exited])
  return {
    pid: child.pid ?? 0,
    stored,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

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
    const process = await startProcess(directory.path)
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
    await expect(storage.store.create(newWorkflow())).rejects.toEqual(closed)
    expect(storage.ready()).toBe(false)
  })
})
