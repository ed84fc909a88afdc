import type { Clock } from './clock.ts'
import { createRetryBudget } from './retry-budget.ts'

/** How much one endpoint may be used. */
export interface EndpointLimits {
  readonly name: string
  /** Lower ones are used first; equal ones share the load. */
  readonly order: number
  /** Most answers made at once; 0: no limit. */
  readonly maxInFlight: number
}

/** What one endpoint has to do. */
export interface EndpointLoad extends EndpointLimits {
  isFull(): boolean
  /** How full it is, to compare endpoints by: a share of its limit, or a number of answers where it has none. */
  level(): number
  /** An answer is to be made; the result ends it, once. */
  enter(isRetry: boolean): () => void
  /** A call is made. */
  countCall(): void
  /** Milliseconds until a call that repeats a failed one may be made, 0 for now. */
  retryInMs(): number
}

/** Without anything to do. */
export function createEndpointLoad(
  limits: EndpointLimits,
  { clock, retryBudgetPercent }: { readonly clock: Clock; readonly retryBudgetPercent: number },
): EndpointLoad {
  const { maxInFlight } = limits
  const retries = createRetryBudget(retryBudgetPercent, { clock })
  let answers = 0
  return {
    ...limits,
    isFull: () => maxInFlight > 0 && answers >= maxInFlight,
    level: () => answers / (maxInFlight || 1),
    enter: (isRetry) => {
      answers += 1
      if (isRetry) retries.spend()
      let inside = true
      return () => {
        if (inside) answers -= 1
        inside = false
      }
    },
    countCall: retries.countCall,
    retryInMs: retries.waitMs,
  }
}
