import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTokenRatios } from '../../src/llm/token-ratio.ts'

function learnAll(counts: readonly (readonly [estimated: number, reported: number])[]): number {
  const ratios = createTokenRatios()
  for (const [estimated, reported] of counts) ratios.learn('m', { estimated, reported, ratio: ratios.of('m') })
  return ratios.of('m')
}

describe('tokens for each one that was estimated', () => {
  test('are 1 until a server has told', () => {
    const ratios = createTokenRatios()
    expect([ratios.of('m'), ratios.isKnown('m')]).toEqual([1, false])
    ratios.learn('other', { estimated: 1_000, reported: 1_500, ratio: 1 })
    expect([ratios.of('m'), ratios.isKnown('m'), ratios.isKnown('other')]).toEqual([1, false, true])
  })

  test('are what it counted the first time', () => {
    expect(learnAll([[1_000, 1_500]])).toBe(1.5)
    expect(learnAll([[1_000, 600]])).toBe(0.6)
  })

  test('rise at once, and fall slowly', () => {
    expect(
      learnAll([
        [1_000, 1_500],
        [1_000, 1_200],
      ]),
    ).toBeCloseTo(1.8)
    expect(
      learnAll([
        [1_000, 2_000],
        [1_000, 500],
      ]),
    ).toBeCloseTo(2 * 0.8 + 1 * 0.2)
  })

  test('settle at what is counted every time', () => {
    const ratios = createTokenRatios()
    ratios.learn('m', { estimated: 1_000, reported: 2_500, ratio: 1 })
    // the text is worth 700 tokens by the first estimate, whatever the ratio makes of them
    for (let n = 0; n < 40; n += 1) {
      const ratio = ratios.of('m')
      ratios.learn('m', { estimated: 1_000 * ratio, reported: 700, ratio })
    }
    expect(ratios.of('m')).toBeCloseTo(0.7, 2)
  })

  test('say nothing of a prompt that is mostly the template around it, or was not counted', () => {
    expect(learnAll([[199, 400]])).toBe(1)
    expect(learnAll([[1_000, 0]])).toBe(1)
    expect(learnAll([[200, 400]])).toBe(2)
  })

  test('stay within 0.3 and 3', () => {
    expect(learnAll([[1_000, 1_000_000]])).toBe(3)
    expect(learnAll([[1_000_000, 1]])).toBe(0.3)
  })

  test('are kept for a thousand models', () => {
    const ratios = createTokenRatios()
    const learn = (model: string, reported: number): void =>
      ratios.learn(model, { estimated: 1_000, reported, ratio: 1 })
    for (let n = 0; n < 1_500; n += 1) learn(`m${n}`, 2_000)
    expect([ratios.isKnown('m999'), ratios.isKnown('m1000')]).toEqual([true, false])
    learn('m999', 3_000)
    expect(ratios.of('m999')).toBe(3)
  })
})

test('whatever is counted, the ratio is within its bounds, and never below what was just seen', () => {
  const counts = fc.array(fc.tuple(fc.nat({ max: 1_000_000 }), fc.nat()), { maxLength: 30 })
  fc.assert(
    fc.property(counts, (all) => {
      const ratios = createTokenRatios()
      for (const [estimated, reported] of all) {
        const ratio = ratios.of('m')
        ratios.learn('m', { estimated, reported, ratio })
        const after = ratios.of('m')
        expect(after).toBeGreaterThanOrEqual(0.3)
        expect(after).toBeLessThanOrEqual(3)
        if (estimated < 200 || reported < 1) expect(after).toBe(ratio)
        else expect(after).toBeGreaterThanOrEqual(Math.min(3, Math.max(0.3, (ratio * reported) / estimated)))
      }
    }),
  )
})
