import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** One client of a stream, over its own socket. */
export interface StreamClient {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Everything received so far. */
  readonly text: () => string
  /** `clean`: with the final chunk; `broken`: without; null while it lasts. */
  readonly end: () => 'clean' | 'broken' | null
  /** The fields of one kind, in order: `id`, `event`, `data`. */
  readonly fields: (name: string) => string[]
  /** Takes nothing any more until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  /** Leaves without a word. */
  readonly destroy: () => void
}

export interface StreamRequestOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Takes nothing from the start. */
  readonly paused?: boolean
}

function followBody(response: IncomingMessage, paused: boolean): StreamClient {
  const chunks: Buffer[] = []
  let end: 'clean' | 'broken' | null = null
  const text = () => Buffer.concat(chunks).toString()
  if (!paused) response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('error', () => {})
  response.on('close', () => (end = response.complete ? 'clean' : 'broken'))
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    end: () => end,
    fields: (name) => [...text().matchAll(new RegExp(`^${name}: (.*)$`, 'gm'))].map((match) => match[1] ?? ''),
    pause: () => void response.pause(),
    resume() {
      if (paused) response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.resume()
    },
    destroy: () => void response.destroy(),
  }
}

/** Resolves with the head of the answer. */
export function openStream(url: string, options: StreamRequestOptions = {}): Promise<StreamClient> {
  const { method = 'GET', headers = {}, body, paused = false } = options
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false, headers: { accept: 'text/event-stream', ...type, ...headers } })
    sent.on('response', (response) => resolve(followBody(response, paused)))
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
