import { expect, test } from 'vitest'
import { runStorm } from './run-storm.ts'

test('a hundred clients come back to a service that was killed, and all end exact', { timeout: 90_000 }, async () => {
  const outcome = await runStorm({ clients: 100, workflows: 5, comeBackMs: 200 })
  expect(outcome.faults).toEqual([])
  expect(outcome.leftOpen).toBe(0)
  process.stdout.write(`100 clients served again within ${Math.round(outcome.lastServedMs)} ms\n`)
})
