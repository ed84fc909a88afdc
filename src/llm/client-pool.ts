import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Endpoint, UpstreamClient } from './upstream-client.ts'

/** `fault`: the service failed; `failure`: the call did, but not by a fault of the service; `none`: it does not count. */
type LoanResult = 'success' | 'failure' | 'fault' | 'none'

/** A pooled client, for one call. */
export interface Loan {
  readonly client: UpstreamClient
  /** Once, when the call has ended. `durationMs`: how long a success took. */
  end(result: LoanResult, durationMs?: number): void
}

/** Figures of one endpoint since the start. */
interface PoolFigures {
  readonly requests: number
  readonly successes: number
  readonly failures: number
  readonly inFlight: number
  /** Mean duration of the latest successes; null before any. */
  readonly latencyMs: number | null
}

/** What one endpoint makes of a pool. */
export interface PoolShare {
  /** Counted as a request unless it is only a look at the server. */
  borrow(purpose: 'request' | 'look'): Loan
  figures(): PoolFigures
}

/** The client of all endpoints with one URL and key. One that fails often or is old is replaced; its calls end in peace. */
export interface ClientPool {
  /** For an endpoint, with figures of its own. */
  share(): PoolShare
  /** Clients that hold or may hold connections. */
  clients(): number
  /** Cuts what is still running. */
  destroy(): Promise<void>
}

const recentMs = 5 * 60 * 1000
const mostRecentFaults = 5
const latestSuccesses = 100
const oldestMs = 60 * 60 * 1000

interface Pooled {
  readonly client: UpstreamClient
  readonly since: number
  faults: readonly number[]
  inFlight: number
}

/** A pool of one, renewed by `create`. */
export function createClientPool(create: () => UpstreamClient, { clock }: { readonly clock: Clock }): ClientPool {
  const retired = new Set<Pooled>()
  const start = (): Pooled => ({ client: create(), since: clock.now(), faults: [], inFlight: 0 })
  let current = start()

  const closeWhenIdle = (pooled: Pooled): void => {
    if (pooled === current || pooled.inFlight > 0) return
    retired.delete(pooled)
    pooled.client.close().catch(() => {})
  }

  const isWorn = ({ since, faults }: Pooled): boolean => {
    const now = clock.now()
    return now - since > oldestMs || faults.filter((at) => now - at <= recentMs).length > mostRecentFaults
  }

  const renewed = (): Pooled => {
    if (!isWorn(current)) return current
    const worn = current
    current = start()
    retired.add(worn)
    closeWhenIdle(worn)
    return current
  }

  const borrow = (): Loan => {
    const pooled = renewed()
    pooled.inFlight += 1
    return {
      client: pooled.client,
      end: (result) => {
        pooled.inFlight -= 1
        if (result === 'fault') pooled.faults = [...pooled.faults.slice(-mostRecentFaults), clock.now()]
        closeWhenIdle(pooled)
      },
    }
  }

  return {
    share: () => createShare(borrow),
    clients: () => retired.size + 1,
    destroy: async () => {
      await Promise.all([...retired, current].map(({ client }) => client.destroy()))
    },
  }
}

function createShare(borrow: () => Loan): PoolShare {
  const counts = { requests: 0, successes: 0, failures: 0, inFlight: 0 }
  let durations: readonly number[] = []
  return {
    borrow: (purpose) => {
      const loan = borrow()
      const weight = purpose === 'request' ? 1 : 0
      counts.requests += weight
      counts.inFlight += weight
      return {
        client: loan.client,
        end: (result, durationMs) => {
          loan.end(result)
          counts.inFlight -= weight
          if (result === 'success') counts.successes += 1
          if (result === 'failure' || result === 'fault') counts.failures += 1
          if (durationMs !== undefined) durations = [...durations.slice(1 - latestSuccesses), durationMs]
        },
      }
    },
    figures: () => ({ ...counts, latencyMs: meanOf(durations) }),
  }
}

function meanOf(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((sum, one) => sum + one, 0) / numbers.length
}

/** Names the pool of an endpoint without telling its key. */
export function poolKey({ baseUrl, apiKey }: Endpoint): string {
  return createHash('sha256').update(`${baseUrl}\n${apiKey}`).digest('hex')
}
