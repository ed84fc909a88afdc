import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTextMender, wellFormed } from '../../src/llm/well-formed-text.ts'

const units = fc.array(fc.constantFrom('a', '\0', '\uD83D', '\uDE00', '😀', 'é'), { maxLength: 12 })

test('pieces join to the mended whole, and each is well-formed by itself', () => {
  fc.assert(
    fc.property(fc.array(units, { maxLength: 8 }), (pieces) => {
      const mender = createTextMender()
      const given = [...pieces.map((piece) => mender.push(piece.join(''))), mender.flush()]
      expect(given.every((piece) => piece.isWellFormed() && !piece.includes('\0'))).toBe(true)
      expect(given.join('')).toBe(wellFormed(pieces.flat().join('')))
      expect(given.join('')).toHaveLength(pieces.flat().join('').length)
    }),
  )
})
