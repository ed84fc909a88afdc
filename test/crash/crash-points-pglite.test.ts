import { describe, expect, it } from 'vitest'
import { preparedForTests } from '../support/database.ts'
import { expectNoFaults } from './crash-suite.ts'

/** Everything that a workflow writes on its way, as a statement's name begins. */
const kinds = ['change', 'commit', 'create', 'fetch job', 'send job', 'settle call']

describe('a process that dies at a writing statement, on PGlite', () => {
  it('loses nothing and pays for nothing twice, at every fifth of them', { timeout: 300_000 }, async ({ signal }) => {
    await preparedForTests()
    const ranges = [
      { phase: 'run', from: 1, every: 5, moments: 'one', limit: 100 },
      { phase: 'recovery', from: 3, every: 5, moments: 'one', limit: 2 },
    ] as const
    const reached = await expectNoFaults({ ranges, newDatabase: async () => null, chains: 2 }, signal)
    expect(reached.length).toBeGreaterThanOrEqual(8)
    const names = reached.flatMap(({ statements }) => statements).map((name) => name.split(':')[0])
    expect(names).toEqual(expect.arrayContaining(kinds))
  })
})
