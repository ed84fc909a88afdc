import { AppError } from '../errors.ts'
import type { Failure, FailureCode } from '../errors.ts'

const failureCodes = new Set<string>([
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
] satisfies FailureCode[])

/** What a step's failure looks like to a client; anything that is not a known failure is a defect, and says nothing. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof AppError) || !failureCodes.has(error.code)) {
    return {
      code: 'internal',
      message: 'The step failed by a defect of the service; its log says more.',
      retryable: true,
    }
  }
  const { retryable = false, endpoint, status } = error.details
  return {
    code: error.code as FailureCode,
    message: error.message,
    retryable,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(status === undefined ? {} : { status }),
  }
}
