import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pauseUntilReset } from '../../src/llm/rate-limits.ts'

const now = Date.parse('2026-11-23T10:00:00Z')
const day = 24 * 60 * 60 * 1000
const read = (headers: Readonly<Record<string, string>>): number | null =>
  pauseUntilReset((name) => headers[name] ?? null, now)

function spent(reset: string, remaining = '0'): Record<string, string> {
  return { 'x-ratelimit-remaining-requests': remaining, 'x-ratelimit-reset-requests': reset }
}

describe('nothing is left until', () => {
  test.for([
    ['6m0s', 360_000],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['120ms', 120],
    ['1h2m3.5s', 3_723_500],
    ['2m59.56s', 179_560],
    ['500us', 0.5],
    ['500µs', 0.5],
    ['7', 7_000],
    ['0.25', 250],
    [' 7 ', 7_000],
    ['2026-11-23T10:01:30Z', 90_000],
    ['2026-11-23T11:00:00.5+00:30', 1_800_500],
    ['48h', day],
    ['999999999', day],
    ['2099-01-01T00:00:00Z', day],
  ] as const)('%s', ([reset, waitMs]) => {
    expect(read(spent(reset))).toBeCloseTo(waitMs, 6)
  })
})

describe('nothing is said by', () => {
  test.for([
    '',
    '0',
    '0s',
    '0ms',
    '-5',
    '-5s',
    '1e3',
    'NaN',
    'Infinity',
    'soon',
    '6m 0s',
    '6 m',
    's',
    '5x',
    '1d',
    '1717171717',
    '2026-11-23T09:00:00Z',
    '2026-99-99T00:00:00Z',
    '5,3',
  ])('a reset of "%s"', (reset) => {
    expect(read(spent(reset))).toBeNull()
  })

  test.for(['1', '59', '00001', 'none', '', '0x0', '-'])('"%s" left', (remaining) => {
    expect(read(spent('6m0s', remaining))).toBeNull()
  })

  test('missing headers', () => {
    expect(read({})).toBeNull()
    expect(read({ 'x-ratelimit-reset-requests': '6m0s' })).toBeNull()
    expect(read({ 'x-ratelimit-remaining-requests': '0' })).toBeNull()
  })
})

test.for(['0', '00', ' 0 ', '0.0', '-0'])('"%s" is nothing left', (remaining) => {
  expect(read(spent('6s', remaining))).toBe(6_000)
})

test('of requests and tokens the longer counts, if there is nothing left of it', () => {
  const tokens = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '3s' }
  expect(read({ ...spent('1s'), ...tokens })).toBe(3_000)
  expect(read({ ...spent('9s'), ...tokens })).toBe(9_000)
  expect(read({ ...spent('9s', '1'), ...tokens })).toBe(3_000)
  expect(read({ ...spent('soon'), ...tokens })).toBe(3_000)
})

describe('properties', () => {
  const amount = fc.integer({ min: 0, max: 10_000 })

  test('a Go duration is the sum of its parts', () => {
    fc.assert(
      fc.property(fc.tuple(amount, amount, amount, amount), ([hours, minutes, seconds, milliseconds]) => {
        const reset = `${hours}h${minutes}m${seconds}.${String(milliseconds).padStart(5, '0')}s`
        const waitMs = hours * 3_600_000 + minutes * 60_000 + seconds * 1_000 + milliseconds / 100
        const expected = waitMs === 0 ? null : Math.min(waitMs, day)
        const told = read(spent(reset))
        if (expected === null) expect(told).toBeNull()
        else expect(told).toBeCloseTo(expected, 3)
      }),
    )
  })

  test('whatever comes, it is null or within a day', () => {
    const likely = fc.stringMatching(/^[-+]?[\d.:TZhmsuµ e]{0,24}$/)
    fc.assert(
      fc.property(fc.oneof(likely, fc.string()), fc.oneof(likely, fc.constant('0')), (reset, remaining) => {
        const told = read({ ...spent(reset, remaining), 'x-ratelimit-remaining-tokens': '0' })
        if (told === null) return
        expect(told).toBeGreaterThan(0)
        expect(told).toBeLessThanOrEqual(day)
      }),
      { numRuns: 1_000 },
    )
  })
})
