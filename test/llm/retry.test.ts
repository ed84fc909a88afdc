import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRetryAfter, retryDelayMs } from '../../src/llm/retry.ts'

const delay = (tries: number, random: number): number =>
  retryDelayMs({ tries, initialMs: 1_000, maxMs: 60_000, random: () => random })

describe('the wait before the next try', () => {
  test('doubles, with jitter, up to the longest', () => {
    expect([1, 2, 3, 4].map((tries) => delay(tries, 0.5))).toEqual([1_000, 2_000, 4_000, 8_000])
    expect([delay(1, 0), delay(1, 0.999_999)]).toEqual([500, 1_500])
    expect(delay(7, 0.999)).toBe(60_000)
    expect(delay(2_000, 0)).toBe(60_000)
  })

  test('stays within its bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (tries, random) => {
        const doubled = 1_000 * 2 ** (tries - 1)
        expect(delay(tries, random)).toBeGreaterThanOrEqual(Math.min(60_000, Math.floor(doubled / 2)))
        expect(delay(tries, random)).toBeLessThanOrEqual(Math.min(60_000, doubled * 1.5))
      }),
    )
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  const read = (headers: Record<string, string>): number | undefined =>
    parseRetryAfter((name) => headers[name] ?? null, now)

  test.each([
    [{}, undefined],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '2.5' }, 2_500],
    [{ 'retry-after': '7', 'retry-after-ms': '12' }, 12],
    [{ 'retry-after': '7', 'retry-after-ms': 'soon' }, 7_000],
    [{ 'retry-after': 'Mon, 23 Nov 2026 10:01:00 GMT' }, 60_000],
    [{ 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'later' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': '99999999999' }, 86_400_000],
  ])('%j is %j', (headers, expected) => {
    expect(read(headers as Record<string, string>)).toBe(expected)
  })
})
