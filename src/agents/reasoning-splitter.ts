/** A piece of a model's text, told apart. */
export interface SplitText {
  readonly text: string
  readonly reasoning: string
}

/** Takes a model's text piece by piece; what it gives back joins to the same, whatever the pieces were. */
export interface ReasoningSplitter {
  push(piece: string): SplitText
  /** At the end of the call: what was still held back. */
  end(): SplitText
}

const opening = /^\s{0,64}<(think|thinking)>/
const maybeOpening = /^\s{0,64}(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?$/
const nothing: SplitText = { text: '', reasoning: '' }

/** Parts a `<think>…</think>` at the very start of an answer from the answer. Held back is at most a tag. */
export function createReasoningSplitter(): ReasoningSplitter {
  let state: 'start' | 'thinking' | 'gap' | 'text' = 'start'
  let held = ''
  let closing = ''

  function push(piece: string): SplitText {
    held += piece
    switch (state) {
      case 'start':
        return start()
      case 'thinking':
        return think()
      case 'gap':
        return afterThinking()
      case 'text':
        return asText()
    }
    return state satisfies never
  }

  function start(): SplitText {
    const found = opening.exec(held)
    if (found === null) return maybeOpening.test(held) ? nothing : asText()
    state = 'thinking'
    closing = `</${found[1]}>`
    held = held.slice(found[0].length)
    return think()
  }

  function think(): SplitText {
    const end = held.indexOf(closing)
    if (end === -1) return { text: '', reasoning: release(held.length - partOfEnd(held, closing)) }
    const reasoning = release(end)
    held = held.slice(closing.length)
    state = 'gap'
    return { text: afterThinking().text, reasoning }
  }

  // blank lines behind the tag part it from the answer; indentation may already be the answer's
  function afterThinking(): SplitText {
    held = held.replace(/^[\r\n]+/, '')
    return held === '' ? nothing : asText()
  }

  function asText(): SplitText {
    state = 'text'
    return { text: release(held.length), reasoning: '' }
  }

  function release(length: number): string {
    const released = held.slice(0, length)
    held = held.slice(length)
    return released
  }

  return {
    push,
    end: () =>
      state === 'thinking'
        ? { text: '', reasoning: release(held.length) }
        : { text: release(held.length), reasoning: '' },
  }
}

/** How many characters at the end of the text could be the beginning of the tag. */
function partOfEnd(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(tag.slice(0, length))) return length
  }
  return 0
}
