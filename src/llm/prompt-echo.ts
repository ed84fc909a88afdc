import type { ChatMessage } from './model.ts'

// A quotation of 17 characters holds a whole window, wherever it begins; words of everyday use are shorter.
const windowLength = 12
const stride = 6
const longestText = 1_000

/**
 * Takes out of a server's words what they quote of the prompt: it is the client's, and failures are logged. Shorter
 * quotations than 17 characters may stay.
 */
export function withoutEcho(text: string, messages: readonly ChatMessage[]): string {
  const read = text.slice(0, longestText)
  const quoted = (window: string): boolean => messages.some(({ content }) => content.includes(window))
  let kept = ''
  let at = 0
  for (let start = 0; start + windowLength <= read.length; start += stride) {
    if (!quoted(read.slice(start, start + windowLength))) continue
    // What is quoted may begin and end up to a stride beyond the windows that are.
    const from = Math.max(at, start - stride)
    if (at < from || kept === '') kept += `${read.slice(at, from)}[…]`
    at = Math.min(read.length, start + windowLength + stride)
  }
  return kept + read.slice(at)
}
