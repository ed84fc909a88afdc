import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Endpoint, UpstreamClient } from './upstream-client.ts'

/** `fault`: the service failed; `failure`: the call did, but not by a fault of the service; `none`: it does not count. */
type LoanResult = 'success' | 'failure' | 'fault' | 'none'

/** A pooled client, for one call. */
export interface Loan {
  readonly client: UpstreamClient
  /** Once, when the call has ended. */
  end(result: LoanResult): void
}

/** Figures of one endpoint since the start. */
interface PoolFigures {
  /** Clients that hold or may hold connections. */
  readonly clients: number
  readonly requests: number
  readonly successes: number
  readonly failures: number
  readonly inFlight: number
}

/** The client of one endpoint. One that fails often or is old is replaced; its calls end in peace. */
export interface ClientPool {
  /** Counted as a request unless it is only a look at the server. */
  borrow(purpose: 'request' | 'look'): Loan
  figures(): PoolFigures
  /** Cuts what is still running. */
  destroy(): Promise<void>
}

const recentMs = 5 * 60 * 1000
const mostRecentFaults = 5
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
  const counts = { requests: 0, successes: 0, failures: 0, inFlight: 0 }
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

  const count = (result: LoanResult): void => {
    if (result === 'success') counts.successes += 1
    if (result === 'failure' || result === 'fault') counts.failures += 1
  }

  return {
    borrow: (purpose) => {
      const pooled = renewed()
      const weight = purpose === 'request' ? 1 : 0
      pooled.inFlight += 1
      counts.requests += weight
      counts.inFlight += weight
      return {
        client: pooled.client,
        end: (result) => {
          pooled.inFlight -= 1
          counts.inFlight -= weight
          count(result)
          if (result === 'fault') pooled.faults = [...pooled.faults.slice(-mostRecentFaults), clock.now()]
          closeWhenIdle(pooled)
        },
      }
    },
    figures: () => ({ clients: retired.size + 1, ...counts }),
    destroy: async () => {
      await Promise.all([...retired, current].map(({ client }) => client.destroy()))
    },
  }
}

/** Names the pool of an endpoint without telling its key. */
export function poolKey({ baseUrl, apiKey }: Endpoint): string {
  return createHash('sha256').update(`${baseUrl}\n${apiKey}`).digest('hex')
}
