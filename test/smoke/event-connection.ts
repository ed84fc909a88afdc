import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import type { EventJournal, WireEvent } from './event-journal.ts'

/** How one connection to a stream went. */
export interface Connection {
  readonly status: number
  /** `clean`: with the final chunk; `broken`: without; `cut`: by this side. */
  readonly end: 'clean' | 'broken' | 'cut'
  /** Body received, in bytes. */
  readonly bytes: number
  /** Its last few bytes. */
  readonly tail: string
}

export interface ConnectionOptions {
  /** Leaves after exactly so many bytes of the body. */
  readonly cutAfterBytes?: number
  /** POST with this body, instead of GET from the journal's cursor. */
  readonly body?: object
  /** Leaves when it is aborted. */
  readonly signal?: AbortSignal
}

const comeBackMs = 20

/** Reads a stream into the journal, from where the journal is, until the connection is over. Rejects when there is none. */
export function readStream(url: string, journal: EventJournal, options: ConnectionOptions = {}): Promise<Connection> {
  const cursor = journal.cursor()
  const headers = {
    accept: 'text/event-stream',
    ...(cursor === null || options.body ? {} : { 'last-event-id': cursor }),
    ...(options.body ? { 'content-type': 'application/json' } : {}),
  }
  return new Promise((resolve, reject) => {
    const method = options.body ? 'POST' : 'GET'
    const sent = request(url, { method, agent: false, headers, ...(options.signal ? { signal: options.signal } : {}) })
    sent.on('error', reject)
    sent.on('response', (response) => resolve(readBody(response, journal, options)))
    sent.end(options.body && JSON.stringify(options.body))
  })
}

function readBody(
  response: IncomingMessage,
  journal: EventJournal,
  { cutAfterBytes = Infinity, signal }: ConnectionOptions,
): Promise<Connection> {
  const decoder = new TextDecoder()
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const parsed = JSON.parse(data) as WireEvent
      journal.take(event === parsed.type ? parsed : { ...parsed, type: `${event} around ${parsed.type}` }, id ?? null)
    },
  })
  let bytes = 0
  let tail = ''
  let isCut = false
  return new Promise((resolve) => {
    response.on('data', (chunk: Buffer) => {
      if (isCut) return
      const taken = chunk.subarray(0, cutAfterBytes - bytes)
      bytes += taken.length
      const text = decoder.decode(taken, { stream: true })
      tail = (tail + text).slice(-40)
      parser.feed(text)
      if (bytes < cutAfterBytes) return
      isCut = true
      response.destroy()
    })
    response.on('error', () => undefined)
    response.on('close', () => {
      const end = isCut || signal?.aborted ? 'cut' : response.complete ? 'clean' : 'broken'
      resolve({ status: response.statusCode ?? 0, end, bytes, tail })
    })
  })
}

/** Reads to the clean end, over as many connections as it takes; `url` is asked for the address each time. */
export async function readToEnd(url: () => string, journal: EventJournal): Promise<void> {
  for (;;) {
    const connection = await readStream(url(), journal).catch(() => null)
    if (connection?.end === 'clean' && connection.status <= 204) return
    if (connection !== null && connection.status !== 200) throw new Error(`the stream answered ${connection.status}`)
    await delay(comeBackMs)
  }
}

interface EventPage {
  readonly data: readonly (WireEvent & { readonly id: string })[]
  readonly next: string
  readonly done: boolean
}

/** The same by long polls; `onEvent` is told of each event as it comes. */
export async function pollToEnd(
  url: () => string,
  journal: EventJournal,
  onEvent: (event: WireEvent) => void = () => undefined,
): Promise<void> {
  for (let done = false; !done;) {
    const cursor = journal.cursor()
    const query = cursor === null ? '' : `&after=${encodeURIComponent(cursor)}`
    const page = await fetchPage(`${url()}?wait=5${query}`)
    if (page === null) await delay(comeBackMs)
    for (const { id, ...event } of page?.data ?? []) {
      journal.take(event, id)
      onEvent(event)
    }
    done = page?.done ?? false
  }
}

/** null: there is nobody right now. */
async function fetchPage(url: string): Promise<EventPage | null> {
  const headers = { accept: 'application/json', connection: 'close' }
  const answer = await fetch(url, { headers }).catch(() => null)
  if (answer === null || answer.status === 503) return null
  if (answer.status !== 200) throw new Error(`the events answered ${answer.status}`)
  return (await answer.json().catch(() => null)) as EventPage | null
}
