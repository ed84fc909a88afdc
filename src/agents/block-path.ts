import type { FencedBlock } from './fenced-blocks.ts'
import { beginsWithFolder, isClearPath, isNamedPath, isOneWord, isSpacedPath, namesSeveralFiles } from './path-shape.ts'

// whoever names a file in more than this does not name a file; it also bounds what a pattern can cost
const MAX_NAME_LENGTH = 4096

const fileMark = /^\**file(?:name)?\**\s*:\**\s*/i
const attribute = /(?:^|\s)(?:title|file|filename|path)=(?:"([^"]*)"|'([^']*)'|([^\s"']+))/i
const status = /^(?:new|updated?|modified|changed|unchanged|created?|added|existing)(?: file)?$/i

/**
 * The path that a fenced block gives itself, as it is written, or null for a block that names none. Forms:
 * `python:src/app.py`, `python title="src/app.py"`, `src/app.py` behind the fence; a line `File: src/app.py` or a
 * heading holding just a path right before it. A path may hold blanks where it is quoted, or its extension tells it.
 */
export function pathOfBlock(block: FencedBlock): string | null {
  return pathInInfo(block.info) ?? (block.lead === null ? null : pathInLead(block.lead))
}

/** The path behind an opening fence, as it is written. */
export function pathInInfo(info: string): string | null {
  if (info === '' || info.length > MAX_NAME_LENGTH) return null
  const titled = pathInAttribute(info)
  if (titled !== null) return titled
  const colon = /^[^\s:/\\.]*:(\s*)(\S.*)$/.exec(info)
  if (colon !== null) return pathAfterColon(colon[2] ?? '', colon[1] !== '')
  const bare = withoutStatus(info)
  return isClearPath(bare) && bare.includes('.') ? bare : null
}

function pathInAttribute(info: string): string | null {
  const path = withoutStatus(
    attribute
      .exec(info)
      ?.slice(1)
      .find((value) => value !== undefined) ?? '',
  )
  return isNamedPath(path) ? path : null
}

function pathAfterColon(written: string, spaced: boolean): string | null {
  const path = unquoted(withoutStatus(withoutBraces(withoutAttributes(written))))
  if (spaced) return isClearPath(path) ? path : null
  // an option of documentation tools, as in `js:line-numbers`
  return /^(?:no-)?line-numbers(?:=|$)/.test(path) ? null : path
}

function pathInLead(lead: NonNullable<FencedBlock['lead']>): string | null {
  if (lead.text.length > MAX_NAME_LENGTH) return null
  const mark = fileMark.exec(lead.text)
  if (mark !== null) return pathAfterMark(lead.text.slice(mark[0].length))
  return lead.heading ? pathInHeading(lead.text) : null
}

function pathAfterMark(written: string): string | null {
  const quoted = /^([`"])([^`"]+)\1([^`"]*)$/.exec(written)
  if (quoted !== null) return isDecoration(quoted[3] ?? '') ? withoutStatus(quoted[2] ?? '') : null
  const plain = withoutStatus(withoutEmphasis(written))
  return isNamedPath(plain) && !namesSeveralFiles(plain) ? plain : null
}

function pathInHeading(heading: string): string | null {
  const text = withoutEmphasis(withoutStatus(withoutEmphasis(heading.replace(/^\d+(?:\.\d+)*[.)]?\s+/, ''))))
  const quoted = /^`([^`]+)`$/.exec(text)?.[1]
  const path = withoutStatus(quoted ?? text)
  if (isOneWord(path)) return isClearPath(path) ? path : null
  if (!isSpacedPath(path) || namesSeveralFiles(path)) return null
  return quoted !== undefined || beginsWithFolder(path) ? path : null
}

/** Asterisks around it and a colon behind it. */
function withoutEmphasis(text: string): string {
  let end = text.length
  while (end > 0 && '*: '.includes(text.charAt(end - 1))) end -= 1
  return text.slice(0, end).replace(/^\*+/, '').trim()
}

function isDecoration(text: string): boolean {
  const rest = withoutEmphasis(text.replaceAll('*', ''))
  return rest === '' || withoutStatus(rest) === ''
}

/** `src/app.py (new)` is the file `src/app.py`. */
function withoutStatus(written: string): string {
  const text = written.trim()
  if (!text.endsWith(')')) return text
  const open = text.lastIndexOf('(')
  return status.test(text.slice(open + 1, -1)) ? text.slice(0, open).trimEnd() : text
}

/** `src/app.py showLines=true` is the file `src/app.py`. */
function withoutAttributes(written: string): string {
  const first = written.search(/\s[\w-]+=/)
  return first === -1 ? written : written.slice(0, first)
}

/** Lines to highlight, as in `src/app.py {1,3}`. */
function withoutBraces(written: string): string {
  const open = written.lastIndexOf(' {')
  return open > 0 && written.endsWith('}') ? written.slice(0, open) : written
}

function unquoted(path: string): string {
  return /^(["'])(.*)\1$/.exec(path)?.[2] ?? path
}
