import { type IncomingMessage, request } from 'node:http'
import type { StreamRequest } from './contender.ts'
import { stampNow, tokenMark } from './marks.ts'

/** Told of what a stream brings. */
export interface TokenListener {
  /** One event with so many tokens, as its text, and when it was read. */
  readonly onTokens: (count: number, event: string, readAt: number) => void
}

/** One stream that is being read. */
export interface TokenStream {
  /** Resolves at its clean end; rejects when it breaks off, unless this side left. */
  readonly ended: Promise<void>
  leave(): void
}

/** Asks for a stream and reads it. Whatever repeats what was said before (an event with a whole text) is passed over. */
export function openTokenStream(url: string, asked: StreamRequest, listener: TokenListener): TokenStream {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let left = false
  const fail = (error: Error) => (left ? resolve() : reject(error))
  const sent = request(`${url}${asked.path}`, {
    method: asked.body === undefined ? 'GET' : 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...asked.headers },
  })
  sent.on('error', fail)
  sent.on('response', (response) => {
    if (response.statusCode !== 200) fail(new Error(`The stream answered ${response.statusCode}.`))
    readEvents(response, listener)
    response.on('error', fail)
    response.on('close', () => (response.complete ? resolve() : fail(new Error('The stream broke off.'))))
  })
  sent.end(asked.body === undefined ? undefined : JSON.stringify(asked.body))
  promise.catch(() => undefined)
  return {
    ended: promise,
    leave() {
      left = true
      sent.destroy()
    },
  }
}

const repeats = 'event: step.completed'

function readEvents(response: IncomingMessage, { onTokens }: TokenListener): void {
  let rest = ''
  response.on('data', (chunk: Buffer) => {
    const readAt = stampNow()
    const text = rest + chunk.toString('latin1')
    let from = 0
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', from)) {
      const event = text.slice(from, end)
      from = end + 2
      const count = countMarks(event)
      if (count > 0 && !event.includes(repeats)) onTokens(count, event, readAt)
    }
    rest = text.slice(from)
  })
}

function countMarks(text: string): number {
  let count = 0
  for (let at = text.indexOf(tokenMark); at >= 0; at = text.indexOf(tokenMark, at + 1)) count += 1
  return count
}
