import type { EventSink } from './event-sink.ts'
import { textOf } from './json-fields.ts'
import type { ModelEvent } from './model.ts'
import { estimateTokens } from './token-usage.ts'
import { createTextMender } from './well-formed-text.ts'

/** The text of an answer, or its reasoning, as it comes. */
export interface GrowingText {
  /** Gives out the next piece, well-formed; strings only, anything else is nothing. */
  readonly add: (piece: unknown) => void
  /** Gives out what is still held back. */
  readonly flush: () => void
  /** Pieces that came. */
  readonly pieces: number
  /** Tokens of what was given out, by rule of thumb. */
  readonly tokens: number
  /** It is more than white space. */
  readonly visible: boolean
}

/** No text yet; what comes goes to `sink`. */
export function createGrowingText(type: 'text' | 'reasoning', sink: Pick<EventSink<ModelEvent>, 'push'>): GrowingText {
  const mender = createTextMender()
  let pieces = 0
  let tokens = 0
  let visible = false
  const grow = (text: string): void => {
    if (text === '') return
    tokens += estimateTokens(text)
    if (!visible) visible = text.trim() !== ''
    sink.push({ type, text })
  }
  return {
    add: (piece) => {
      const text = pieceText(piece)
      if (text === '') return
      pieces += 1
      grow(mender.push(text))
    },
    flush: () => grow(mender.flush()),
    get pieces() {
      return pieces
    },
    get tokens() {
      return tokens
    },
    get visible() {
      return visible
    },
  }
}

// Mistral sends a list of parts instead of a string
function pieceText(piece: unknown): string {
  if (typeof piece === 'string') return piece
  if (!Array.isArray(piece)) return ''
  return piece.map((part: unknown) => pieceOf(part)).join('')
}

function pieceOf(part: unknown): string {
  return typeof part === 'object' && part !== null && 'text' in part ? (textOf(part.text) ?? '') : ''
}
