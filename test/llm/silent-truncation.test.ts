import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentWindow } from '../../src/llm/silent-truncation.ts'

interface Counted {
  readonly input: number
  readonly output?: number
  readonly estimate: number
  readonly corrected?: boolean
  readonly estimated?: boolean
}

function judge({ input, output = 50, estimate, corrected = false, estimated = false }: Counted): number | null {
  const usage = { inputTokens: input, outputTokens: output, cachedTokens: 0, reasoningTokens: 0, estimated }
  return silentWindow(usage, { tokens: estimate, corrected })
}

describe('a prompt was cut without a word', () => {
  test.for([
    ['exactly the window', { input: 4_096, estimate: 9_000 }, 4_096],
    ['a window that is no power of two', { input: 40_960, estimate: 90_000 }, 40_960],
    ['the smallest', { input: 1_024, estimate: 2_048 }, 1_024],
    ['one token less, which Ollama keeps for the answer', { input: 8_191, estimate: 20_000 }, 8_192],
    ['prompt and answer fill it', { input: 4_000, output: 96, estimate: 9_000 }, 4_096],
    ['a quarter more was sent, by a good estimate', { input: 4_096, estimate: 5_120, corrected: true }, 4_096],
    ['half of the window is what Ollama keeps since 0.30.11', { input: 4_099, estimate: 9_000 }, 8_192],
    ['far more was sent, by a good estimate', { input: 3_000, estimate: 12_001, corrected: true }, 3_000],
  ] as const)('%s', ([, counted, window]) => {
    expect(judge(counted)).toBe(window)
  })
})

describe('a prompt was not', () => {
  test.for([
    ['it fits, and is as long as a window by chance', { input: 4_096, estimate: 4_096 }],
    ['the estimate is only a little larger', { input: 4_096, estimate: 5_119 }],
    ['not even twice as much, by an estimate that nobody has corrected', { input: 4_096, estimate: 8_191 }],
    ['the server counted more than was estimated', { input: 4_096, estimate: 3_000 }],
    ['a small prompt', { input: 1_023, estimate: 9_000 }],
    ['no prompt at all by its count', { input: 0, estimate: 9_000 }],
    ['fewer tokens, but no window', { input: 3_000, estimate: 9_000 }],
    ['far fewer, by an estimate that nobody has corrected', { input: 3_000, estimate: 30_000 }],
    ['a good estimate, but not four times as much', { input: 3_000, estimate: 12_000, corrected: true }],
    ['two tokens less than a window', { input: 4_094, estimate: 9_000 }],
    ['prompt and answer add up to a multiple, not to a window', { input: 3_000, output: 72, estimate: 9_000 }],
    ['figures that are our own estimate', { input: 4_096, estimate: 9_000, estimated: true }],
  ] as const)('%s', ([, counted]) => {
    expect(judge(counted)).toBeNull()
  })
})

test('nobody is suspected whose count is at least four fifths of the estimate', () => {
  const tokens = fc.integer({ min: 0, max: 300_000 })
  fc.assert(
    fc.property(tokens, tokens, fc.boolean(), (input, output, corrected) => {
      expect(judge({ input, output, estimate: input * 1.249, corrected })).toBeNull()
    }),
  )
})

test('a suspected window holds the prompt that was counted, and not the one that was sent', () => {
  const tokens = fc.integer({ min: 0, max: 40_000 })
  fc.assert(
    fc.property(tokens, tokens, fc.integer({ min: 0, max: 400_000 }), (input, output, estimate) => {
      const window = judge({ input, output, estimate, corrected: true })
      if (window === null) return
      expect(window).toBeGreaterThanOrEqual(input)
      expect(window).toBeLessThanOrEqual(Math.max(input + 1, input + output, 2 * (input - 2)))
      expect(estimate).toBeGreaterThan(window)
    }),
    { numRuns: 500 },
  )
})
