import { AppError } from '../errors.ts'
import type { Admission } from './admission.ts'
import type { Clock } from './clock.ts'
import { saysLoading } from './failures.ts'
import { createLoadingWatch, type LoadingWatch } from './loading-watch.ts'
import type { ModelRequest, Target, TokenUsage } from './model.ts'
import type { ModelServer } from './model-server.ts'
import { pauseUntilReset } from './rate-limits.ts'

/** Learns from how calls go, before anybody else may call. */
export interface Heed {
  /** The head of an answer, whatever its status. */
  head(request: ModelRequest, header: (name: string) => string | null): void
  success(request: ModelRequest, usage: TokenUsage): void
  /** Gives back the failure as the caller is to see it. */
  failure(request: ModelRequest, failure: AppError): AppError
  close(): void
}

const defaultWaitMs = 1_000
const longestWaitMs = 60 * 60 * 1000
const rateLimited = 'The model server limits the rate of calls.'

export interface HeedParts {
  readonly clock: Clock
  readonly admission: Admission
  readonly serverOf: (name: string) => ModelServer
}

/** Knows nothing yet. */
export function createHeed({ clock, admission, serverOf }: HeedParts): Heed {
  const watches = new Map<string, LoadingWatch>()
  const watchOf = (target: Target): LoadingWatch => {
    const key = `${target.endpoint}\n${target.model}`
    const isLoading = () => serverOf(target.endpoint).isLoading()
    const watch = watches.get(key) ?? createLoadingWatch({ clock, isLoading, loaded: () => admission.loaded(target) })
    watches.set(key, watch)
    return watch
  }
  const answered = ({ endpoint, model }: Target): void => {
    const key = `${endpoint}\n${model}`
    watches.get(key)?.answered()
    watches.delete(key)
  }
  const postpone = (target: Target, about: { readonly waitMs: number; readonly limited: boolean }): void => {
    const waitMs = Math.min(about.waitMs, longestWaitMs)
    const asked = about.limited
      ? ({ code: 'llm_rate_limited', reason: rateLimited } as const)
      : ({ code: 'llm_error', reason: 'The model server asked to wait.' } as const)
    admission.postpone(target, { kind: 'asked', waitMs, ...asked })
  }
  const heedLoading = (target: Target, failure: AppError): AppError => {
    const waitMs = watchOf(target).heard()
    if (waitMs === null) return failure
    const reason = 'The model server is loading its model.'
    admission.postpone(target, { kind: 'loading', waitMs, code: 'llm_error', reason })
    return new AppError(failure.code, failure.message, { ...failure.details, uncounted: true, cause: failure.cause })
  }

  return {
    head: ({ target }, header) => {
      // what it asks for this once is more to the point than when its quota is full again
      if (header('retry-after') !== null || header('retry-after-ms') !== null) return
      const waitMs = pauseUntilReset(header, Date.now())
      if (waitMs !== null) postpone(target, { waitMs, limited: true })
    },
    success: (request, usage) => {
      const server = serverOf(request.target.endpoint)
      answered(request.target)
      server.proved()
      if (!usage.estimated) learnRatio(server, request, usage.inputTokens)
    },
    failure: (request, failure) => {
      const { target } = request
      if (saysLoading(failure)) return heedLoading(target, failure)
      const server = serverOf(target.endpoint)
      answered(target)
      learnContext(server, request, failure)
      if (isRefusal(failure)) server.avoid()
      if (failure.code === 'llm_unauthorized') server.refusesKey(failure.message)
      const limited = failure.code === 'llm_rate_limited'
      const { retryAfterMs = limited ? defaultWaitMs : null, retryable } = failure.details
      if (retryable === true && retryAfterMs !== null) postpone(target, { waitMs: retryAfterMs, limited })
      return failure
    },
    close: () => {
      for (const watch of watches.values()) watch.close()
    },
  }
}

// what only the operator can change: a key, a quota, a certificate
function isRefusal({ code, details }: AppError): boolean {
  if (code === 'llm_unreachable') return details.retryable !== true
  return code === 'llm_unauthorized' || code === 'quota_exhausted'
}

function learnContext(server: ModelServer, request: ModelRequest, { details }: AppError): void {
  const { promptTokens = null, window = null } = details.overflow ?? {}
  if (window !== null) server.learnWindow(request.target.model, window)
  if (promptTokens !== null) learnRatio(server, request, promptTokens)
}

function learnRatio(server: ModelServer, { target, inputTokens }: ModelRequest, reported: number): void {
  server.tokenRatios.learn(target.model, { estimated: inputTokens, reported, ratio: target.tokenRatio })
}
