/** How a row of an answer is meant: Markdown is shown as it was written, only weighted differently. */
export type RowStyle = 'prose' | 'heading' | 'fence' | 'code'

/** One row that fits the width. */
export interface Row {
  readonly text: string
  readonly style: RowStyle
}

/** Turns a growing text into rows. The words of a row never change once they were in `partial` or in a returned row. */
export interface RowWrapper {
  /** Takes the next piece of text and returns the rows that it finished. */
  push(text: string): readonly Row[]
  /** Ends the text: returns what was held back. */
  flush(): readonly Row[]
  /** The row being filled, whole words only. */
  readonly partial: Row
}

// Terminal control sequences in a model's answer must not reach the terminal.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g

/** Wraps at words to `width` columns; a continued row keeps the indentation of its line; a longer word is cut hard. */
export function createRowWrapper(width: number): RowWrapper {
  const rows = createRowBuilder(width)
  let gap = ''
  let word = ''
  const endWord = () => {
    if (word === '') return
    rows.append(gap, word)
    gap = ''
    word = ''
  }
  const endLine = () => {
    endWord()
    gap = ''
    rows.endLine()
  }
  const take = (character: string) => {
    if (character === '\n') {
      endLine()
    } else if (character === ' ' || character === '\t') {
      endWord()
      gap += character === '\t' ? '  ' : ' '
    } else {
      word += character
    }
  }
  return {
    push(text) {
      for (const character of text.replace(CONTROLS, '')) take(character)
      return rows.takeFinished()
    },
    flush() {
      if (word !== '' || rows.partial.text !== '') endLine()
      return rows.takeFinished()
    },
    get partial() {
      return rows.partial
    },
  }
}

function createRowBuilder(width: number) {
  const finished: Row[] = []
  const styleOfLine = createLineStyles()
  let text = ''
  let indent = ''
  let atLineStart = true
  let style: RowStyle = 'prose'
  const endRow = () => {
    finished.push({ text, style })
    text = indent
  }
  const beginLine = (gap: string, word: string) => {
    indent = gap.length < width / 2 ? gap : ''
    text = indent
    style = styleOfLine(word)
    atLineStart = false
  }
  return {
    append(gap: string, word: string) {
      if (atLineStart) beginLine(gap, word)
      else if (text.length + gap.length + word.length > width) endRow()
      else text += gap
      let rest = word
      while (text.length + rest.length > width) {
        const cut = width - text.length
        text += rest.slice(0, cut)
        rest = rest.slice(cut)
        endRow()
      }
      text += rest
    },
    endLine() {
      if (atLineStart) finished.push({ text: '', style: 'prose' })
      else endRow()
      text = ''
      atLineStart = true
    },
    takeFinished: () => finished.splice(0),
    get partial(): Row {
      return { text, style }
    },
  }
}

function createLineStyles(): (firstWord: string) => RowStyle {
  let open = ''
  return (firstWord) => {
    const fence = /^(`{3,}|~{3,})(.*)$/.exec(firstWord)
    if (open !== '') {
      if (fence?.[1]?.startsWith(open) === true && fence[2] === '') {
        open = ''
        return 'fence'
      }
      return 'code'
    }
    if (fence?.[1] !== undefined) {
      open = fence[1]
      return 'fence'
    }
    return /^#{1,6}$/.test(firstWord) ? 'heading' : 'prose'
  }
}
