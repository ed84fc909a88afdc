import { spellOutChatMarks } from './chat-marks.ts'

// what a reader would not see, or see in another order
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** The text as a JSON string on one line, in which nothing is invisible; chat marks are spelled out. */
export function quoteText(text: string): string {
  return JSON.stringify(spellOutChatMarks(text)).replaceAll(unseen, escapeUnits)
}

/** The same for an attribute of a tag: no angle bracket in it either. */
export function quoteAttribute(text: string): string {
  return quoteText(text).replaceAll(/[<>]/g, escapeUnits)
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
