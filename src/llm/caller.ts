import type { AppError } from '../errors.ts'
import { traceContext } from '../trace-context.ts'
import type { Admission } from './admission.ts'
import { type CallDeadlines, type CallLimits, startCallDeadlines } from './call-deadlines.ts'
import { startCallRecord } from './call-record.ts'
import type { Clock } from './clock.ts'
import { callFailure, saysLoading, windowToldBy } from './failures.ts'
import { runModelCall } from './model-call.ts'
import type { LlmEvent, Model, ModelEvent, ModelRequest, Target } from './model.ts'
import type { ModelServer } from './model-server.ts'
import { estimatePromptTokens } from './token-usage.ts'

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
  /** The server that an endpoint's name stands for; throws for an unknown one. */
  readonly serverOf: (name: string) => ModelServer
  readonly count: (success: boolean) => void
}

/** A caller without calls. */
export function createCaller(options: CallerOptions, parts: CallerParts): Caller {
  const running = new Set<CallDeadlines>()
  let closed = false

  async function* stream(
    request: ModelRequest,
    about: { readonly caller: AbortSignal; readonly headers: Readonly<Record<string, string>> },
  ): AsyncGenerator<ModelEvent, undefined, undefined> {
    const { target } = request
    const { caller, headers } = about
    if (caller.aborted || closed) {
      request.permit?.release()
      throw caller.aborted ? caller.reason : shutdown()
    }
    const server = parts.serverOf(target.endpoint)
    const permit = parts.admission.takeUp(target, request.permit)
    const loan = server.pool.borrow('request')
    const promptTokens = estimatePromptTokens(request.messages)
    const { clock, observe, count } = parts
    const heed = (failure: AppError): void => heedFailure(failure, { target, server, admission: parts.admission })
    const record = startCallRecord(target, promptTokens, { clock, observe, permit, loan, count, heed })
    const deadlines = startCallDeadlines(options, {
      clock,
      caller,
      endpoint: target.endpoint,
      streaming: request.stream,
    })
    running.add(deadlines)
    try {
      return yield* runModelCall({
        request,
        promptTokens,
        maxResponseBytes: options.maxResponseBytes,
        caller,
        clock,
        failures: server.failures,
        deadlines,
        record,
        send: (signal) => loan.client.chat(request, { signal, headers }),
      })
    } finally {
      running.delete(deadlines)
    }
  }

  return {
    // the ids are those of whoever asks for the stream, not of whoever reads it
    stream: (request, caller) => stream(request, { caller, headers: traceHeaders() }),
    abortAll: () => {
      closed = true
      for (const deadlines of running) deadlines.abort(shutdown())
    },
  }
}

function shutdown(): AppError {
  return callFailure('shutdown', 'The service is shutting down.', { retryable: true })
}

const defaultWaitMs = 1_000
const longestWaitMs = 60 * 60 * 1000

function heedFailure(
  failure: AppError,
  {
    target,
    server,
    admission,
  }: { readonly target: Target; readonly server: ModelServer; readonly admission: Admission },
): void {
  const window = windowToldBy(failure)
  if (window !== null) server.learnWindow(target.model, window)
  const waitMs = Math.min(failure.details.retryAfterMs ?? defaultWaitMs, longestWaitMs)
  if (failure.code === 'llm_rate_limited') {
    const reason = 'The model server limits the rate of calls.'
    admission.postpone(target, { waitMs, code: 'llm_rate_limited', reason })
  }
  if (saysLoading(failure)) {
    admission.postpone(target, { waitMs, code: 'llm_error', reason: 'The model server is loading its model.' })
  }
}

// a header may not hold everything that an id of a client may
function traceHeaders(): Readonly<Record<string, string>> {
  const { correlationId = '', traceparent = '' } = traceContext.getStore() ?? {}
  const headers = { 'X-Correlation-Id': correlationId, traceparent }
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => /^[\x20-\x7e]{1,256}$/.test(value)))
}
