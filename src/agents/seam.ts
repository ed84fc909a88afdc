import type { FencedBlock } from './fenced-blocks.ts'

/** So many characters of a continuation are held back until it is decided what they are. */
export const SEAM_LENGTH = 200

const preamble =
  /^\s*(?:sure|certainly|of course|okay|ok|continu(?:ing|ed|ation)|here(?:'s|’s| is| are) (?:the )?(?:rest|continuation|remain\w+)|(?:i'll|i’ll|i will|let me) continue)\b[^\n]{0,150}[:.!…]\**[ \t]*\n+/i
const fenceLine = /^ {0,3}(`{3,}|~{3,})([^`\n]*)\n/

/**
 * How many characters at the start of a continuation are no part of the answer: a repetition of its last line or more,
 * a greeting or an opening fence although a code block is still open. `start` is the first `SEAM_LENGTH` characters of
 * the continuation, or all of it when it is shorter.
 */
export function lengthOfSeam(delivered: string, start: string, openBlock: FencedBlock | null): number {
  const repeated = lengthOfRepetition(delivered, start, 10)
  if (repeated > 0 || openBlock === null) return repeated
  const added = lengthOfAddition(start, openBlock)
  // who opens the block anew is likely to begin with the last line again, so less proof is enough
  return added === 0 ? 0 : added + lengthOfRepetition(delivered, start.slice(added), 3)
}

/** The longest end of `delivered` that `start` begins with, if that cannot well be meant as it stands. */
function lengthOfRepetition(delivered: string, start: string, leastWordCharacters: number): number {
  for (let length = Math.min(delivered.length, start.length); length > 0; length -= 1) {
    const text = start.slice(0, length)
    if (!delivered.endsWith(text)) continue
    const fromLineStart = length === delivered.length || delivered.charAt(delivered.length - length - 1) === '\n'
    const isOpenLine = fromLineStart && !text.endsWith('\n')
    const least = isOpenLine ? Math.min(leastWordCharacters, leastOfOpenLine(text)) : leastWordCharacters
    // of an endless line, much of it is enough
    if ((fromLineStart || length >= 80) && saysEnough(text, least)) return length
  }
  return 0
}

/** A line that was cut off and begins again with its own indentation is a repetition even when it is short. */
function leastOfOpenLine(text: string): number {
  return /^[ \t]/.test(text) ? 2 : 4
}

/** Closing brackets, rulers and zeros repeat by right. */
function saysEnough(text: string, leastWordCharacters: number): boolean {
  const wordCharacters = text.match(/[\p{L}\p{N}]/gu) ?? []
  const different = new Set(wordCharacters).size
  return wordCharacters.length >= leastWordCharacters && different >= Math.min(5, Math.max(2, leastWordCharacters - 1))
}

function lengthOfAddition(start: string, openBlock: FencedBlock): number {
  const greeting = preamble.exec(start)?.[0].length ?? 0
  const fence = fenceLine.exec(start.slice(greeting))
  if (fence === null) return greeting
  return opensAnew(fence, openBlock, greeting > 0) ? greeting + fence[0].length : greeting
}

function opensAnew(fence: RegExpExecArray, openBlock: FencedBlock, greeted: boolean): boolean {
  const info = (fence[2] ?? '').trim()
  // without a greeting, a bare fence closes the block
  if (info === '') return greeted
  const [language, openLanguage] = [languageOf(info), languageOf(openBlock.info)]
  const isMarkdown = /^(?:markdown|md|mdx)$/.test(openLanguage) || /\.mdx?\b/.test(openBlock.info)
  // inside Markdown, a block of another language is content
  return isMarkdown ? language === openLanguage || info === openBlock.info : (fence[1] ?? '').length >= 3
}

function languageOf(info: string): string {
  return (/^[^\s:]*/.exec(info)?.[0] ?? '').toLowerCase()
}
