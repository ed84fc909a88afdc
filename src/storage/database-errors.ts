import { AppError } from '../errors.ts'

const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

// Statement and lock timeouts, a standby that cannot be written to.
const passingStates = new Set(['57014', '55P03', '25006'])

// pg gives these without a code.
const passingMessages = [
  'connection terminated',
  'timeout exceeded when trying to connect',
  'query read timeout',
  'client has encountered a connection error',
  'cannot use a pool after calling end on the pool',
  'client was closed',
]

/** SQLSTATE or system code of an error of a driver; empty when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** True for a transaction that lost against another one and may simply be run again. */
function isTransactionConflict(error: unknown): boolean {
  const code = codeOf(error)
  return code === '40P01' || code === '40001'
}

/** True when the database is away, too busy, or shutting down: the same statement may succeed later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'unavailable'
  const code = codeOf(error)
  if (socketCodes.has(code) || passingStates.has(code)) return true
  if (/^(08|53|57P|25P03|25P04)/.test(code)) return true
  const message = error instanceof Error ? error.message.toLowerCase() : ''
  return passingMessages.some((part) => message.includes(part))
}

/** True when the connection itself is of no more use, rather than the statement. */
export function isConnectionLost(error: unknown): error is Error {
  if (!isPassing(error)) return false
  const code = codeOf(error)
  return !passingStates.has(code) && !code.startsWith('53')
}

/** `unavailable`, with a second to wait. */
export function unavailable(message = 'The database cannot be reached.', cause?: unknown): AppError {
  return new AppError('unavailable', message, { retryAfterMs: 1000, cause })
}

/** Turns an error that passes by itself into `unavailable`; any other stays the driver's own. */
function mapPassing(error: unknown): unknown {
  if (error instanceof AppError) return error
  return isPassing(error) ? unavailable(undefined, error) : error
}

/** Runs `work` for a caller outside this folder: every exception becomes an `AppError`, `internal` when it is a defect. */
export async function withAppErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const mapped = mapPassing(error)
    if (mapped instanceof AppError) throw mapped
    throw new AppError('internal', 'The database refused a statement.', { cause: error })
  }
}

/**
 * Runs `work`, and again when it lost against another transaction or `mayRepeat` says so; three more times at most.
 * What passes by itself becomes `unavailable`, any other error stays the driver's own.
 */
export async function withConflictRetries<T>(
  work: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await work()
    } catch (error) {
      if (retries === 3 || !(isTransactionConflict(error) || mayRepeat(error))) throw mapPassing(error)
    }
  }
}
