import { afterAll, describe, expect, test } from 'vitest'
import { createStorage } from '../../src/storage/create-storage.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { failingParts, openTestStorage, postgresOptions } from '../support/database.ts'
import { scenarios } from './scenarios.ts'
import { report, wantedSize } from './size.ts'
import { createWorld } from './world.ts'

const server = await postgresForTests()
const url = (await server?.createDatabase()) ?? ''

afterAll(async () => {
  await server?.stop()
})

const databases = {
  PGlite: () => openTestStorage(),
  Postgres: async () => {
    const storage = createStorage({ ...postgresOptions(url), publishes: false }, failingParts)
    await storage.start()
    return storage
  },
}

describe.each(Object.entries(databases))('the queue on %s', (name, open) => {
  test.skipIf(name === 'Postgres' && !server)('is fair', { timeout: 600_000 }, async () => {
    const storage = await open()
    const world = createWorld(storage)
    for (const scenario of scenarios) {
      const findings = await scenario.run(world, wantedSize(name))
      report(findings.map((finding) => ({ database: name, scenario: scenario.name, ...finding })))
      for (const { what, promised, seen, isKept } of findings)
        expect.soft(isKept, `${scenario.name}: ${what}: ${seen}, promised ${promised}`).toBe(true)
      await world.clear()
    }
    await storage.close()
  })
})
