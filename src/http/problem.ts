import type { AppErrorDetails, ErrorCode, InputFault, RequestErrorCode } from '../errors.ts'
import { AppError } from '../errors.ts'

/** Name of a problem: the last part of its `type`, and its page under `/problems`. */
export type ProblemName = RequestErrorCode | 'internal'

/** RFC 9457, with what this service adds. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly correlation_id: string
  readonly errors?: readonly InputFault[]
  /** Status of the workflow, and of the step, that forbids it. */
  readonly workflow_status?: string
  readonly step_status?: string
}

const statusOf = {
  'invalid-request': 400,
  'invalid-cursor': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  conflict: 409,
  'payload-too-large': 413,
  'range-not-satisfiable': 416,
  'unsupported-media-type': 415,
  'invalid-workflow': 422,
  'idempotency-key-reused': 422,
  'rate-limited': 429,
  'queue-full': 429,
  overloaded: 503,
  draining: 503,
  unavailable: 503,
  llm_unreachable: 500,
  llm_timeout: 500,
  llm_rejected: 500,
  llm_unauthorized: 500,
  llm_rate_limited: 500,
  llm_error: 500,
  llm_truncated: 500,
  quota_exhausted: 500,
  circuit_open: 500,
  context_overflow: 500,
  content_filtered: 500,
  empty_output: 500,
  output_limit: 500,
  response_too_large: 500,
  task_timeout: 500,
  budget_exhausted: 500,
  rejected: 500,
  approval_expired: 500,
  worker_lost: 500,
  shutdown: 500,
  internal: 500,
} as const satisfies Record<ErrorCode, number>

/** The short human names. */
export const problemTitles: Readonly<Record<ProblemName, string>> = {
  'invalid-request': 'The request is not valid',
  'invalid-cursor': 'The cursor is not valid',
  unauthorized: 'A valid key is needed',
  forbidden: 'The key does not allow this',
  'not-found': 'There is no such thing',
  'method-not-allowed': 'The method is not allowed here',
  'not-acceptable': 'No acceptable form of the answer',
  conflict: 'The state does not allow this',
  'payload-too-large': 'The request is too large',
  'range-not-satisfiable': 'The range is outside of the file',
  'unsupported-media-type': 'The content type is not supported',
  'invalid-workflow': 'The workflow cannot be done as a whole',
  'idempotency-key-reused': 'The idempotency key was used for something else',
  'rate-limited': 'Too many requests',
  'queue-full': 'Too many workflows wait',
  overloaded: 'The service is overloaded',
  draining: 'The service is shutting down',
  unavailable: 'The service is not available yet',
  internal: 'Something went wrong in the service',
}

const defaultRetryAfterMs: Partial<Record<ProblemName, number>> = {
  'rate-limited': 5000,
  'queue-full': 5000,
  overloaded: 2000,
  draining: 5000,
  unavailable: 2000,
}

function isProblemName(code: ErrorCode): code is ProblemName {
  return Object.hasOwn(problemTitles, code)
}

/** The HTTP status of an error code. */
export function statusOfCode(code: ErrorCode): number {
  return statusOf[code]
}

/** Shown to a client instead of anything that was not written for him. */
const internalError = new AppError(
  'internal',
  'The service hit an error of its own; the correlation id finds it in the log.',
)

const fastifyCodes: Readonly<Record<string, readonly [RequestErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload-too-large', 'The body is larger than this service takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'The body has to be sent as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid-request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['not-found', 'There is nothing under this path: it cannot be decoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'There is nothing under this path.'],
  FST_ERR_NOT_FOUND: ['not-found', 'There is nothing under this path.'],
}

/** Any error as one that may be shown. `internal` is what nobody foresaw; the caller logs the original. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return isProblemName(error.code) ? error : internalError
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown }
  const known = typeof code === 'string' ? fastifyCodes[code] : undefined
  if (known) return new AppError(known[0], known[1])
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('invalid-request', 'The request could not be read.')
  }
  return internalError
}

/** The body for an error; `request` supplies what belongs to the occurrence. */
export function problemOf(
  error: AppError,
  request: { readonly path: string; readonly correlationId: string },
): Problem {
  const name = isProblemName(error.code) ? error.code : 'internal'
  const { faults, state } = error.details
  return {
    type: `/problems/${name}`,
    title: problemTitles[name],
    status: statusOf[error.code],
    detail: error.message,
    instance: request.path,
    correlation_id: request.correlationId,
    ...(faults && faults.length > 0 ? { errors: faults } : {}),
    ...(state ? { workflow_status: state.status } : {}),
    ...(state?.step_status === undefined ? {} : { step_status: state.step_status }),
  }
}

/** `Retry-After`, `Allow` and `WWW-Authenticate`, where the error calls for them. */
export function problemHeaders(error: AppError): Record<string, string> {
  const { retryAfterMs, allow }: AppErrorDetails = error.details
  const waitMs = retryAfterMs ?? (isProblemName(error.code) ? defaultRetryAfterMs[error.code] : undefined)
  return {
    ...(waitMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) }),
    ...(allow ? { allow: allow.join(', ') } : {}),
    ...(error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
  }
}
