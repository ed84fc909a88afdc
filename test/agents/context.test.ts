import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerShare, fitPrompt, type Material, type PromptPart } from '../../src/agents/context.ts'
import { cutMiddle, cutMiddleCharacters, estimateTokens, tokenUnits, UNITS_PER_TOKEN } from '../../src/agents/tokens.ts'

const textOf = fc.string({ unit: 'grapheme', maxLength: 3000 })
const sized = fc.tuple(textOf, fc.integer({ min: 1, max: 20 })).map(([text, times]) => text.repeat(times))

function material(label: string, content: string, tier = 1): Material {
  return { label, open: `<${label}>\n`, content, close: `\n</${label}>\n`, tier }
}

function fit(system: string, user: readonly PromptPart[], window: number | null) {
  return fitPrompt(system, user, { window, maxTokens: 100, promptLimit: null, tokenRatio: 1, truncation: true })
}

describe('the estimate', () => {
  it('is a sum, so that texts can be estimated apart', () => {
    fc.assert(
      fc.property(textOf, textOf, (a, b) => {
        expect(tokenUnits(a + b)).toBe(tokenUnits(a) + tokenUnits(b))
      }),
    )
  })

  it.each([
    // rather high counts: the estimate may say more, not less
    ['The quick brown fox jumps over the lazy dog.', 10],
    ['const total = items.reduce((sum, item) => sum + item.price, 0);', 21],
    ['Привет, как дела?', 8],
    ['日本語の文章です。', 9],
    ['🎉🚀', 6],
    ['3141592653', 10],
  ])('does not say too little of %j', (text, tokens) => {
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(tokens)
    expect(estimateTokens(text)).toBeLessThanOrEqual(tokens * 2.5)
  })
})

describe('a cut in the middle', () => {
  it('keeps beginning and end, says what is gone, and has the size it may have', () => {
    fc.assert(
      fc.property(sized, fc.integer({ min: 40, max: 3000 }), (text, tokens) => {
        const { text: kept, cut } = cutMiddle(text, tokens * UNITS_PER_TOKEN)
        expect(tokenUnits(kept)).toBeLessThanOrEqual(tokens * UNITS_PER_TOKEN)
        expect(cut === 0).toBe(kept === text)
        if (cut === 0) return
        const [head = '', tail = ''] = kept.split(`\n[… ${cut} characters are left out here …]\n`)
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true)
        expect(head.length + cut + tail.length).toBe(text.length)
        expect(kept.isWellFormed()).toBe(text.isWellFormed())
      }),
    )
  })

  it('by characters splits no pair', () => {
    const { text, cut } = cutMiddleCharacters('😀'.repeat(50), 21)
    expect(text.isWellFormed()).toBe(true)
    expect(cut).toBeGreaterThanOrEqual(79)
    expect(cutMiddleCharacters('abc', 3)).toEqual({ text: 'abc', cut: 0 })
  })
})

describe('a prompt in a window', () => {
  const materials = fc.array(fc.tuple(sized, fc.integer({ min: 0, max: 2 })), { maxLength: 8 })

  const anyLimits = fc.record({
    window: fc.option(fc.integer({ min: 600, max: 20_000 })),
    promptLimit: fc.option(fc.integer({ min: 400, max: 20_000 })),
    tokenRatio: fc.double({ min: 0.3, max: 3, noNaN: true }),
  })

  it('fits, keeps what must stay, and cuts nothing needlessly', () => {
    fc.assert(
      fc.property(sized, materials, anyLimits, (system, texts, { window, promptLimit, tokenRatio }) => {
        const parts = ['TASK\n', ...texts.map(([text, tier], index) => material(`m${index}`, text, tier)), 'FORMAT\n']
        const common = { maxTokens: 100, tokenRatio, truncation: true }
        const whole = fitPrompt(system, parts, { ...common, window: null, promptLimit: null })
        const besideAnswer = window === null ? Infinity : window - answerShare({ window, maxTokens: 100 })
        const room = Math.min(besideAnswer, promptLimit ?? Infinity)
        const fitted = fitPrompt(system, parts, { ...common, window, promptLimit })
        expect(fitted.inputTokens).toBeLessThanOrEqual(room)
        expect((tokenUnits(fitted.system + fitted.user) / UNITS_PER_TOKEN) * tokenRatio).toBeLessThanOrEqual(
          fitted.inputTokens,
        )
        expect(fitted.user.startsWith('TASK\n') && fitted.user.endsWith('FORMAT\n')).toBe(true)
        expect(fitted.truncated).toBe(whole.inputTokens > room)
        expect(fitted.user === whole.user && fitted.system === whole.system).toBe(!fitted.truncated)
      }),
    )
  })

  it('gives the share that the user prompt does not use to the system prompt', () => {
    const system = 'word '.repeat(900)
    expect(fit(system, ['task'], 2000).truncated).toBe(false)
  })

  it('gives the system prompt 30 % when both are too large, and cuts its middle', () => {
    const fitted = fit(`ROLE ${'word '.repeat(9000)} RULES`, ['task', material('m', 'word '.repeat(9000))], 4000)
    expect(estimateTokens(fitted.system)).toBeLessThanOrEqual((4000 - 100) * 0.3)
    expect(estimateTokens(fitted.system)).toBeGreaterThan((4000 - 100) * 0.25)
    expect(fitted.system).toMatch(/^ROLE[^]*left out here[^]*RULES$/)
  })

  it('serves the near before the far', () => {
    const [near, far] = [material('near', 'n'.repeat(6000), 1), material('far', 'f'.repeat(6000), 2)]
    const fitted = fit('role', ['task', far, near, 'format'], 2500)
    expect(fitted.user).toContain(near.content)
    expect(fitted.user).not.toContain('f'.repeat(3000))
  })

  it('cuts the large, not the small, and names what is left out', () => {
    const small = material('small', 's'.repeat(60))
    const parts = [
      'task',
      small,
      ...Array.from({ length: 40 }, (_, n) => material(`big${n}`, 'b'.repeat(2000))),
      { kind: 'omissions', open: '<left-out>\n', close: '\n</left-out>\n' } as const,
      'format',
    ]
    const { user } = fit('role', parts, 2500)
    expect(user).toContain(small.content)
    expect(user).toMatch(/\[… \d+ characters are left out here …\]/)
    expect(user).toMatch(
      /Left out, because the model's context is too small: \d+ [^]*<left-out>\n- big\d+[^]*<.left-out>\nformat$/,
    )
  })

  it('fails with the sizes when the task alone does not fit', () => {
    expect(() => fit('role', ['word '.repeat(3000), 'format'], 1000)).toThrow(
      expect.objectContaining({
        code: 'context_overflow',
        message: expect.stringMatching(/window of 1000 tokens leaves 900/),
      }),
    )
  })

  it('fails when nothing may be cut', () => {
    const parts = ['task', material('m', 'word '.repeat(3000)), 'format']
    const limits = { maxTokens: 100, promptLimit: null, tokenRatio: 1, truncation: false }
    expect(() => fitPrompt('role', parts, { ...limits, window: 1000 })).toThrow(
      expect.objectContaining({ code: 'context_overflow' }),
    )
    expect(fitPrompt('role', parts, { ...limits, window: null }).truncated).toBe(false)
  })

  it('never gives the answer more than half of the window', () => {
    expect(answerShare({ window: 4096, maxTokens: 4096 })).toBe(2048)
    expect(answerShare({ window: 32_768, maxTokens: 4096 })).toBe(4096)
    expect(answerShare({ window: null, maxTokens: 4096 })).toBe(4096)
  })
})
