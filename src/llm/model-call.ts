import { type Answer, createAnswer } from './answer.ts'
import type { EventSink, EventSource } from './event-sink.ts'
import { callFailure, failureOfException } from './failures.ts'
import type { ModelEvent, TokenUsage } from './model.ts'
import type { UpstreamResponse } from './request-fetch.ts'
import { type Reading, type ReadingParts, startReading } from './response-reading.ts'
import { silentWindow } from './silent-truncation.ts'

/** Everything that one call needs. */
export interface ModelCall extends Omit<ReadingParts, 'answer'> {
  /** The estimate of the prompt rests on what this server counted before. */
  readonly isRatioKnown: boolean
  /** Sends the request; resolves with the head of a good answer. */
  readonly send: (signal: AbortSignal) => Promise<UpstreamResponse>
  /** Told once that the call is over. */
  readonly onClose: () => void
}

/** Sends one call and has its answer go to `stream`; see `Model.stream`. */
export function startModelCall(call: ModelCall, stream: EventSink<ModelEvent>): EventSource {
  const { deadlines, record, request, failures, caller } = call
  const answer = createAnswer({ ...request, failures }, stream)
  let reading: Reading | null = null
  let closed = false

  const close = (): void => {
    if (closed) return
    closed = true
    record.aborted(answer)
    deadlines.clear()
    reading?.close()
    call.onClose()
  }
  const failureOf = (error: unknown): unknown => {
    const failure = settle(error, { call, answer, answering: reading !== null })
    close()
    return failure
  }
  const finish = (): void =>
    stream.end(() => {
      try {
        succeed(call, answer, stream)
      } catch (error) {
        throw failureOf(error)
      }
      close()
    })
  const fail = (error: unknown): void =>
    stream.end(() => {
      throw failureOf(error)
    })
  const send = async (): Promise<void> => {
    try {
      const response = await call.send(deadlines.signal)
      if (closed) response.body.destroy()
      else reading = startReading(response, { ...call, answer }, { stream, finish, fail })
    } catch (error) {
      fail(error)
    }
  }

  deadlines.signal.addEventListener('abort', () => {
    if (closed) return
    // a deadline that passes after the end of the answer no longer matters; the caller's abort does
    if (answer.ended && !caller.aborted) finish()
    else stream.fail(failureOf(deadlines.signal.reason))
  })
  void send()
  return {
    wanted: deadlines.callerWaits,
    left: () => {
      close()
      // a request without an answer has nothing else that could be closed
      if (reading === null) deadlines.abort(new Error('Nobody reads the answer.'))
    },
  }
}

function settle(
  error: unknown,
  about: { readonly call: ModelCall; readonly answer: Answer; readonly answering: boolean },
): unknown {
  const { call, answer, answering } = about
  const { caller, record } = call
  if (caller.aborted) return caller.reason
  const failure = failureOfException(error, call.failures, answering)
  return failure.code === 'shutdown' ? failure : record.failed(failure, answer)
}

function succeed(call: ModelCall, answer: Answer, stream: EventSink<ModelEvent>): void {
  const usage = answer.conclude()
  const end = answer.judge()
  refuseSilentTruncation(call, usage)
  call.record.succeeded(usage)
  stream.push(end)
}

function refuseSilentTruncation({ request, isRatioKnown, failures }: ModelCall, usage: TokenUsage): void {
  const window = silentWindow(usage, { tokens: request.inputTokens, corrected: isRatioKnown })
  if (window === null) return
  const message = `The model server cut the prompt of about ${request.inputTokens} tokens to its window of ${window} tokens without saying so.`
  const overflow = { promptTokens: null, window }
  throw callFailure('context_overflow', message, { retryable: false, endpoint: failures.endpoint, overflow })
}
