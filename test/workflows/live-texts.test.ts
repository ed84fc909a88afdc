import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'

describe('a text', () => {
  /** Any UTF-16 code unit: offsets count them, whatever they are. */
  const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code))
  const piece = fc.oneof(fc.string({ unit, maxLength: 20 }), fc.constantFrom('', '👩‍🚀', '\r\n', 'data: x\n\n'))

  test('read from any offset is that slice of all its pieces joined', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.nat(60)), { maxLength: 30 }), (steps) => {
        const { output } = createLiveTexts().open('wf', 0, 1)
        let whole = ''
        for (const [text, offset] of steps) {
          output.append(text)
          whole += text
          expect(output.length).toBe(whole.length)
          expect(output.from(offset)).toBe(whole.slice(offset))
        }
        expect(output.from(0)).toBe(whole)
        expect(output.from(whole.length)).toBe('')
      }),
    )
  })

  test('followed piece by piece comes whole, at whatever pace', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 40 }), (steps) => {
        const { output } = createLiveTexts().open('wf', 0, 1)
        let read = ''
        for (const [text, look] of steps) {
          output.append(text)
          if (look) read += output.from(read.length)
        }
        expect(read + output.from(read.length)).toBe(steps.map(([text]) => text).join(''))
      }),
    )
  })
})

describe('the registry', () => {
  test('knows an attempt by workflow, step and number', () => {
    const texts = createLiveTexts()
    const opened = texts.open('wf_1', 0, 2)
    opened.output.append('said')
    opened.reasoning.append('thought')
    expect(texts.find('wf_1', 0, 2)?.output.from(0)).toBe('said')
    expect(texts.find('wf_1', 0, 2)?.reasoning.from(0)).toBe('thought')
    for (const [id, step, attempt] of [
      ['wf_1', 0, 1],
      ['wf_1', 0, 3],
      ['wf_1', 1, 2],
      ['wf_2', 0, 2],
    ] as const) {
      expect(texts.find(id, step, attempt)).toBeNull()
    }
  })

  test('a new attempt takes the place of the one before', () => {
    const texts = createLiveTexts()
    texts.open('wf_1', 0, 1).output.append('void')
    texts.open('wf_1', 0, 2)
    expect(texts.find('wf_1', 0, 1)).toBeNull()
    expect(texts.find('wf_1', 0, 2)?.output.length).toBe(0)
  })

  test('forgets what is closed, and only that', () => {
    const texts = createLiveTexts()
    texts.open('wf_1', 0, 1)
    texts.open('wf_1', 1, 1)
    texts.close('wf_1', 0)
    texts.close('wf_1', 0)
    texts.close('wf_2', 0)
    expect(texts.find('wf_1', 0, 1)).toBeNull()
    expect(texts.find('wf_1', 1, 1)).not.toBeNull()
  })
})
