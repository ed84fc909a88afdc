import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { EventBatch, EventReader } from '../workflows/service.ts'
import type { AppOptions, AppParts, HttpObserver, StreamEnd } from './app-parts.ts'
import { createBatchEncoder } from './encoded-batches.ts'
import { routeOf } from './failure-answers.ts'
import { passOn } from './pass-on.ts'
import { keyNameOf } from './rate-limits.ts'
import type { StreamConnection } from './stream-connection.ts'
import { createStreamConnection, untilAborted } from './stream-connection.ts'
import type { StreamGate, StreamSeat } from './stream-gate.ts'

const framesPerRead = 32
const pollMs = 100
const retryMs = 250

/** One request for a stream. */
interface StreamRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Throws as `WorkflowService.openEvents`. */
  readonly open: () => Promise<EventReader>
  /** Of the answer to a POST: what was asked for is done, so its stream is opened now or never, and is never a 204. */
  readonly headers?: Readonly<Record<string, string>>
  /** The right to the stream, where it had to be had before something was started. */
  readonly seat?: StreamSeat
}

/** Serves streams of events, each until its workflow's end, or until somebody leaves. */
export interface EventStreams {
  /** Throws `overloaded`, and `rate-limited` for one stream too many of who asks. */
  enter(request: FastifyRequest): StreamSeat
  /** Throws for what can be said before the first byte; resolves when the stream is over. */
  serve(stream: StreamRequest): Promise<void>
}

interface OpenStream {
  readonly reader: EventReader
  readonly first: EventBatch
}

type StreamParts = AppParts & {
  /** The process answers too late to take new readers. */
  readonly overloaded: () => boolean
}

type PumpContext = Pick<StreamContext, 'connection' | 'holdMs'>

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

/** Tries again while the database is away, up to the deadline; then the connection is over as `unavailable`. */
async function patiently<T>(work: () => T | Promise<T>, connection: StreamConnection, holdMs: number): Promise<T> {
  const deadline = performance.now() + holdMs
  for (;;) {
    try {
      const done = work()
      return done instanceof Promise ? await untilAborted(done, connection.over) : done
    } catch (error) {
      if (!isUnavailable(error)) throw error
      if (performance.now() >= deadline) connection.stop('unavailable')
    }
    connection.over.throwIfAborted()
    await delay(retryMs, undefined, { ref: false })
  }
}

async function whenServable(parts: StreamParts, connection: StreamConnection, holdMs: number): Promise<void> {
  const deadline = performance.now() + holdMs
  while (!parts.ready() || parts.draining() || parts.overloaded()) {
    if (performance.now() >= deadline) connection.stop('unavailable')
    connection.over.throwIfAborted()
    await delay(Math.min(pollMs, holdMs), undefined, { ref: false })
  }
}

/** What has been asked for already; asked again while the database is away. */
function awaited(asked: Promise<EventBatch>, reader: EventReader, context: PumpContext): Promise<EventBatch> {
  const first = [asked]
  return patiently(() => first.pop() ?? reader.read(framesPerRead), context.connection, context.holdMs)
}

async function pump({ reader, first }: OpenStream, context: PumpContext): Promise<StreamEnd> {
  const { connection } = context
  let asked: EventBatch | Promise<EventBatch> = first
  for (;;) {
    const batch: EventBatch = asked instanceof Promise ? await awaited(asked, reader, context) : asked
    if (batch.gone) return 'gone'
    if (batch.frames.length > 0) await connection.write(batch)
    if (batch.done) return 'done'
    asked =
      batch.frames.length > 0 ? reader.read(framesPerRead) : (await passOn(reader, connection, framesPerRead)).asked
  }
}

function sendHead({ request, reply, headers = {} }: StreamRequest): void {
  void reply.header('cache-control', 'no-cache, no-transform')
  void reply.header('content-type', 'text/event-stream')
  void reply.headers(headers)
  // The plugin promises to keep the connection, which is where a body without chunks ends.
  if (request.raw.httpVersionMinor === 0) void reply.header('connection', 'close')
  // The plugin would end the body cleanly when the handler returns, and a clean end means "finished".
  reply.sse.keepAlive()
  reply.sse.sendHeaders()
}

/** Everything that one stream needs while it lives. */
interface StreamContext {
  readonly stream: StreamRequest
  readonly connection: StreamConnection
  readonly parts: StreamParts
  readonly observer: HttpObserver
  readonly holdMs: number
}

async function openReader({ stream, connection, parts, holdMs }: StreamContext): Promise<OpenStream> {
  if (stream.headers === undefined) await whenServable(parts, connection, holdMs)
  const reader = await patiently(stream.open, connection, holdMs)
  try {
    return { reader, first: await patiently(() => reader.read(framesPerRead), connection, holdMs) }
  } catch (error) {
    reader.close()
    throw error
  }
}

async function writeStream(context: StreamContext, opened: OpenStream | null): Promise<void> {
  const { stream, connection, observer } = context
  const about = { route: routeOf(stream.request), correlationId: stream.request.id, key: keyNameOf(stream.request) }
  const since = performance.now()
  sendHead(stream)
  connection.begin()
  observer.streamOpened?.(about)
  try {
    if (opened) connection.stop(await pump(opened, context))
  } catch (error) {
    if (connection.reason() === null) {
      connection.stop('failed')
      observer.requestFailed?.({ ...about, method: stream.request.method, error })
    }
  }
  const end = connection.reason() ?? 'failed'
  await connection.finish()
  observer.streamClosed?.({ ...about, ...connection.written(), durationMs: performance.now() - since, end })
}

async function serveOpened(context: StreamContext): Promise<void> {
  const { stream, connection } = context
  const opened = await openReader(context).catch((error: unknown) => {
    if (connection.reason() === null) throw error
    return null
  })
  try {
    if (opened?.first.gone) throw new AppError('not-found', 'It was deleted.')
    const nothingLeft = opened?.first.done === true && opened.first.frames.length === 0
    if (nothingLeft && stream.headers === undefined) void stream.reply.code(204).send()
    else if (connection.reason() !== 'client-left') await writeStream(context, opened)
  } finally {
    opened?.reader.close()
  }
}

/** Whose the stream is: a key's, or that of a client address where nobody has a key. */
function holderOf(request: FastifyRequest): string {
  const key = keyNameOf(request)
  return key === '' ? `address ${request.ip}` : `key ${key}`
}

/** Streams are pulled: nothing is read for a client whose socket does not take it. */
export function createEventStreams(
  parts: StreamParts & { readonly gate: StreamGate; readonly observer: HttpObserver },
  options: AppOptions,
): EventStreams {
  const encode = createBatchEncoder()
  const enter = (request: FastifyRequest) => {
    try {
      return parts.gate.enter(holderOf(request))
    } catch (error) {
      if (error instanceof AppError && error.code === 'rate-limited') {
        parts.observer.requestLimited?.({ key: keyNameOf(request) })
      }
      throw error
    }
  }
  return {
    enter,
    async serve(stream) {
      const seat = stream.seat ?? enter(stream.request)
      const connection = createStreamConnection(stream.reply.raw, {
        heartbeatMs: options.sseHeartbeatMs,
        slowClientMs: options.sseSlowClientMs,
        encode,
      })
      seat.onCut(() => connection.stop('leaving'))
      try {
        await serveOpened({ stream, connection, parts, observer: parts.observer, holdMs: options.notReadyHoldMs })
      } finally {
        seat.release()
      }
    },
  }
}
