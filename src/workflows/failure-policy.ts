import type { Failure } from '../errors.ts'

/** What limits the tries of one step. */
export interface TryLimits {
  /** Tries after the first, within one start. */
  readonly maxRetries: number
  /** Starts after a `task_timeout`. */
  readonly maxRestarts: number
  /** Time that one start may take. */
  readonly timeoutMs: number
}

/** How far a step has come in its current start. */
export interface TryCount {
  readonly triesUsed: number
  readonly timeUsedMs: number
  readonly restarts: number
}

export type Verdict =
  /** Another try of the same start. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** A new start, with tries and time of its own. */
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'fail' }

/**
 * What happens after a failed try, decided here and nowhere else. `delayMs` is the wait that the next try would need.
 * A wait that outlasts the start's time is a timeout; one that outlasts any start's time is not worth another.
 */
export function judgeFailure(
  failure: Failure,
  count: TryCount,
  rules: TryLimits & { readonly delayMs: number },
): Verdict {
  const { delayMs, maxRestarts, maxRetries, timeoutMs } = rules
  const mayRestart = count.restarts < maxRestarts
  // A start that used up its time is not spaced from the next: the wait of a failed call says nothing here.
  if (failure.code === 'task_timeout') return mayRestart ? { kind: 'restart', delayMs: 0 } : { kind: 'fail' }
  // A defect would only be paid for again; a resume, once somebody has looked, may help.
  if (!failure.retryable || failure.code === 'internal') return { kind: 'fail' }
  // The breaker closed its door between admission and call: no call was made, so no try was used.
  if (failure.code === 'circuit_open') return { kind: 'retry', delayMs: 0 }
  if (count.triesUsed >= maxRetries) return { kind: 'fail' }
  if (count.timeUsedMs + delayMs < timeoutMs) return { kind: 'retry', delayMs }
  return mayRestart && delayMs < timeoutMs ? { kind: 'restart', delayMs } : { kind: 'fail' }
}
