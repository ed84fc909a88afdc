import { AppError, failureCodes } from '../errors.ts'
import type { Failure, FailureCode } from '../errors.ts'

/** What a step's failure looks like to a client; anything that is not a known failure is a defect, and says nothing. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof AppError) || !isFailureCode(error.code) || error.code === 'internal') {
    return {
      code: 'internal',
      message: 'The step failed by a defect of the service; its log says more.',
      retryable: true,
    }
  }
  const { retryable = false, endpoint, status, budget } = error.details
  return {
    code: error.code,
    message: error.message,
    retryable,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(status === undefined ? {} : { status }),
    ...(budget === undefined ? {} : { budget }),
  }
}

function isFailureCode(code: string): code is FailureCode {
  return failureCodes.some((known) => known === code)
}
