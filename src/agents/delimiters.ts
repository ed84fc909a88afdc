import { createHash } from 'node:crypto'
import { spellOutChatMarks } from './chat-marks.ts'
import { quoteAttribute } from './quoted-text.ts'

/** Tags around text that others wrote. Such a text cannot close them: their name is not in it, however it is spelled. */
export interface Delimiters {
  open(name: string, attributes?: Readonly<Record<string, string>>): string
  close(name: string): string
  /** A text as it may stand between tags: marks of chat templates are spelled out. */
  data(text: string): string
  /** How the tags end, to tell the model. */
  readonly nonce: string
  /** There are such marks in the texts. */
  readonly hasChatMarks: boolean
}

/** The same texts get the same tags, so that a model server can reuse what it has computed of a prompt. */
export function createDelimiters(texts: readonly string[]): Delimiters {
  const nonce = findNonce(texts)
  return {
    nonce,
    hasChatMarks: texts.some((text) => spellOutChatMarks(text).length > text.length),
    open(name, attributes = {}) {
      const written = Object.entries(attributes).map(([key, value]) => ` ${key}=${quoteAttribute(value)}`)
      return `<${name}-${nonce}${written.join('')}>\n`
    },
    close: (name) => `\n</${name}-${nonce}>\n\n`,
    data: spellOutChatMarks,
  }
}

function findNonce(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  for (let round = 0; ; round += 1) {
    const nonce = hash.copy().update(String(round)).digest('hex').slice(0, 16)
    if (!texts.some((text) => couldBeReadAs(text, nonce))) return nonce
  }
}

// letters and digits in another dress: raised, lowered, circled, full-width, mathematical
const dressed =
  /[\u00b2\u00b3\u00b9\u1d2c-\u1d6a\u2070-\u209c\u2100-\u214f\u2460-\u24ff\uff10-\uff5a\u{1d400}-\u{1d7ff}\u{1f100}-\u{1f1ff}\u{1fbf0}-\u{1fbf9}]/gu

/** A lenient reader could find the name in the text: no case, no invisible characters, one form of every letter. */
export function couldBeReadAs(text: string, name: string): boolean {
  // normalizing all of it at once can take forever: time grows with the square of a run of combining marks
  const asRead = text
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replaceAll(dressed, (character) => character.normalize('NFKC'))
  return asRead.toLowerCase().includes(name)
}
