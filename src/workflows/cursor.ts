import { AppError } from '../errors.ts'

/** Where a reader stands: the number reached, and for each attempt then open the offset reached in its text. */
export interface Position {
  readonly seq: number
  readonly open: readonly OpenText[]
}

export interface OpenText {
  readonly stepIndex: number
  readonly attempt: number
  /** UTF-16 code units. */
  readonly offset: number
}

/** Only what `encodeCursor` writes: no leading zeros, so that each position has one text. */
const form = /^([0-9a-f]{12})-(0|[1-9]\d{0,8})((?:-(?:0|[1-9]\d{0,2})\.[1-9]\d{0,8}\.(?:0|[1-9]\d{0,8}))*)$/

/** The cursor's text: opaque to clients, safe in a header, bound to its workflow. */
export function encodeCursor(workflowId: string, position: Position): string {
  const texts = position.open.map(({ stepIndex, attempt, offset }) => `-${stepIndex}.${attempt}.${offset}`)
  return `${mark(workflowId)}-${position.seq}${texts.join('')}`
}

/** Throws `invalid-cursor` for what is not a cursor of this workflow. */
export function decodeCursor(workflowId: string, cursor: string): Position {
  const [, owner, seq, texts = ''] = form.exec(cursor) ?? []
  if (owner === undefined) throw new AppError('invalid-cursor', 'This is not a cursor of this service.')
  if (owner !== mark(workflowId)) throw new AppError('invalid-cursor', 'This cursor belongs to another stream.')
  const open = texts.split('-').slice(1).map(decodeText)
  if (new Set(open.map((text) => text.stepIndex)).size < open.length) {
    throw new AppError('invalid-cursor', 'This is not a cursor of this service.')
  }
  return { seq: Number(seq), open }
}

function decodeText(text: string): OpenText {
  const [stepIndex = 0, attempt = 0, offset = 0] = text.split('.').map(Number)
  return { stepIndex, attempt, offset }
}

/** The random end of the id tells workflows apart; the whole id would double the size of every frame. */
function mark(workflowId: string): string {
  return workflowId.slice(-12)
}
