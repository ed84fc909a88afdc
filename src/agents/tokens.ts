/** Units of the estimate in one token: weights are whole numbers, so that sums are exact. */
export const UNITS_PER_TOKEN = 12

const SMALL_LETTER = 3
// words of names begin with one, and what is no word at all is full of them
const CAPITAL_LETTER = 8
const BLANK = 2
const LINE_END = 6
const MARK = 8
const DIGIT = 12
const TWO_BYTES = 10
const THREE_BYTES = 15
const HALF_OF_FOUR_BYTES = 18

const asciiUnits = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 97 && code <= 122) return SMALL_LETTER
  if (code >= 65 && code <= 90) return CAPITAL_LETTER
  if (code === 32 || code === 9) return BLANK
  if (code === 10 || code === 13) return LINE_END
  return code >= 48 && code <= 57 ? DIGIT : MARK
})

/**
 * A cheap estimate, in twelfths of a token, that rather says too much: four small letters, one and a half capitals or
 * punctuation marks, one digit make a token; beyond ASCII a character is about one, an emoji three. It is a sum over
 * UTF-16 code units: linear, and the estimate of two texts together is the sum of theirs.
 */
export function tokenUnits(text: string): number {
  let units = 0
  for (let index = 0; index < text.length; index += 1) units += unitsAt(text, index)
  return units
}

/** The same in whole tokens, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(tokenUnits(text) / UNITS_PER_TOKEN)
}

/** A shortened text; `cut` is how many characters are gone. */
export interface CutText {
  readonly text: string
  readonly cut: number
}

/** Room that the mark of a cut takes at most, in units. */
export const cutMarkUnits = tokenUnits(cutMark(999_999_999))

/**
 * Keeps beginning and end of a text and puts a mark between that says how much is gone. `headShare` of the room is for
 * the beginning. A text that fits stays as it is; of one without room for even the mark, only the mark is left.
 */
export function cutMiddle(text: string, units: number, headShare = 0.6): CutText {
  if (tokenUnits(text) <= units) return { text, cut: 0 }
  const room = Math.max(0, units - cutMarkUnits)
  return joinEnds(text, headEnd(text, room * headShare), tailStart(text, room * (1 - headShare)))
}

/** The same, keeping so many UTF-16 code units of the text. */
export function cutMiddleCharacters(text: string, kept: number): CutText {
  if (text.length <= kept) return { text, cut: 0 }
  const head = Math.ceil(kept * 0.6)
  return joinEnds(text, head, text.length - (kept - head))
}

function joinEnds(text: string, headUntil: number, tailFrom: number): CutText {
  const head = splitsPair(text, headUntil) ? headUntil - 1 : headUntil
  const tail = splitsPair(text, tailFrom) ? tailFrom + 1 : tailFrom
  return { text: text.slice(0, head) + cutMark(tail - head) + text.slice(tail), cut: tail - head }
}

function cutMark(characters: number): string {
  return `\n[… ${characters} characters are left out here …]\n`
}

function headEnd(text: string, room: number): number {
  let index = 0
  for (let left = room; index < text.length; index += 1) {
    left -= unitsAt(text, index)
    if (left < 0) break
  }
  return index
}

function tailStart(text: string, room: number): number {
  let index = text.length
  for (let left = room; index > 0; index -= 1) {
    left -= unitsAt(text, index - 1)
    if (left < 0) break
  }
  return index
}

function splitsPair(text: string, index: number): boolean {
  return (text.charCodeAt(index - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(index) & 0xfc00) === 0xdc00
}

function unitsAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code < 0x80) return asciiUnits[code] ?? MARK
  if (code < 0x800) return TWO_BYTES
  return code >= 0xd800 && code < 0xe000 ? HALF_OF_FOUR_BYTES : THREE_BYTES
}
