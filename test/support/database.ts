import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { StorageOptions, StorageParts } from '../../src/storage/open-database.ts'
import { openPGliteDatabase } from '../../src/storage/pglite-database.ts'
import { preparedDirectoryPath, prepareDatabase } from '../../src/storage/prepare.ts'

/** A prepared database to start from; made by whoever needs it first, while the others wait. */
export async function preparedForTests(): Promise<string> {
  const path = await preparedDirectoryPath()
  if (existsSync(path)) return path
  mkdirSync(dirname(path), { recursive: true })
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 60_000 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    await prepareDatabase(path)
  } finally {
    lock.close()
  }
  return path
}

/** A directory of its own under the system's temporary one; `remove` deletes it. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'multi-agent-service-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Options of a storage on PGlite in `dataDirectory`, with a quick first start. */
export async function embeddedOptions(dataDirectory: string): Promise<StorageOptions> {
  return {
    databaseUrl: null,
    dataDirectory,
    poolSize: 4,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5000,
    preparedDirectory: await preparedForTests(),
  }
}

/** Options of a storage on a Postgres. */
export function postgresOptions(databaseUrl: string): StorageOptions {
  const limits = { poolSize: 8, statementTimeoutMs: 10_000, lockTimeoutMs: 2000 }
  return { databaseUrl, dataDirectory: '/nowhere', publishes: true, ...limits }
}

/** Fails the test process on what must not happen in a test. */
export const failingParts: StorageParts = {
  onFatal: (exitCode, message) => {
    throw new Error(`storage wanted to exit with ${exitCode}: ${message}`)
  },
}

/** A started storage of its own on PGlite; `close` also deletes its directory. About half a second. */
export async function openTestStorage(
  options: Partial<StorageOptions> = {},
  parts: StorageParts = failingParts,
): Promise<Storage> {
  const directory = await temporaryDirectory()
  const storage = createStorage({ ...(await embeddedOptions(join(directory.path, 'data'))), ...options }, parts)
  await storage.start()
  return {
    ...storage,
    async close() {
      await storage.close()
      await directory.remove()
    },
  }
}

/** A prepared PGlite of its own, without a storage on it; `close` also deletes its directory. */
export async function openTestDatabase(): Promise<Database> {
  const directory = await temporaryDirectory()
  const path = join(directory.path, 'pgdata')
  await cp(await preparedForTests(), path, { recursive: true })
  const onFatal = (message: string): void => failingParts.onFatal(70, message)
  const database = await openPGliteDatabase({ directory: path }, { onFatal })
  return {
    ...database,
    async close() {
      await database.close()
      await directory.remove()
    },
  }
}

/** An id in the order of time, as the service makes them. */
export function testId(prefix = 'wf'): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${prefix}_${time}${randomUUID().replaceAll('-', '').slice(12)}`
}
