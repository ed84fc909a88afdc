import { createClientPool } from '../../src/llm/client-pool.ts'
import type { EndpointLimits } from '../../src/llm/endpoint-load.ts'
import { callFailure } from '../../src/llm/failures.ts'
import { createModelServer, type ModelServer } from '../../src/llm/model-server.ts'
import type { UpstreamClient } from '../../src/llm/upstream-client.ts'
import { createHandClock, type HandClock } from '../support/hand-clock.ts'

/** What a server without a network is and says. */
export interface FakeServerOptions extends Partial<EndpointLimits> {
  /** What the operator says that it serves. */
  readonly models?: readonly string[]
  /** Ids, or whole rows, of what it lists; `silence`: it never answers; `refused`: it cannot be reached. */
  readonly lists: readonly (string | Readonly<Record<string, unknown>>)[] | 'silence' | 'refused'
}

/** A model server whose answers need no network. */
export function createFakeServer(options: FakeServerOptions, clock: HandClock = createHandClock()): ModelServer {
  const { name = 'a', order = 0, maxInFlight = 0, models = [] } = options
  const failures = { endpoint: name, scrub: (text: string) => text }
  const pool = createClientPool(() => clientThatLists(options.lists), { clock }).share()
  return createModelServer({ name, order, maxInFlight, models }, { pool, failures, clock, observe: () => {} })
}

function clientThatLists(lists: FakeServerOptions['lists']): UpstreamClient {
  return {
    chat: () => Promise.reject(new Error('It makes no answers.')),
    get: async (path, { signal }) => {
      if (lists === 'silence') {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      }
      if (lists === 'refused' || lists === 'silence' || path !== 'models') {
        throw callFailure('llm_unreachable', 'The model server refuses connections.', { retryable: true })
      }
      return { data: lists.map((row) => (typeof row === 'string' ? { id: row } : row)) }
    },
    close: async () => {},
    destroy: async () => {},
  }
}
