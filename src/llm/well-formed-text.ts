/** `text` as Unicode that every store and client takes: U+0000 and lone surrogates become U+FFFD. */
export function wellFormed(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

/** Makes a text that comes in pieces well-formed; a piece that was given out is never changed afterwards. */
export interface TextMender {
  /** The next piece, without a high surrogate at its end: that one waits for its other half. */
  push(piece: string): string
  /** What is still held back. */
  flush(): string
}

/** Starts a text. */
export function createTextMender(): TextMender {
  let held = ''
  return {
    push: (piece) => {
      const text = held === '' ? piece : held + piece
      held = endsInHighSurrogate(text) ? text.slice(-1) : ''
      return wellFormed(held === '' ? text : text.slice(0, -1))
    },
    flush: () => {
      const rest = wellFormed(held)
      held = ''
      return rest
    },
  }
}

function endsInHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}
