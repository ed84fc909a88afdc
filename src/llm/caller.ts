import { AsyncLocalStorage } from 'node:async_hooks'
import type { AppError } from '../errors.ts'
import { traceContext } from '../trace-context.ts'
import type { Admission } from './admission.ts'
import { type CallDeadlines, type CallLimits, startCallDeadlines } from './call-deadlines.ts'
import { startCallRecord } from './call-record.ts'
import type { Clock } from './clock.ts'
import type { EventSink, EventSource } from './event-sink.ts'
import { createEventStream } from './event-stream.ts'
import { callFailure, type HeaderReader } from './failures.ts'
import type { Heed } from './heed.ts'
import { startModelCall } from './model-call.ts'
import type { LlmEvent, Model, ModelEvent, ModelRequest } from './model.ts'
import type { ModelServer } from './model-server.ts'
import { withoutEcho } from './prompt-echo.ts'
import type { UpstreamResponse } from './request-fetch.ts'

/** Limits of every call. */
export interface CallerOptions extends CallLimits {
  /** Longest answer, decoded. */
  readonly maxResponseBytes: number
}

/** Makes the calls. */
export interface Caller {
  readonly stream: Model['stream']
  /** Ends the calls that run, and every later one, with `shutdown`. */
  abortAll(): void
}

export interface CallerParts {
  readonly clock: Clock
  readonly observe: (event: LlmEvent) => void
  readonly admission: Admission
  readonly heed: Heed
  /** The server that an endpoint's name stands for; throws for an unknown one. */
  readonly serverOf: (name: string) => ModelServer
  readonly count: (success: boolean) => void
}

/** A caller without calls. */
export function createCaller(options: CallerOptions, parts: CallerParts): Caller {
  const running = new Set<CallDeadlines>()
  let closed = false

  const start = (request: ModelRequest, about: CallContext, stream: EventSink<ModelEvent>): EventSource => {
    const { target } = request
    const { caller, headers } = about
    if (caller.aborted || closed) throw caller.aborted ? caller.reason : shutdown()
    const server = parts.serverOf(target.endpoint)
    const permit = parts.admission.takeUp(target, request.permit)
    const loan = server.pool.borrow('request')
    const { clock, observe, count, heed } = parts
    const record = startCallRecord(request, { clock, observe, permit, loan, count, heed })
    const deadlines = startCallDeadlines(options, {
      clock,
      caller,
      endpoint: target.endpoint,
      streaming: request.stream,
      isCallerBusy: () => !stream.isAwaited,
    })
    running.add(deadlines)
    const failures = {
      ...server.failures,
      scrub: (text: string) => server.failures.scrub(withoutEcho(text, request.messages)),
    }
    const send = (signal: AbortSignal): Promise<UpstreamResponse> => {
      const onHead = (header: HeaderReader): void => heed.head(request, header)
      return loan.client.chat(request, { signal, failures, headers, onHead })
    }
    const call = {
      request,
      isRatioKnown: server.tokenRatios.isKnown(target.model),
      maxResponseBytes: options.maxResponseBytes,
      caller,
      clock,
      failures,
      deadlines,
      record,
      send,
      onClose: () => void running.delete(deadlines),
    }
    return startModelCall(call, stream)
  }

  return {
    stream: (request, caller) => {
      // the ids are those of whoever asks for the stream, not of whoever reads it
      const inContext = AsyncLocalStorage.snapshot()
      const about = { caller, headers: traceHeaders() }
      return createEventStream((stream) => inContext(start, request, about, stream))
    },
    abortAll: () => {
      closed = true
      for (const deadlines of running) deadlines.abort(shutdown())
    },
  }
}

interface CallContext {
  readonly caller: AbortSignal
  readonly headers: Readonly<Record<string, string>>
}

function shutdown(): AppError {
  return callFailure('shutdown', 'The service is shutting down.', { retryable: true })
}

// a header may not hold everything that an id of a client may
function traceHeaders(): Readonly<Record<string, string>> {
  const { correlationId = '', traceparent = '', callTraceparent } = traceContext.getStore() ?? {}
  const headers = { 'X-Correlation-Id': correlationId, traceparent: callTraceparent ?? traceparent }
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => /^[\x20-\x7e]{1,256}$/.test(value)))
}
