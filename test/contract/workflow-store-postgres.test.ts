import { afterAll, describe, expect, it } from 'vitest'

import { createStorage } from '../../src/storage/create-storage.ts'
import { createPostgresDatabase } from '../../src/storage/postgres-database.ts'
import { startStorageProcess } from '../storage/storage-processes.ts'
import { failingParts, postgresOptions } from '../support/database.ts'
import { describeMigrations } from './migrations-suite.ts'
import { postgresForTests } from './postgres-server.ts'
import { describeWorkflowStore } from './workflow-store-suite.ts'

const server = await postgresForTests()

afterAll(async () => {
  await server?.stop()
})

const freshUrl = async (): Promise<string> => (await server?.createDatabase()) ?? ''

describe.skipIf(!server)('on a real Postgres', () => {
  describeWorkflowStore('Postgres', async (parts) => {
    const storage = createStorage(postgresOptions(await freshUrl()), parts)
    await storage.start()
    return storage
  })

  describeMigrations('Postgres', async () => {
    const databaseUrl = await freshUrl()
    return createPostgresDatabase({ ...postgresOptions(databaseUrl), databaseUrl })
  })

  it('is set up by one of three processes that start together, and all of them work', async () => {
    const url = await freshUrl()
    const processes = [1, 2, 3].map(() => startStorageProcess(url))
    const storage = createStorage(postgresOptions(url), failingParts)
    await Promise.all([storage.start(), ...processes.map(({ working }) => working)])
    await Promise.all(processes.map((process) => process.kill()))
    for (const { stored } of processes) {
      expect(stored.size).toBeGreaterThanOrEqual(20)
      const heads = await storage.store.heads([...stored])
      expect(new Set(heads.map(({ id }) => id))).toEqual(stored)
    }
    expect(await storage.store.strandedIds()).toEqual([])
    await storage.close()
  })
})
