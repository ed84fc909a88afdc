import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** One chat completion that was asked for. */
export interface SeenCall {
  /** From 0, in order of arrival. */
  readonly index: number
  readonly headers: IncomingHttpHeaders
  /** Port of the client: the same for calls over one connection. */
  readonly remotePort: number | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  /** Content of the system message, or ''. */
  readonly system: string
  /** Content of the last user message, or ''. */
  readonly user: string
  /** Not yet answered to the end. */
  readonly running: boolean
  /** The client went away first. */
  readonly aborted: boolean
  /** Calls that ran when this one came, itself included. */
  readonly concurrent: number
  /** Resolves when the answer has ended, or the client has gone. */
  readonly ended: Promise<void>
}

/** What comes after the last chunk: the proper end, a clean end of the body, a socket cut by FIN or RST, or silence. */
export type Ending = 'done' | 'eof' | 'cut' | 'reset' | 'stall'

/** A text as the answer. A plain string is one with all defaults. */
export interface TextAnswer {
  readonly text: string
  /** How `text` is cut into deltas; by default words. Wins over `text`. */
  readonly chunks?: readonly string[]
  /** Sent before the text, as `reasoning_content`. */
  readonly reasoning?: string
  /** `stop` by default; null sends none. */
  readonly finishReason?: string | null
  /** By default a count of words; null sends none. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** Waited for before the n-th delta is sent, from 0: hold it back with a promise of your own. */
  readonly before?: (delta: number) => Promise<void> | void
  readonly ending?: Ending
  readonly gzip?: boolean
  /** Beside those that the answer has anyway. */
  readonly headers?: Readonly<Record<string, string>>
  /** The body in writes of so many bytes, whatever they split. */
  readonly bytesPerWrite?: number
}

/** Any other HTTP answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A string, bytes or an async iterable of them as they are, anything else as JSON. */
  readonly body?: unknown
  readonly ending?: Ending
}

/** No HTTP answer at all: the socket stays open (`silence`) or is cut by FIN (`hangup`) or RST (`reset`). */
export interface NoAnswer {
  readonly connection: 'silence' | 'hangup' | 'reset'
}

/** What a call gets. A plain string is a text with all defaults. */
export type Behaviour = string | TextAnswer | HttpAnswer | NoAnswer

/** The `data:` lines of one SSE event, for bodies written by hand. */
export function sseEvent(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

/** A `chat.completion.chunk` with these fields of its only choice. */
export function chunkOf(delta: Readonly<Record<string, unknown>>, finishReason: string | null = null): object {
  return {
    id: 'chatcmpl-test',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test-model',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  }
}

/** A stream written by hand, as an answer with the right content type. */
export function rawStream(
  body: string | Uint8Array | AsyncIterable<string | Uint8Array>,
  ending: Ending = 'done',
): HttpAnswer {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body, ending }
}

function usageOf(call: SeenCall, { text, usage }: TextAnswer): Readonly<Record<string, unknown>> | null {
  if (usage !== undefined) return usage
  const prompt = call.messages.map(({ content }) => words(content).length).reduce((sum, count) => sum + count, 0)
  const output = words(text).length
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }
}

function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/gu) ?? (text === '' ? [] : [text])
}

/** A text as the whole object that a call without a stream gets. */
export function completion(call: SeenCall, answer: TextAnswer): HttpAnswer {
  const message = { role: 'assistant', content: answer.text, reasoning_content: answer.reasoning }
  const usage = usageOf(call, answer)
  const choices = [
    { index: 0, message, finish_reason: answer.finishReason === undefined ? 'stop' : answer.finishReason },
  ]
  const body = { id: 'chatcmpl-test', object: 'chat.completion', created: 1, model: call.model, choices }
  return { status: 200, headers: answer.headers ?? {}, body: usage === null ? body : { ...body, usage } }
}

/** Sends a text as a stream. */
export async function streamText(response: ServerResponse, call: SeenCall, answer: TextAnswer): Promise<void> {
  const inPieces = answer.gzip === true || answer.bytesPerWrite !== undefined
  const held: string[] = []
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    ...answer.headers,
    ...(answer.gzip === true ? { 'content-encoding': 'gzip' } : {}),
  })
  for await (const event of eventsOf(call, answer)) {
    if (inPieces) held.push(event)
    else response.write(event)
  }
  if (inPieces) await writePieces(response, Buffer.from(held.join('')), answer)
  finish(response, answer.ending ?? 'done')
}

async function* eventsOf(call: SeenCall, answer: TextAnswer): AsyncGenerator<string, void, undefined> {
  const named = (chunk: object): string => sseEvent({ ...chunk, model: call.model })
  yield named(chunkOf({ role: 'assistant', content: '' }))
  if (answer.reasoning !== undefined) yield named(chunkOf({ reasoning_content: answer.reasoning }))
  for (const [index, piece] of (answer.chunks ?? words(answer.text)).entries()) {
    await answer.before?.(index)
    yield named(chunkOf({ content: piece }))
  }
  const { finishReason = 'stop', ending = 'done' } = answer
  if (ending !== 'done') return
  if (finishReason !== null) yield named(chunkOf({}, finishReason))
  const usage = usageOf(call, answer)
  if (usage !== null) yield named({ ...chunkOf({}), choices: [], usage })
  yield sseEvent('[DONE]')
}

async function writePieces(response: ServerResponse, body: Buffer, answer: TextAnswer): Promise<void> {
  const bytes = answer.gzip === true ? gzipSync(body) : body
  const step = answer.bytesPerWrite ?? bytes.length
  for (let at = 0; at < bytes.length; at += step) {
    response.write(bytes.subarray(at, at + step))
    // a write of its own on the wire
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Sends an answer as it is. */
export async function answerHttp(response: ServerResponse, answer: HttpAnswer | NoAnswer): Promise<void> {
  if ('connection' in answer) {
    if (answer.connection !== 'silence') cut(response, answer.connection)
    return
  }
  const { status, headers = {}, body = '', ending = 'done' } = answer
  const pieces = piecesOf(body)
  response.writeHead(status, { ...(pieces === null ? { 'content-type': 'application/json' } : {}), ...headers })
  if (pieces === null) response.write(JSON.stringify(body))
  else {
    for await (const piece of pieces) {
      if (response.closed) return
      if (!response.write(piece)) await drained(response)
    }
  }
  finish(response, ending)
}

type Pieces = AsyncIterable<string | Uint8Array> | readonly (string | Uint8Array)[]

function piecesOf(body: unknown): Pieces | null {
  if (typeof body === 'string' || body instanceof Uint8Array) return [body]
  const iterable = typeof body === 'object' && body !== null && Symbol.asyncIterator in body
  return iterable ? (body as AsyncIterable<string | Uint8Array>) : null
}

function finish(response: ServerResponse, ending: Ending): void {
  if (ending === 'stall') return
  // what was written must be on its way before the socket goes
  if (ending === 'cut' || ending === 'reset') response.write('', () => cut(response, ending))
  else response.end()
}

/** Whether it was the server itself that cut the socket. */
export function wasCutByServer({ errored }: ServerResponse): boolean {
  return errored !== null && errored !== undefined && errored.message === cutMessage
}

const cutMessage = 'cut by the server'

function cut(response: ServerResponse, how: 'hangup' | 'cut' | 'reset'): void {
  if (how === 'reset') response.socket?.resetAndDestroy()
  response.destroy(new Error(cutMessage))
}

// an endless body must not pile up here when nobody reads it
async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn).off('close', goOn)
      resolve()
    }
    response.on('drain', goOn).on('close', goOn)
  })
}
