import { expect, test } from 'vitest'
import { createEventLoopTurns } from '../../src/workflows/event-loop-turns.ts'

test('a burst goes on a few at a time, in order, and none is forgotten', async () => {
  const turn = createEventLoopTurns(3)
  const done: number[] = []
  const perTurn = new Map<number, number>()
  let turnNumber = 0
  const count = () => {
    turnNumber += 1
    if (done.length < 10) setImmediate(count)
  }
  setImmediate(count)
  const one = async (_: unknown, n: number) => {
    await turn()
    done.push(n)
    perTurn.set(turnNumber, (perTurn.get(turnNumber) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: 10 }, one))
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([...perTurn.values()]).toEqual([3, 3, 3, 1])
})

test('one alone does not wait', async () => {
  let done = false
  void createEventLoopTurns(1)().then(() => (done = true))
  await Promise.resolve()
  await Promise.resolve()
  expect(done).toBe(true)
})
