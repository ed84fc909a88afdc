import { expect, test } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createRetention } from '../../src/workflows/retention.ts'

/** Deletes as much as asked for, or fewer, or fails; afterwards there is nothing left. */
function storeWith(answers: readonly ('whole' | number | Error)[]) {
  const asked: number[] = []
  const seen = Promise.withResolvers<void>()
  const removeEnded = async (keepMs: number, limit: number) => {
    expect(keepMs).toBe(1000)
    const answer = answers[asked.length] ?? 0
    asked.push(limit)
    if (asked.length > answers.length) seen.resolve()
    if (answer instanceof Error) throw answer
    return answer === 'whole' ? limit : answer
  }
  return { store: { removeEnded }, asked, seen: seen.promise }
}

test('whole batches follow each other; one that is not whole ends the pass', async () => {
  const { store, asked, seen } = storeWith(['whole', 'whole', 1])
  const reported: unknown[] = []
  const retention = createRetention({ store, report: (error) => reported.push(error) }, { keepMs: 1000, everyMs: 5 })
  retention.start()
  await seen
  await retention.stop()
  expect(asked.length).toBeGreaterThanOrEqual(4)
  expect(reported).toEqual([])
})

test.each([
  ['quick', 0.01, [20, 40, 80, 160, 320, 500, 500]],
  ['slow', 2.5, [20, 10, 10]],
  ['of half a millisecond each', 0.5, [20, 40, 40]],
])('batches follow what they took: %s', async (_name, msOfOne, sizes) => {
  const { store, asked, seen } = storeWith(sizes.map(() => 'whole' as const))
  const clock = { ms: 0 }
  const timed = {
    async removeEnded(keepMs: number, limit: number) {
      clock.ms += limit * msOfOne
      return store.removeEnded(keepMs, limit)
    },
  }
  const report = (error: unknown) => expect.unreachable(String(error))
  const retention = createRetention({ store: timed, report, now: () => clock.ms }, { keepMs: 1000, everyMs: 5 })
  retention.start()
  await seen
  await retention.stop()
  expect(asked.slice(0, sizes.length)).toEqual(sizes)
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
