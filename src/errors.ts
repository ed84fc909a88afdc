/** Why a request was refused; `http/problem.ts` gives each its status and its page under `/problems`. */
export type RequestErrorCode =
  | 'invalid-request'
  | 'invalid-cursor'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'conflict'
  | 'payload-too-large'
  | 'range-not-satisfiable'
  | 'unsupported-media-type'
  | 'invalid-workflow'
  | 'idempotency-key-reused'
  | 'rate-limited'
  | 'queue-full'
  | 'overloaded'
  | 'draining'
  | 'unavailable'

/** Why a step failed: the closed list of the contract. `internal` also stands for a request that hit a defect. */
export const failureCodes = [
  'llm_unreachable',
  'llm_timeout',
  'llm_rejected',
  'llm_unauthorized',
  'llm_rate_limited',
  'llm_error',
  'llm_truncated',
  'quota_exhausted',
  'circuit_open',
  'context_overflow',
  'content_filtered',
  'empty_output',
  'output_limit',
  'response_too_large',
  'task_timeout',
  'budget_exhausted',
  'rejected',
  'approval_expired',
  'worker_lost',
  'shutdown',
  'internal',
] as const

export type FailureCode = (typeof failureCodes)[number]

export type ErrorCode = RequestErrorCode | FailureCode

/** One fault of the input: `pointer` is an RFC 6901 JSON pointer into the body, or the name of a parameter or header. */
export interface InputFault {
  readonly pointer: string
  readonly detail: string
}

/** What a client may be told besides code and message. */
export interface AppErrorDetails {
  /** Where the input is at fault. */
  readonly faults?: readonly InputFault[]
  /** After how long the same request may succeed. */
  readonly retryAfterMs?: number
  /** State of the workflow (and the step) that forbids it, for `conflict`. */
  readonly state?: { readonly status: string; readonly step_status?: string }
  /** Methods that the resource has, for `method-not-allowed`. */
  readonly allow?: readonly string[]
  /** Of a failed model call: may the same be tried again, which endpoint, what HTTP status it gave. */
  readonly retryable?: boolean
  readonly endpoint?: string
  readonly status?: number
  /** Name of the budget that is spent, of `budget_exhausted`. */
  readonly budget?: string
  /** Of a failed model call that used up no try: the server is not ready yet. */
  readonly uncounted?: true
  /** Of a failed model call whose prompt was too long, or seems to have been: what the server told in tokens. */
  readonly overflow?: { readonly promptTokens: number | null; readonly window: number | null }
}

/** The only exception that crosses a folder. `message` is written for the client: no stack, SQL, path or key. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: AppErrorDetails

  constructor(code: ErrorCode, message: string, details: AppErrorDetails & { readonly cause?: unknown } = {}) {
    const { cause, ...rest } = details
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AppError'
    this.code = code
    this.details = rest
  }
}

/** The same shape in step, workflow and event. `retryable` says whether a resume may help. */
export interface Failure {
  readonly code: FailureCode
  readonly message: string
  readonly retryable: boolean
  readonly attempts?: number
  readonly endpoint?: string
  /** HTTP status that the model server answered with. */
  readonly status?: number
  readonly budget?: string
}
