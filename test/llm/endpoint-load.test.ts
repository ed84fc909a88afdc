import { describe, expect, test } from 'vitest'
import { createEndpointLoad } from '../../src/llm/endpoint-load.ts'
import { createHandClock } from '../support/hand-clock.ts'

function start(maxInFlight: number) {
  const clock = createHandClock()
  return { clock, load: createEndpointLoad({ name: 'a', order: 1, maxInFlight }, { clock, retryBudgetPercent: 20 }) }
}

describe('the load of an endpoint', () => {
  test('is full at its limit, until an answer has ended', () => {
    const { load } = start(2)
    const [first] = [load.enter(false), load.enter(false)]
    expect([load.isFull(), load.level()]).toEqual([true, 1])
    first()
    expect([load.isFull(), load.level()]).toEqual([false, 0.5])
  })

  test('is never full without a limit', () => {
    const { load } = start(0)
    for (let n = 0; n < 100; n += 1) load.enter(false)
    expect([load.isFull(), load.level()]).toEqual([false, 100])
  })

  test('ends each answer once', () => {
    const { load } = start(2)
    const [first] = [load.enter(false), load.enter(false)]
    for (let n = 0; n < 3; n += 1) first()
    expect(load.level()).toBe(0.5)
  })

  test('rations repeated answers only', () => {
    const { load, clock } = start(0)
    for (let n = 0; n < 50; n += 1) load.enter(false)
    expect(load.retryInMs()).toBe(0)
    for (let n = 0; n < 10; n += 1) load.enter(true)
    expect(load.retryInMs()).toBe(60_000)
    for (let n = 0; n < 55; n += 1) load.countCall()
    expect(load.retryInMs()).toBe(0)
    load.enter(true)
    expect(load.retryInMs()).toBe(60_000)
    clock.advance(60_000)
    expect(load.retryInMs()).toBe(0)
  })
})
