import { afterAll, describe, expect, it } from 'vitest'
import { postgresForTests } from '../contract/postgres-server.ts'
import { expectNoFaults } from './crash-suite.ts'

const server = await postgresForTests()

afterAll(async () => {
  await server?.stop()
})

describe.skipIf(!server)('a replica that dies at a writing statement, on a real Postgres', () => {
  it('leaves its workflow to another one, which goes on, at four of them', { timeout: 300_000 }, async ({ signal }) => {
    const newDatabase = async () => (await server?.createDatabase()) ?? ''
    const ranges = [{ phase: 'run', from: 4, every: 9, moments: 'one', limit: 4 }] as const
    const reached = await expectNoFaults({ ranges, newDatabase, chains: 4 }, signal)
    expect(reached).toHaveLength(4)
  })
})
