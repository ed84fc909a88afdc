import { finished, type Readable } from 'node:stream'
import type { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { AnswerReader } from './answer-reader.ts'
import type { CallDeadlines } from './call-deadlines.ts'
import type { CallRecord } from './call-record.ts'
import { createChatStreamReader } from './chat-stream.ts'
import type { Clock } from './clock.ts'
import type { EventSink } from './event-sink.ts'
import { callFailure, type FailureContext } from './failures.ts'
import type { ModelEvent, ModelRequest } from './model.ts'
import { createPlainAnswerReader } from './plain-answer.ts'
import type { UpstreamResponse } from './request-fetch.ts'

/** What the reading of an answer needs to know of its call. */
export interface ReadingParts {
  readonly request: ModelRequest
  readonly answer: Answer
  readonly maxResponseBytes: number
  readonly caller: AbortSignal
  readonly clock: Clock
  readonly failures: FailureContext
  readonly deadlines: CallDeadlines
  readonly record: CallRecord
}

/** Who follows the reading. */
interface ReadingFollower {
  /** Where the events go; the body is not read while many of them wait there. */
  readonly stream: EventSink<ModelEvent>
  /** Told after the last event. */
  readonly finish: () => void
  /** Told instead of it, after the events before. */
  readonly fail: (error: unknown) => void
}

/** The body of an answer, read as it comes. */
export interface Reading {
  /** Gives the connection back when the body was read to its end, else closes it. */
  close(): void
}

const mostKept = 100

/** Starts to read. Throws when the answer is no stream although one was asked for. */
export function startReading(
  { body, headers }: UpstreamResponse,
  call: ReadingParts,
  { stream, finish, fail }: ReadingFollower,
): Reading {
  const { answer, deadlines, caller, maxResponseBytes, failures } = call
  const reader = createReader(headers, body, call)
  let bytes = 0
  let bodyEnded = false
  let over = false

  const close = (): void => {
    if (over) return
    over = true
    if (bodyEnded || reader.done) discardRest(body, call.clock)
    else body.destroy()
  }
  const end = (error: unknown): void => {
    if (over) return
    close()
    // a complete answer is not spoilt by what follows it
    if (error === null || (answer.ended && !caller.aborted)) finish()
    else fail(error)
  }
  const noteProgress = (tokensBefore: number, endedBefore: boolean): void => {
    if (tokensBefore === 0 && answer.tokens > 0) call.record.firstToken()
    // a caller that got something says itself when it waits again
    if (answer.tokens > tokensBefore && (tokensBefore === 0 || stream.isAwaited)) deadlines.progressed()
    if (answer.ended && !endedBefore) deadlines.answered()
  }
  const take = (piece: Uint8Array | null): void => {
    bytes += piece?.length ?? 0
    if (bytes > maxResponseBytes) throw tooLarge(maxResponseBytes, failures)
    const { tokens, ended } = answer
    if (piece === null) reader.finish()
    else reader.push(piece)
    noteProgress(tokens, ended)
    if (reader.fault !== null) end(reader.fault)
    else if (reader.done || bodyEnded) end(null)
    else if (stream.kept > mostKept) {
      body.pause()
      stream.whenTaken(() => body.resume())
    }
  }
  const onPiece = (piece: Uint8Array | null): void => {
    if (over) return
    try {
      take(piece)
    } catch (error) {
      end(error)
    }
  }

  body.on('data', onPiece)
  finished(body, { writable: false }, (error) => {
    bodyEnded = !error
    if (error) end(error)
    else onPiece(null)
  })
  return { close }
}

function tooLarge(maxResponseBytes: number, { endpoint }: FailureContext): AppError {
  const message = `The answer is longer than ${maxResponseBytes} bytes (LLM_MAX_RESPONSE_BYTES).`
  return callFailure('response_too_large', message, { retryable: false, endpoint })
}

function createReader(headers: Headers, body: Readable, call: ReadingParts): AnswerReader {
  const { answer } = call
  if (!call.request.stream) return createPlainAnswerReader(answer, call.failures)
  const mediaType = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType === 'text/event-stream') return createChatStreamReader(answer, call.failures)
  body.destroy()
  const sent = call.failures.scrub(mediaType ?? '') || 'something'
  const message = `The model server sent ${sent} instead of a stream.`
  throw callFailure('llm_error', message, { retryable: true, endpoint: call.failures.endpoint })
}

const discardMs = 1_000

// what follows the last event is a chunk of length 0; a server that goes on is cut off
function discardRest(body: Readable, clock: Clock): void {
  if (body.closed) return
  const cancel = clock.after(discardMs, () => body.destroy())
  body.once('close', cancel)
  body.resume()
}
