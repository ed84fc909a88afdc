import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { type Dispatcher, request } from 'undici'

/** What the SDK, and we, use of a `Response`; its body is the Node stream, which costs half of a web stream. */
export interface UpstreamResponse {
  readonly ok: boolean
  readonly status: number
  readonly headers: Headers
  /** Decoded. */
  readonly body: Readable
  /** The body as text, at most `maxBytes` (64 KiB) of it. */
  text(maxBytes?: number): Promise<string>
}

/** The subset of `fetch` behind it. Redirects are not followed: they are answers like others. */
export type RequestFetch = (url: string, init: RequestOptions) => Promise<UpstreamResponse>

/** The subset of `RequestInit` that is understood. */
interface RequestOptions {
  readonly method?: string
  readonly headers?: Headers
  readonly body?: string
  readonly signal?: AbortSignal
}

// the SDK adds its own, and whatever OPENAI_CUSTOM_HEADERS says
const passedHeaders = ['accept', 'content-type', 'x-correlation-id', 'traceparent']
const longestErrorBytes = 65_536

/** A `fetch` over `dispatcher` that sends exactly the headers that we mean to send. */
export function createRequestFetch(dispatcher: Dispatcher, authorization: string | null): RequestFetch {
  return async (url, { method = 'GET', headers, body, signal }) => {
    const answer = await request(url, {
      dispatcher,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: headersOf(headers, authorization),
      body: body ?? null,
      ...(signal === undefined ? {} : { signal }),
    })
    const decoded = decode(answer.body, headerText(answer.headers['content-encoding']))
    // who reads it is told by its iterator; nobody else listens
    decoded.on('error', () => {})
    return {
      ok: answer.statusCode >= 200 && answer.statusCode < 300,
      status: answer.statusCode,
      headers: new Headers(Object.entries(answer.headers).map(([name, value]) => [name, headerText(value)])),
      body: decoded,
      text: (maxBytes = longestErrorBytes) => readText(decoded, maxBytes),
    }
  }
}

function headersOf(headers: Headers | undefined, authorization: string | null): Record<string, string> {
  const passed = passedHeaders.map((name) => [name, headers?.get(name) ?? null] as const)
  const own = [
    ['user-agent', 'multi-agent-service'],
    ['accept-encoding', 'identity'],
    ['authorization', authorization],
  ] as const
  return Object.fromEntries([...passed, ...own].filter((entry): entry is [string, string] => entry[1] !== null))
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '')
}

function decode(body: Readable, encoding: string): Readable {
  const decoder = decoderFor(encoding.trim().toLowerCase())
  if (decoder === null) return body
  body.on('error', () => {})
  return pipeline(body, decoder, () => {})
}

function decoderFor(encoding: string): Transform | null {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecompress()
    default:
      return null
  }
}

async function readText(body: Readable, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    pieces.push(piece as Buffer)
    size += (piece as Buffer).length
    if (size >= maxBytes) break
  }
  return Buffer.concat(pieces).toString('utf8', 0, Math.min(size, maxBytes))
}
