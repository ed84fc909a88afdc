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

/** What can still be done within the same try. */
export interface Alternatives {
  /** Another endpoint can be asked now. */
  readonly endpoint: boolean
  /** What helps against a prompt that is too long; null when it was not, or when that has been done. */
  readonly repair: 'other_model' | 'shorter_prompt' | null
  /** The server is only not ready yet. */
  readonly wait: boolean
}

export interface TryRules extends TryLimits {
  /** The wait that the next try would need. */
  readonly delayMs: number
  readonly alternatives: Alternatives
  /** A failure of this try, at another endpoint, that another try may help with. */
  readonly earlier: Failure | null
}

export type Verdict =
  /** Another try of the same start; with `counts` false the same one, which has not really been made. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly counts: boolean }
  /** The same try goes on elsewhere or otherwise, at once. */
  | { readonly kind: 'next_endpoint' | 'other_model' | 'shorter_prompt' }
  /** A new start, with tries and time of its own. */
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'fail'; readonly failure: Failure }

/**
 * What happens after a failed attempt, decided here and nowhere else. A try is one pass down the list of endpoints: only
 * when that is through, it is judged as a whole. A wait that outlasts the start's time is a timeout; one that outlasts any
 * start's time is not worth another.
 */
export function judgeFailure(failure: Failure, count: TryCount, rules: TryRules): Verdict {
  const mayRestart = count.restarts < rules.maxRestarts
  // A start that used up its time is not spaced from the next: the wait of a failed call says nothing here.
  if (failure.code === 'task_timeout') return mayRestart ? { kind: 'restart', delayMs: 0 } : { kind: 'fail', failure }
  // A defect would only be paid for again, and a budget is raised by a person: a resume may help, a try does not.
  if (failure.code === 'internal' || failure.code === 'budget_exhausted') return { kind: 'fail', failure }
  // The breaker closed its door between admission and call: no call was made, so no try was used.
  if (failure.code === 'circuit_open') return { kind: 'retry', delayMs: 0, counts: false }
  const { alternatives, delayMs } = rules
  if (alternatives.repair !== null) return { kind: alternatives.repair }
  if (alternatives.endpoint && anotherMayDoBetter(failure)) return { kind: 'next_endpoint' }
  if (alternatives.wait) return { kind: 'retry', delayMs, counts: false }
  return judgeTry(failure.retryable ? failure : (rules.earlier ?? failure), count, rules)
}

function judgeTry(failure: Failure, count: TryCount, rules: TryRules): Verdict {
  const { delayMs, maxRestarts, maxRetries, timeoutMs } = rules
  const fail = { kind: 'fail', failure } as const
  if (!failure.retryable || count.triesUsed >= maxRetries) return fail
  if (count.timeUsedMs + delayMs < timeoutMs) return { kind: 'retry', delayMs, counts: true }
  return count.restarts < maxRestarts && delayMs < timeoutMs ? { kind: 'restart', delayMs } : fail
}

/** Not what is wrong with the request itself: that would be wrong everywhere. */
function anotherMayDoBetter({ code, retryable, status }: Failure): boolean {
  if (code === 'llm_rejected') return status === 404
  return retryable || code === 'llm_unauthorized' || code === 'quota_exhausted' || code === 'llm_unreachable'
}
