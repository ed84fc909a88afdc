import type { EndpointOptions, LlmClient, LlmClientOptions } from '../../../src/llm/llm-client.ts'
import { createLlmClient } from '../../../src/llm/llm-client.ts'
import type { Candidates, LlmEvent, Target } from '../../../src/llm/model.ts'
import type { Behaviour } from '../../support/fault-answers.ts'
import { type ModelServerDouble, startModelServer } from '../../support/fault-server.ts'
import { admitted, collect, endpointOf, neverAborted, optionsFor, type Outcome, plainRequest } from '../llm-fixture.ts'
import type { WatchedClock } from '../watched-clock.ts'
import type { Backstage } from './fault-case.ts'

/** Two servers, A before B unless told otherwise, and a client that knows both. */
export interface Pair {
  readonly a: ModelServerDouble
  readonly b: ModelServerDouble
  readonly clock: WatchedClock
  readonly client: LlmClient
  readonly told: readonly LlmEvent[]
  /** Where a call may go now. */
  readonly targets: () => Promise<readonly Target[]>
  /** One call at the best of the candidates, which must be there; by default of all targets. */
  readonly call: (candidates?: Candidates) => Promise<Outcome & { readonly endpoint: string }>
}

export interface PairOptions {
  readonly a?: Partial<EndpointOptions>
  readonly b?: Partial<EndpointOptions>
  readonly client?: Partial<LlmClientOptions>
}

/** Opens both, until the end of the scene. */
export async function openPair({ clock, atEnd }: Backstage, options: PairOptions = {}): Promise<Pair> {
  const [a, b] = [await startModelServer(), await startModelServer()]
  const endpoints = [
    endpointOf({ name: 'a', baseUrl: a.url, order: 1, ...options.a }),
    endpointOf({ name: 'b', baseUrl: b.url, order: 2, ...options.b }),
  ]
  const told: LlmEvent[] = []
  const observe = (event: LlmEvent): unknown => told.push(event)
  const breaker = { threshold: 2, openMs: 60_000, halfOpen: 1 }
  const limits = { idleTimeoutMs: 60_000, callTimeoutMs: 300_000 }
  const settings = optionsFor('', { endpoints, breaker, ...limits, ...options.client })
  const client = createLlmClient(settings, { clock, observe })
  atEnd(async () => {
    await client.close()
    await a.close()
    await b.close()
  })
  await client.check()
  const targets = () => client.targets(null, neverAborted)
  const call: Pair['call'] = async (candidates) => {
    const permit = admitted(client.admit(candidates ?? { targets: await targets(), isRetry: false }))
    const { target } = permit
    try {
      return {
        ...(await collect(client.stream({ ...plainRequest, target, permit }, neverAborted))),
        endpoint: target.endpoint,
      }
    } finally {
      permit.release()
    }
  }
  return { a, b, clock, client, told, targets, call }
}

/** From now on the server answers only so. */
export function answers(server: ModelServerDouble, behaviour: Behaviour): void {
  server.answerWith(() => behaviour)
}

/** Endpoints in the order in which they are to be tried. */
export async function orderOf({ targets }: Pair): Promise<string> {
  return (await targets()).map(({ endpoint }) => endpoint).join('')
}
