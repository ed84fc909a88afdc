import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRetryBudget } from '../../src/llm/retry-budget.ts'
import { createHandClock } from '../support/hand-clock.ts'

const minute = 60_000

function start(percent = 20) {
  const clock = createHandClock()
  const budget = createRetryBudget(percent, { clock })
  const call = (times: number): void => {
    for (let n = 0; n < times; n += 1) budget.countCall()
  }
  /** Retries as often as it may; says how often that was. */
  const retryAll = (): number => {
    let retries = 0
    while (budget.waitMs() === 0 && retries < 1_000) {
      budget.spend()
      retries += 1
    }
    return retries
  }
  return { clock, budget, call, retryAll }
}

describe('a retry budget', () => {
  test('is never less than 10 a minute', () => {
    expect([start().retryAll(), start(0).retryAll(), start(100).retryAll()]).toEqual([10, 10, 10])
  })

  test.for([
    [20, 100, 20],
    [20, 99, 19],
    [20, 50, 10],
    [50, 30, 15],
    [100, 200, 200],
    [0, 500, 10],
  ] as const)('of %i %% and %i calls is %i', ([percent, calls, retries]) => {
    const { call, retryAll } = start(percent)
    call(calls)
    expect(retryAll()).toBe(retries)
  })

  test('comes back as its retries become a minute old, one by one', () => {
    const { clock, budget, retryAll } = start()
    for (let n = 0; n < 10; n += 1) {
      budget.spend()
      clock.advance(1_000)
    }
    expect(budget.waitMs()).toBe(50_000)
    clock.advance(49_999)
    expect(budget.waitMs()).toBe(1)
    clock.advance(1)
    expect(retryAll()).toBe(1)
    expect(budget.waitMs()).toBe(1_000)
    clock.advance(3_000)
    expect(retryAll()).toBe(3)
  })

  test('shrinks when the calls that it was a share of are a minute old', () => {
    const { clock, budget, call } = start()
    call(100)
    clock.advance(30_000)
    for (let n = 0; n < 15; n += 1) budget.spend()
    expect(budget.waitMs()).toBe(0)
    clock.advance(30_000)
    expect(budget.waitMs()).toBe(30_000)
  })
})

type Step = { readonly do: 'call' | 'retry' } | { readonly do: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ do: 'call' } as const) },
  { weight: 5, arbitrary: fc.constant({ do: 'retry' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 25_000 }) }) },
)

/** What a plain list of times says, if so many calls are to be counted. */
function lawfulWait(retries: readonly number[], about: { now: number; calls: number; percent: number }): number {
  const { now, calls, percent } = about
  const allowed = Math.max(10, Math.floor((calls * percent) / 100))
  const recent = retries.filter((at) => at > now - minute)
  const oldest = recent[recent.length - allowed]
  return oldest === undefined ? 0 : oldest + minute - now
}

test('it says what a list of all calls and retries says', () => {
  const play = (steps: readonly Step[], percent: number): void => {
    const { clock, budget } = start(percent)
    const [calls, retries]: [number[], number[]] = [[], []]
    for (const one of steps) {
      if (one.do === 'wait') clock.advance(one.ms)
      if (one.do === 'call') calls.push(clock.now())
      if (one.do === 'call') budget.countCall()
      const now = clock.now()
      // calls are counted to the second
      const atMost = lawfulWait(retries, {
        now,
        percent,
        calls: calls.filter((at) => at > now - minute + 1_000).length,
      })
      const atLeast = lawfulWait(retries, { now, percent, calls: calls.filter((at) => at > now - minute).length })
      expect(budget.waitMs()).toBeGreaterThanOrEqual(atLeast)
      expect(budget.waitMs()).toBeLessThanOrEqual(atMost)
      if (one.do !== 'retry' || budget.waitMs() > 0) continue
      budget.spend()
      retries.push(now)
    }
    clock.advance(minute)
    expect(budget.waitMs()).toBe(0)
  }
  fc.assert(fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 0, max: 100 }), play), { numRuns: 150 })
})
