import type { Palette } from './palette.ts'
import { createRowWrapper } from './row-wrapper.ts'
import type { Row, RowWrapper } from './row-wrapper.ts'

/** Where a view writes, how wide that is in columns, and its colours. */
export interface PaneOptions {
  readonly write: (text: string) => void
  readonly width: number
  readonly palette: Palette
}

/** The texts of those who talk at the moment, under their names. */
export interface SpeechPane {
  /** Sets the width of the gutter for the longest of these names. */
  nameAll(names: readonly string[]): void
  open(key: string, name: string): void
  push(key: string, text: string): void
  /** Ends a text; one that is void loses what is not on the terminal yet. */
  close(key: string, kept: boolean): void
  /** Whole lines of the view itself, never inside somebody's row. */
  sayLines(lines: readonly string[]): void
}

interface Speaker {
  readonly name: string
  readonly wrapper: RowWrapper
  /** Characters of the row being filled that are on the terminal already. */
  printed: number
}

const SMALLEST_TEXT_WIDTH = 24
const SHORTEST_NAME = 9
const LONGEST_NAME = 18
const GUTTER_COLUMNS = 3

/** One who talks alone is shown word by word; those who talk at the same time are shown row by row. */
export function createSpeechPane({ write, width, palette }: PaneOptions): SpeechPane {
  const speakers = new Map<string, Speaker>()
  let nameWidth = SHORTEST_NAME
  let floor: Speaker | null = null

  const leaveRow = () => {
    if (floor !== null) write('\n')
    floor = null
  }
  const takeFloor = (speaker: Speaker) => {
    if (floor === speaker) return
    leaveRow()
    const name = speaker.name.slice(0, LONGEST_NAME).padEnd(nameWidth)
    write(`${palette.role(speaker.name, name)} ${palette.dim('│')} `)
    floor = speaker
  }
  const print = (speaker: Speaker, row: Row, complete: boolean) => {
    const rest = row.text.slice(speaker.printed)
    const isOut = rest === '' && (speaker.printed > 0 || !complete)
    if (!isOut) {
      takeFloor(speaker)
      write(paintRow(palette, row.style, rest))
    }
    speaker.printed = complete ? 0 : row.text.length
    if (complete && floor === speaker) leaveRow()
  }
  return {
    nameAll(names) {
      nameWidth = Math.min(LONGEST_NAME, Math.max(SHORTEST_NAME, ...names.map((name) => name.length)))
    },
    open(key, name) {
      const wrapper = createRowWrapper(Math.max(SMALLEST_TEXT_WIDTH, width - nameWidth - GUTTER_COLUMNS))
      speakers.set(key, { name, wrapper, printed: 0 })
    },
    push(key, text) {
      const speaker = speakers.get(key)
      if (speaker === undefined) return
      for (const row of speaker.wrapper.push(text)) print(speaker, row, true)
      if (speakers.size === 1) print(speaker, speaker.wrapper.partial, false)
    },
    close(key, kept) {
      const speaker = speakers.get(key)
      if (speaker === undefined) return
      if (kept) for (const row of speaker.wrapper.flush()) print(speaker, row, true)
      speakers.delete(key)
    },
    sayLines(lines) {
      leaveRow()
      for (const line of lines) write(`${line}\n`)
    },
  }
}

function paintRow(palette: Palette, style: Row['style'], text: string): string {
  switch (style) {
    case 'heading':
      return palette.bold(text)
    case 'fence':
      return palette.dim(text)
    case 'code':
    case 'prose':
      return text
    default:
      return style satisfies never
  }
}
