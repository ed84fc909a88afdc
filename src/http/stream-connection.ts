import type { ServerResponse } from 'node:http'
import { needsDrain, onceDrained, writePiece } from './body-writer.ts'
import { encodePiece } from './encoded-batches.ts'
import type { EncodeBatch, EncodedPiece } from './encoded-batches.ts'
import type { EventBatch } from '../workflows/service.ts'
import type { StreamEnd } from './app-parts.ts'

/** How long a client is told to wait before it comes back; also what is sent before a stream is broken off. */
const retryFrame = 'retry: 2000\n\n'
const ping = encodePiece(': ping\n\n')
const sliceBytes = 64 * 1024
const flushMs = 500

/** One client that is being written to. */
export interface StreamConnection {
  /** Aborted when nothing more can or shall be written; its reason is a `StreamEnd`. */
  readonly over: AbortSignal
  /** Why it is over; null while it is not. */
  reason(): StreamEnd | null
  /** Begins the body: `retry:`, then heartbeats whenever the socket is free. */
  begin(): void
  /**
   * undefined when the socket wants more; otherwise resolves when it does. Throws, or rejects, once the connection is
   * over.
   */
  write(batch: EventBatch): Promise<void> | undefined
  /** Stops for the given reason; the first one counts. */
  stop(reason: StreamEnd): void
  /** Closes the body: with its final chunk only when the reason is `done`. Resolves when the socket is done with it. */
  finish(): Promise<void>
  written(): { readonly frames: number; readonly bytes: number }
}

/** Settles as `work` does, unless the signal is aborted first: then it rejects with the signal's reason. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function closed(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (raw.closed || raw.destroyed) resolve()
    else raw.once('close', () => resolve())
  })
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work, promise])
  clearTimeout(timer)
}

/** Without chunks (HTTP/1.0) the close of the connection is the clean end of a body: only a reset says that it is none. */
function breakOff(raw: ServerResponse): void {
  if (raw.closed) return
  if (!raw.chunkedEncoding) raw.socket?.resetAndDestroy()
  raw.destroy()
}

async function closeBody(raw: ServerResponse, reason: StreamEnd, slowClientMs: number): Promise<void> {
  if (reason === 'done') {
    raw.end()
    await within(closed(raw), slowClientMs)
  } else if (reason === 'leaving' || reason === 'unavailable' || reason === 'failed') {
    const { promise: flushed, resolve } = Promise.withResolvers<void>()
    // Node holds a write back until the end of the tick: destroying at once would lose it.
    raw.write(retryFrame, () => resolve())
    await within(flushed, flushMs)
  }
  breakOff(raw)
}

/** Takes over a response whose head has not been sent yet. */
export function createStreamConnection(
  raw: ServerResponse,
  options: { readonly heartbeatMs: number; readonly slowClientMs: number; readonly encode: EncodeBatch },
): StreamConnection {
  const over = new AbortController()
  let heartbeat: NodeJS.Timeout | undefined
  let frameCount = 0
  let byteCount = 0

  const stop = (reason: StreamEnd) => over.abort(reason)
  const leave = () => stop('client-left')
  raw.once('close', leave)

  const drained = async () => {
    const timer = setTimeout(stop, options.slowClientMs, 'slow')
    const { promise, resolve } = Promise.withResolvers<void>()
    const forget = onceDrained(raw, resolve)
    await untilAborted(promise, over.signal).finally(() => {
      clearTimeout(timer)
      forget()
    })
  }
  const writeOne = (piece: EncodedPiece): Promise<void> | undefined => {
    over.signal.throwIfAborted()
    byteCount += piece.to - piece.from
    return writePiece(raw, piece) ? undefined : drained()
  }
  // In slices, so that a reader who takes a little all the time is not held to be one who takes nothing.
  const writeSlices = async ({ chunk, from, to }: EncodedPiece) => {
    for (let at = from; at < to; at += sliceBytes) {
      over.signal.throwIfAborted()
      const slice = chunk.subarray(at, Math.min(at + sliceBytes, to))
      byteCount += slice.byteLength
      if (!raw.write(slice)) await drained()
    }
  }

  return {
    over: over.signal,
    reason: () => (over.signal.aborted ? (over.signal.reason as StreamEnd) : null),
    begin() {
      raw.write(retryFrame)
      heartbeat = setInterval(() => {
        if (!needsDrain(raw) && !over.signal.aborted) writePiece(raw, ping)
      }, options.heartbeatMs)
      heartbeat.unref()
    },
    write(batch) {
      const piece = options.encode(batch)
      frameCount += batch.frames.length
      return piece.to - piece.from > sliceBytes ? writeSlices(piece) : writeOne(piece)
    },
    stop,
    async finish() {
      clearInterval(heartbeat)
      raw.off('close', leave)
      stop('client-left')
      await closeBody(raw, over.signal.reason as StreamEnd, options.slowClientMs)
    },
    written: () => ({ frames: frameCount, bytes: byteCount }),
  }
}
