import type { Readable } from 'node:stream'
import type { Answer } from './answer.ts'
import type { AnswerReader } from './answer-reader.ts'
import type { CallDeadlines } from './call-deadlines.ts'
import type { CallRecord } from './call-record.ts'
import { createChatStreamReader } from './chat-stream.ts'
import type { Clock } from './clock.ts'
import { callFailure, type FailureContext } from './failures.ts'
import type { ModelEvent, ModelRequest } from './model.ts'
import { createPlainAnswerReader } from './plain-answer.ts'
import type { UpstreamResponse } from './request-fetch.ts'

/** What the reading of an answer needs to know of its call. */
export interface ReadingParts {
  readonly request: ModelRequest
  readonly maxResponseBytes: number
  readonly caller: AbortSignal
  readonly clock: Clock
  readonly failures: FailureContext
  readonly deadlines: CallDeadlines
  readonly record: CallRecord
}

/** The body of an answer, read piece by piece. */
export interface Reading {
  /** Events of the next piece, null after the last. Throws what is wrong, once the events before it are out. */
  next(): Promise<readonly ModelEvent[] | null>
  /** Gives the connection back when the body was read to its end, else closes it. */
  close(): Promise<void>
}

/** Starts to read. Throws when the answer is no stream although one was asked for. */
export function startReading({ body, headers }: UpstreamResponse, call: ReadingParts, answer: Answer): Reading {
  const { deadlines, caller, maxResponseBytes, failures } = call
  const reader = createReader(headers, body, { call, answer })
  const pieces: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false })
  let bytes = 0
  let finished = false

  const pull = async (): Promise<readonly ModelEvent[]> => {
    const piece = await pieces.next()
    if (piece.done === true) {
      finished = true
      return reader.finish()
    }
    bytes += piece.value.length
    if (bytes > maxResponseBytes) {
      const message = `The answer is longer than ${maxResponseBytes} bytes (LLM_MAX_RESPONSE_BYTES).`
      throw callFailure('response_too_large', message, { retryable: false, endpoint: failures.endpoint })
    }
    const events = reader.push(piece.value)
    finished = reader.done
    return events
  }

  const noteProgress = (tokensBefore: number, endedBefore: boolean): void => {
    if (answer.tokens > tokensBefore) {
      if (tokensBefore === 0) call.record.firstToken()
      deadlines.progressed()
    }
    if (answer.ended && !endedBefore) deadlines.answered()
  }

  return {
    next: async () => {
      if (reader.fault !== null) throw reader.fault
      if (finished) return null
      deadlines.callerBusy(false)
      const { tokens, ended } = answer
      try {
        const events = await pull()
        noteProgress(tokens, ended)
        deadlines.callerBusy(events.length > 0)
        return events
      } catch (error) {
        // a complete answer is not spoilt by what follows it
        if (!answer.ended || caller.aborted) throw error
        return null
      }
    },
    close: async () => {
      await pieces.return?.()
      if (finished) discardRest(body, call.clock)
      else body.destroy()
    },
  }
}

function createReader(
  headers: Headers,
  body: Readable,
  { call, answer }: { readonly call: ReadingParts; readonly answer: Answer },
): AnswerReader {
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
