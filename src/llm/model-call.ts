import { type Answer, createAnswer } from './answer.ts'
import { callFailure, failureOfException } from './failures.ts'
import type { ModelEvent, TokenUsage } from './model.ts'
import type { UpstreamResponse } from './request-fetch.ts'
import { type Reading, type ReadingParts, startReading } from './response-reading.ts'
import { silentWindow } from './silent-truncation.ts'

/** Everything that one call needs. */
export interface ModelCall extends ReadingParts {
  /** The estimate of the prompt rests on what this server counted before. */
  readonly isRatioKnown: boolean
  /** Sends the request; resolves with the head of a good answer. */
  readonly send: (signal: AbortSignal) => Promise<UpstreamResponse>
}

/** One call, from the request to the end of its answer; see `Model.stream`. */
export async function* runModelCall(call: ModelCall): AsyncGenerator<ModelEvent, undefined, undefined> {
  const { deadlines, record, request, failures } = call
  const answer = createAnswer({ ...request, failures })
  let reading: Reading | null = null
  let usage: TokenUsage | null = null
  try {
    reading = startReading(await call.send(deadlines.signal), call, answer)
    for (let events = await reading.next(); events !== null; events = await reading.next()) {
      for (const event of events) {
        yield event
        throwIfStopped(call, answer)
      }
    }
    throwIfStopped(call, answer)
    for (const event of answer.conclude()) {
      if (event.type === 'usage') usage = event.usage
      if (event.type === 'end') succeed(call, usage)
      yield event
    }
    return undefined
  } catch (error) {
    throw settle(error, { call, answer, answering: reading !== null })
  } finally {
    record.aborted(answer)
    deadlines.clear()
    await reading?.close()
  }
}

// a deadline that passes after the end of the answer no longer matters; the caller's abort does
function throwIfStopped({ deadlines, caller }: ModelCall, answer: Answer): void {
  caller.throwIfAborted()
  if (!answer.ended) deadlines.signal.throwIfAborted()
}

function settle(
  error: unknown,
  about: { readonly call: ModelCall; readonly answer: Answer; readonly answering: boolean },
): unknown {
  const { call, answer, answering } = about
  const { caller, deadlines, record } = call
  if (caller.aborted) {
    record.aborted(answer)
    return caller.reason
  }
  const stopped = deadlines.signal.aborted && !answer.ended
  const failure = failureOfException(stopped ? deadlines.signal.reason : error, call.failures, answering)
  if (failure.code !== 'shutdown') return record.failed(failure, answer)
  record.aborted(answer)
  return failure
}

function succeed(call: ModelCall, usage: TokenUsage | null): void {
  if (usage === null) return
  refuseSilentTruncation(call, usage)
  call.record.succeeded(usage)
}

function refuseSilentTruncation({ request, isRatioKnown, failures }: ModelCall, usage: TokenUsage): void {
  const window = silentWindow(usage, { tokens: request.inputTokens, corrected: isRatioKnown })
  if (window === null) return
  const message = `The model server cut the prompt of about ${request.inputTokens} tokens to its window of ${window} tokens without saying so.`
  const overflow = { promptTokens: null, window }
  throw callFailure('context_overflow', message, { retryable: false, endpoint: failures.endpoint, overflow })
}
