import { expect, test } from 'vitest'
import { checkText } from '../chaos/report.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { runNemesis } from './run-nemesis.ts'

const seed = 5
/** With start, healing and judgement about 40 s. */
const stormMs = 20_000

const postgres = await postgresForTests()

test.skipIf(postgres === null)(
  `three replicas on Postgres keep every promise under a nemesis, seed ${seed}`,
  async ({ signal }) => {
    if (postgres === null) return
    try {
      const { checks, summary, story } = await runNemesis({ seed, stormMs }, { postgres, stop: signal })
      process.stdout.write(`seed ${seed}: ${summary}`)
      if (story !== null) process.stdout.write(`${story}\n${checks.map(checkText).join('')}seed ${seed}\n`)
      expect(checks.filter(({ faults }) => faults.length > 0)).toEqual([])
      expect(checks.filter(({ looked }) => looked === 0)).toEqual([])
    } finally {
      await postgres.stop()
    }
  },
  240_000,
)
