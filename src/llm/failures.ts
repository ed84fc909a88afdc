import { AppError, type AppErrorDetails, type FailureCode } from '../errors.ts'
import { overflowFigures, saysContextOverflow } from './context-overflow.ts'
import { readServerError, type ServerError } from './error-body.ts'
import { fieldsOf, textOf } from './json-fields.ts'
import { classifyNetworkError, networkCodeOf } from './network-failures.ts'
import { parseRetryAfter } from './retry.ts'
import type { Scrub } from './scrub.ts'

/** What every failure of one endpoint needs: its name, and the means to make a server's words harmless. */
export interface FailureContext {
  readonly endpoint: string
  readonly scrub: Scrub
}

/** A header of an answer, by its name in lower case; null where there is none. */
export type HeaderReader = (name: string) => string | null

/** A failed call. `message` is ours; words of the server belong into `failureOfAnswer`. */
export function callFailure(
  code: FailureCode,
  message: string,
  details: AppErrorDetails & { readonly retryable: boolean; readonly cause?: unknown },
): AppError {
  return new AppError(code, message, details)
}

/** The failure that an HTTP answer with an error status stands for. */
export function failureOfStatus(
  answer: { readonly status: number; readonly error: ServerError; readonly header: HeaderReader },
  context: FailureContext,
): AppError {
  const { status, error, header } = answer
  const loading = isLoading(status, error)
  const retryAfterMs = loading ? loadingWaitMs : parseRetryAfter(header, Date.now())
  const details = {
    endpoint: context.endpoint,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(loading ? { cause: modelLoading } : {}),
  }
  return said(error, status, { context, details, opening: `The model server answered ${status}` })
}

/** The failure that an error inside a stream stands for. */
export function failureInStream(body: unknown, context: FailureContext): AppError {
  const error = readServerError(body)
  const { status } = error
  const details = { endpoint: context.endpoint, ...(status === null ? {} : { status }) }
  return said(error, status, { context, details, opening: 'The model server broke off' })
}

/** Any other exception of a call: the network, TLS, the decoder. `answering`: the answer had begun. */
export function failureOfException(error: unknown, context: FailureContext, answering: boolean): AppError {
  if (error instanceof AppError) return error
  const networkCode = networkCodeOf(error)
  if (networkCode === '') {
    return callFailure('internal', 'The call failed inside the service.', { retryable: false, cause: error })
  }
  const { code, retryable, message } = classifyNetworkError(networkCode, answering)
  return callFailure(code, message, { retryable, endpoint: context.endpoint, cause: error })
}

/** Cause of a failure for which the server gave neither text nor end, whatever else it may mean. */
export const nothingAtAll = 'nothing at all'

/** Whether a failure speaks against the service, for its breaker and its pooled client. */
export function blamesService(failure: AppError): boolean {
  const { code } = failure
  if (saysLoading(failure)) return false
  if (failure.cause === nothingAtAll) return true
  return code === 'llm_unreachable' || code === 'llm_timeout' || code === 'llm_error' || code === 'llm_truncated'
}

const loadingWaitMs = 1_000

const modelLoading = 'model loading'

/** llama.cpp while it loads its model: it is well, and only has to be waited for. */
export function saysLoading(failure: AppError): boolean {
  return failure.cause === modelLoading
}

function isLoading(status: number, { message }: ServerError): boolean {
  return status === 503 && /^loading model/i.test(message)
}

function said(
  error: ServerError,
  status: number | null,
  parts: {
    readonly context: FailureContext
    readonly details: AppErrorDetails & { readonly cause?: unknown }
    readonly opening: string
  },
): AppError {
  const { code, retryable } = classify(error, status)
  const hint = hints[code] ?? ''
  const words = parts.context.scrub(error.message)
  const redirect = status !== null && status >= 300 && status < 400 ? ' (a redirect, which is not followed)' : ''
  const message = `${parts.opening}${redirect}${words === '' ? '' : `: ${words}`}${hint}`
  // a body that is too large is a prompt that is too long
  const tooLong = code === 'context_overflow' || status === 413
  const overflow = tooLong ? { overflow: overflowFigures(error.fields, error.message) } : {}
  return callFailure(code, message, { ...parts.details, retryable, ...overflow })
}

const hints: Partial<Record<FailureCode, string>> = {
  llm_unauthorized: ' (OPENAI_API_KEY)',
}

interface Class {
  readonly code: FailureCode
  readonly retryable: boolean
}

const quotaNames = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'quota_exceeded'])
const filterNames = new Set(['content_filter', 'content_policy_violation'])

function classify(error: ServerError, status: number | null): Class {
  const names = [error.fields['code'], error.fields['type']].map((name) => textOf(name) ?? '')
  if (saysContextOverflow(error.fields, error.message)) return { code: 'context_overflow', retryable: false }
  if (names.some((name) => quotaNames.has(name))) return { code: 'quota_exhausted', retryable: false }
  if (names.some((name) => filterNames.has(name))) return { code: 'content_filtered', retryable: false }
  if (status === 409 && saysLocked(`${names.join(' ')} ${error.message}`)) return { code: 'llm_error', retryable: true }
  return status === null ? classifyNames(names) : classifyStatus(status)
}

// any other conflict is one of the request, and stays
function saysLocked(text: string): boolean {
  return /(?:^|[\W_])lock(?:ed|_timeout)?(?![a-z])/i.test(text)
}

function classifyStatus(status: number): Class {
  if (status === 429) return { code: 'llm_rate_limited', retryable: true }
  if (status >= 500 || status === 408 || status === 425) return { code: 'llm_error', retryable: true }
  if (status === 401 || status === 403) return { code: 'llm_unauthorized', retryable: false }
  if (status === 402) return { code: 'quota_exhausted', retryable: false }
  return { code: 'llm_rejected', retryable: false }
}

// an error in the middle of a stream often has no status
function classifyNames(names: readonly string[]): Class {
  const name = names.join(' ')
  if (/rate_?limit/i.test(name)) return { code: 'llm_rate_limited', retryable: true }
  if (/authentication|invalid_api_key|permission/i.test(name)) return { code: 'llm_unauthorized', retryable: false }
  if (/invalid_request|badrequest|not_found/i.test(name)) return { code: 'llm_rejected', retryable: false }
  return { code: 'llm_error', retryable: true }
}

/** What the SDK throws for an error status, taken apart again; null for anything else it throws. */
export function statusAnswerOf(
  thrown: unknown,
): { readonly status: number; readonly error: ServerError; readonly header: HeaderReader } | null {
  const { status, error, message, headers } = fieldsOf(thrown)
  if (typeof status !== 'number') return null
  // without a JSON body the SDK's message is the status, then the text
  const body = error ?? (textOf(message) ?? '').replace(/^\d{3} (?:status code \(no body\))?/, '')
  const header: HeaderReader = (name) => (headers instanceof Headers ? headers.get(name) : null)
  return { status, error: readServerError(body), header }
}
