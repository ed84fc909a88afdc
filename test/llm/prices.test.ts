import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCostOf } from '../../src/llm/prices.ts'

const costOf = createCostOf({ m: { input: 2.5, cachedInput: 1.25, output: 10 } })

test.for([
  [{ inputTokens: 1_000_000, cachedTokens: 0, outputTokens: 0 }, 2.5],
  [{ inputTokens: 1_000_000, cachedTokens: 1_000_000, outputTokens: 0 }, 1.25],
  [{ inputTokens: 0, cachedTokens: 0, outputTokens: 1_000_000 }, 10],
  [{ inputTokens: 1_000, cachedTokens: 400, outputTokens: 200 }, 0.004],
  [{ inputTokens: 10, cachedTokens: 99, outputTokens: 0 }, 0.000_012_5],
  [{ inputTokens: 0, cachedTokens: 0, outputTokens: 0 }, 0],
] as const)('%j costs %d', ([usage, dollars]) => {
  expect(costOf('m', usage)).toBeCloseTo(dollars, 12)
})

test('a model without a price costs nothing that anybody knows', () => {
  const usage = { inputTokens: 1, cachedTokens: 0, outputTokens: 1 }
  for (const model of ['other', '', 'toString', '__proto__', 'constructor']) expect(costOf(model, usage)).toBeNull()
})

test('no usage costs less than nothing, and more of it never costs less', () => {
  const tokens = fc.nat({ max: 10_000_000 })
  fc.assert(
    fc.property(tokens, tokens, tokens, (inputTokens, cachedTokens, outputTokens) => {
      const cost = costOf('m', { inputTokens, cachedTokens, outputTokens }) ?? Number.NaN
      const more = costOf('m', { inputTokens: inputTokens + 1, cachedTokens, outputTokens: outputTokens + 1 })
      expect(cost).toBeGreaterThanOrEqual(0)
      expect(more).toBeGreaterThan(cost)
    }),
  )
})
