import { execFileSync } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { StorageParts } from '../../src/storage/open-database.ts'
import { newWorkflow } from '../contract/fixtures.ts'
import { embeddedOptions, failingParts, temporaryDirectory } from '../support/database.ts'
import { startStorageProcess } from './storage-processes.ts'
import type { StorageProcess } from './storage-processes.ts'

const mebibyte = 1024 * 1024

function run(command: string, ...words: readonly string[]): void {
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** True where this machine and user can run the command; else says on stderr that its tests are skipped. */
function canRun(command: string, ...words: readonly string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' })
    return true
  } catch {
    process.stderr.write(`Skipped, because it cannot be run here: ${[command, ...words].join(' ')}\n`)
    return false
  }
}

const inNamespace = ['unshare', '--pid', '--fork', '--kill-child'] as const
const hasNamespaces = canRun(...inNamespace, 'true')
const hasMounts = canRun('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt')

// Several processes one after the other, on a machine that may be busy with others.
describe('storage on the embedded database', { timeout: 120_000 }, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  const opened: Storage[] = []
  const started: StorageProcess[] = []

  async function storageIn(path: string, parts: StorageParts = failingParts): Promise<Storage> {
    const storage = createStorage(await embeddedOptions(path), parts)
    opened.push(storage)
    return storage
  }

  function start(...words: Parameters<typeof startStorageProcess>): StorageProcess {
    const process = startStorageProcess(...words)
    started.push(process)
    return process
  }

  async function letGo(): Promise<void> {
    await Promise.all(started.splice(0).map((process) => process.kill()))
    await Promise.all(opened.splice(0).map((storage) => storage.close()))
  }

  beforeEach(async () => {
    directory = await temporaryDirectory()
  })

  afterEach(async () => {
    await letGo()
    await directory.remove()
  })

  const bytesOfLog = async (): Promise<number> => {
    const folder = join(directory.path, 'pgdata', 'pg_wal')
    // A segment may be recycled while it is looked at.
    const sizeOf = (name: string) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      )
    const sizes = await Promise.all((await readdir(folder)).map(sizeOf))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  it('keeps its write-ahead log under 128 MB, however much is written', async () => {
    const databases: Database[] = []
    const around = (database: Database): Database => (databases.push(database), database)
    const storage = await storageIn(directory.path, { ...failingParts, around })
    await storage.start()
    const [database] = databases
    const written = async (): Promise<number> => {
      const position = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS position`
      return (await database?.query<{ position: number }>(position))?.rows[0]?.position ?? 0
    }
    const before = await written()
    let most = 0
    const write = async (): Promise<void> => {
      while ((await written()) - before < 140 * mebibyte) {
        await storage.store.create(newWorkflow(), null)
        // Writes to the log and nothing else, so that the soak is a short one.
        await database?.query(`SELECT pg_logical_emit_message(true, 'soak', repeat('x', 2000000))`)
        most = Math.max(most, await bytesOfLog())
      }
    }
    // Together they leave it hardly an idle moment.
    await Promise.all([write(), write(), write()])
    expect(most).toBeLessThan(128 * mebibyte)
  })

  it.skipIf(!hasNamespaces)('knows its user also in another container, where both are process 1', async () => {
    const startContained = () => start(directory.path, { through: inNamespace })
    const first = startContained()
    await first.working
    const second = startContained()
    expect(await second.ended).toBe(1)
    expect(second.refusal()).toMatch(/already used by process 1 on /)
    await first.kill()
    const third = startContained()
    await third.working
    expect([first, second, third].map(({ stored }) => stored.size >= 20)).toEqual([true, false, true])
  })

  describe.skipIf(!hasMounts)('on a disk of its own', () => {
    let disk: string

    beforeEach(async () => {
      disk = join(directory.path, 'disk')
      await mkdir(disk)
      // Too small for the second file of the log: there it does not fail but spin.
      run('mount', '-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', disk)
    })

    afterEach(async () => {
      await letGo()
      run('umount', disk)
    })

    it('ends with code 70 when that is full, and has lost nothing', async () => {
      const place = join(disk, 'data')
      const process = start(place, { bytes: 200_000 })
      expect(await process.ended).toBe(70)
      expect(process.stored.size).toBeGreaterThan(0)
      run('mount', '-o', 'remount,size=300m', disk)
      const storage = await storageIn(place)
      await storage.start()
      const heads = await storage.store.heads([...process.stored])
      expect(new Set(heads.map(({ id }) => id))).toEqual(process.stored)
      await storage.store.create(newWorkflow(), null)
    })
  })
})
