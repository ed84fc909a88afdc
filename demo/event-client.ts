import { setTimeout as delay } from 'node:timers/promises'

import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { createParser } from 'eventsource-parser'

import { endsWorkflow, parseStreamEvent } from './stream-event.ts'
import type { StreamEvent } from './stream-event.ts'

/** What the client needs to start a workflow and to follow it. */
export interface FollowOptions {
  /** Root of the service, without a slash at the end. */
  readonly baseUrl: string
  /** Body of `POST /workflows`. */
  readonly body: unknown
  readonly onEvent: (event: StreamEvent) => void
  /** Told before each new connection after a cut. */
  readonly onReconnect?: (attempt: number) => void
  readonly signal?: AbortSignal
  /** Reconnections without a single event in between before it gives up. */
  readonly maxReconnects?: number
}

interface Position {
  eventsUrl: string | null
  lastEventId: string | null
  retryMs: number
  ended: boolean
  /** Connections since the last event. */
  fruitless: number
}

const DEFAULT_MAX_RECONNECTS = 20

/**
 * Starts a workflow and reads its events until they have all come: a stream that is cut is taken up again with
 * `Last-Event-ID`. Resolves after a clean end; throws with the service's own words when the request is refused, and
 * when the service stays away.
 */
export async function followWorkflow(options: FollowOptions): Promise<void> {
  const position: Position = { eventsUrl: null, lastEventId: null, retryMs: 2_000, ended: false, fruitless: 0 }
  await readResponse(await startWorkflow(options), position, options)
  const limit = options.maxReconnects ?? DEFAULT_MAX_RECONNECTS
  while (!position.ended) {
    position.fruitless += 1
    if (position.fruitless > limit) throw new Error(`The event stream broke off ${limit} times without news.`)
    await delay(position.retryMs, undefined, { signal: options.signal })
    options.onReconnect?.(position.fruitless)
    const response = await reopen(position, options)
    if (response !== null) await readResponse(response, position, options)
  }
}

async function startWorkflow({ baseUrl, body, signal }: FollowOptions): Promise<Response> {
  const response = await fetch(`${baseUrl}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
    signal: signal ?? null,
  })
  if (!response.ok) throw await refusal(response)
  return response
}

/** The stream from where it was cut; null when it should be tried once more. */
async function reopen(position: Position, { signal }: FollowOptions): Promise<Response | null> {
  if (position.eventsUrl === null) throw new Error('The stream broke off before it told which workflow it is of.')
  const headers = new Headers({ accept: 'text/event-stream' })
  if (position.lastEventId !== null) headers.set('last-event-id', position.lastEventId)
  let response: Response
  try {
    response = await fetch(position.eventsUrl, { headers, signal: signal ?? null })
  } catch (error) {
    if (signal?.aborted === true) throw error
    return null
  }
  if (response.status === 204) {
    position.ended = true
    return null
  }
  if (response.ok) return response
  if (response.status >= 500 || response.status === 429) {
    await response.body?.cancel()
    return null
  }
  throw await refusal(response)
}

/** Reads one connection to its end, clean or cut; only an abort and a fault of `onEvent` are thrown. */
async function readResponse(response: Response, position: Position, options: FollowOptions): Promise<void> {
  const location = response.headers.get('location')
  if (location !== null) position.eventsUrl ??= new URL(`${location}/events`, options.baseUrl).href
  const { feed, fault } = createFrameReader(position, options)
  try {
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) feed(decoder.decode(bytes, { stream: true }))
  } catch (error) {
    if (options.signal?.aborted === true) throw error
    // A cut is what Last-Event-ID is for; whoever listens may fail in his own right.
    if (fault() !== null) throw error
  }
}

function createFrameReader(position: Position, { baseUrl, onEvent }: FollowOptions) {
  let listenerFault: unknown = null
  const parser = createParser({
    onRetry: (ms) => {
      position.retryMs = ms
    },
    onEvent: (message) => {
      if (message.id !== undefined) position.lastEventId = message.id
      const event = parseStreamEvent(message.data)
      position.eventsUrl ??= `${baseUrl}/workflows/${event.workflow_id}/events`
      position.fruitless = 0
      position.ended = endsWorkflow(event)
      try {
        onEvent(event)
      } catch (error) {
        listenerFault = error
        throw error
      }
    },
  })
  return { feed: (text: string) => parser.feed(text), fault: () => listenerFault }
}

const Problem = Type.Object({
  title: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
})

async function refusal(response: Response): Promise<Error> {
  const text = await response.text()
  const problem = parseProblem(text)
  if (problem === null) return new Error(`The service answered ${response.status}: ${text.slice(0, 500)}`)
  const faults = (problem.errors ?? []).map((fault) => `\n  ${fault.pointer}: ${fault.detail}`).join('')
  return new Error(`${response.status} ${problem.title ?? ''}: ${problem.detail ?? ''}${faults}`)
}

function parseProblem(text: string): Static<typeof Problem> | null {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(Problem, value) ? value : null
  } catch {
    return null
  }
}
