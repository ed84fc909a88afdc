import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { decodeCursor, encodeCursor } from '../../src/workflows/cursor.ts'
import type { Position } from '../../src/workflows/cursor.ts'
import { newId } from '../../src/workflows/ids.ts'

const id = 'wf_019a0000000070008000aaaaaaaaaaaa'
const other = 'wf_019a0000000070008000bbbbbbbbbbbb'

const position: fc.Arbitrary<Position> = fc.record({
  seq: fc.nat(999_999_999),
  open: fc.uniqueArray(
    fc.record({
      stepIndex: fc.nat(49),
      attempt: fc.integer({ min: 1, max: 999_999_999 }),
      offset: fc.nat(999_999_999),
    }),
    { selector: (text) => text.stepIndex, maxLength: 50 },
  ),
})

function refusal(workflowId: string, cursor: string): AppError {
  try {
    decodeCursor(workflowId, cursor)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error(`${JSON.stringify(cursor)} was taken`)
}

describe('a cursor', () => {
  test('brings back its position', () => {
    fc.assert(
      fc.property(position, (at) => {
        expect(decodeCursor(id, encodeCursor(id, at))).toEqual(at)
      }),
    )
  })

  test('fits into a header, a query string and the id line of a frame as it is', () => {
    fc.assert(
      fc.property(position, (at) => {
        expect(encodeCursor(id, at)).toMatch(/^[\w.-]+$/)
      }),
    )
  })

  test('is of one workflow only, also of two made in the same millisecond', () => {
    fc.assert(
      fc.property(position, (at) => {
        const [one, two] = [newId('wf'), newId('wf')]
        expect(refusal(two, encodeCursor(one, at)).code).toBe('invalid-cursor')
      }),
    )
    expect(refusal(other, encodeCursor(id, { seq: 1, open: [] })).message).toMatch(/another stream/)
  })
})

describe('garbage', () => {
  const mark = id.slice(-12)

  test.each([
    ['', 'empty'],
    ['1', 'a bare number'],
    [id, 'an id'],
    [mark, 'no number'],
    [`${mark}-`, 'an empty number'],
    [`${mark}--1`, 'a negative number'],
    [`${mark}-1.5`, 'a fraction'],
    [`${mark}-1e3`, 'an exponent'],
    [`${mark}-0x1`, 'hexadecimal'],
    [`${mark}-01`, 'a leading zero'],
    [`${mark}-1234567890`, 'a number beyond all logs'],
    [`${mark}-1-0.1`, 'half a text'],
    [`${mark}-1-0.1.2.3`, 'a text too long'],
    [`${mark}-1-0.0.2`, 'attempt 0'],
    [`${mark}-1-0.1.-2`, 'a negative offset'],
    [`${mark}-1-1000.1.2`, 'a step beyond all workflows'],
    [`${mark}-1-0.1.2-`, 'a trailing dash'],
    [`${mark}-1-0.1.2-0.2.5`, 'two texts of one step'],
    [`${mark}-1\n`, 'a line break'],
    [` ${mark}-1`, 'a space'],
    [`${mark.toUpperCase()}-1`, 'another case'],
    [`${mark}-١`, 'digits of another script'],
  ])('%j is refused: %s', (cursor) => {
    expect(refusal(id, cursor).code).toBe('invalid-cursor')
  })

  test('is refused whatever it is, and what is taken is what would have been written', () => {
    const pieces = fc.constantFrom(mark, other.slice(-12), '-', '.', '0', '1', '07', '12', '999999999', '\0', ' ')
    const near = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''))
    const close = near.map((rest) => `${mark}-${rest}`)
    const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit }), near, close), (cursor) => {
        try {
          expect(encodeCursor(id, decodeCursor(id, cursor))).toBe(cursor)
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          expect(error.code).toBe('invalid-cursor')
        }
      }),
      { numRuns: 500 },
    )
  })
})
