import { isFileName } from './media-type.ts'

const extension = /[^/\\\s]\.[a-z][a-z0-9]{0,9}$/i
const productNames = /^(?:(?:node|vue|react|next|nuxt|express|angular|three|d3|ember|discord)\.js|(?:asp)?\.net)$/i
const commands =
  /^(?:(?:get|head|post|put|patch|delete)(?=\s\/)|\$|sudo|cd|cat|git|docker|curl|node|deno|bun|npx|npm|pnpm|yarn|python3?|pip3?|pytest|ruby|php|java|go (?:run|build|test)|cargo|bash|sh)\s/i

/** There is no blank in it. */
export function isOneWord(text: string): boolean {
  return text !== '' && !/\s/.test(text)
}

/** It is a path without being told so. */
export function isClearPath(text: string): boolean {
  if (!isOneWord(text) || text.includes('://') || productNames.test(text)) return false
  return isFileName(text) || /[/\\][^/\\]*\.[a-z][a-z0-9]{0,9}$/i.test(text)
}

/** It is a path where one is expected, and not a caption. */
export function isNamedPath(text: string): boolean {
  if (!isOneWord(text)) return isSpacedPath(text)
  return /[/\\]/.test(text) || isFileName(text) || extension.test(text)
}

/** A path with blanks in it: what tells it from prose is its extension. */
export function isSpacedPath(text: string): boolean {
  const lastWord = text.split(/\s+/).at(-1) ?? ''
  if (isOneWord(text) || text.includes('://') || commands.test(text) || productNames.test(lastWord)) return false
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
  if (name === text) return extension.test(text) && isFileName(lastWord)
  return extension.test(name) || (isOneWord(name) && isFileName(name))
}

/** Its first word is in a folder already, as in `docs/my file.txt` and not in `Usage of src/app.py`. */
export function beginsWithFolder(text: string): boolean {
  return /^[^\s/\\]+[/\\]\S/.test(text) && !/\s[/\\]|[/\\]\s/.test(text)
}

/** More than one of its words is a file by itself: `src/a.py and src/b.py`. */
export function namesSeveralFiles(text: string): boolean {
  return text.split(/[\s,;]+/).filter((word) => isFileName(word)).length > 1
}
