import { expect, test } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createRetention } from '../../src/workflows/retention.ts'

function storeWith(answers: readonly (number | Error)[]) {
  const asked: number[] = []
  const seen = Promise.withResolvers<void>()
  const removeEnded = async (keepMs: number, limit: number) => {
    expect([keepMs, limit]).toEqual([1000, 100])
    const answer = answers[asked.length] ?? 0
    asked.push(asked.length)
    if (asked.length > answers.length) seen.resolve()
    if (answer instanceof Error) throw answer
    return answer
  }
  return { store: { removeEnded }, asked, seen: seen.promise }
}

test('whole batches follow each other; one that is not whole ends the pass', async () => {
  const { store, asked, seen } = storeWith([100, 100, 99])
  const reported: unknown[] = []
  const retention = createRetention({ store, report: (error) => reported.push(error) }, { keepMs: 1000, everyMs: 5 })
  retention.start()
  await seen
  await retention.stop()
  expect(asked.length).toBeGreaterThanOrEqual(4)
  expect(reported).toEqual([])
})

test('an outage is waited out in silence, a defect is reported, and the next pass comes all the same', async () => {
  const defect = new AppError('internal', 'broken')
  const { store, seen } = storeWith([new AppError('unavailable', 'away'), defect])
  const reported: unknown[] = []
  const retention = createRetention({ store, report: (error) => reported.push(error) }, { keepMs: 1000, everyMs: 1 })
  retention.start()
  await seen
  await retention.stop()
  expect(reported).toEqual([defect])
})

test('one that was never started stops at once', async () => {
  await createRetention({ store: storeWith([]).store, report: () => undefined }, { keepMs: 1 }).stop()
})
