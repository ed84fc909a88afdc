import { test as base } from 'vitest'
import type { AppError } from '../../src/errors.ts'
import {
  createLlmClient,
  type EndpointOptions,
  type LlmClient,
  type LlmClientOptions,
} from '../../src/llm/llm-client.ts'
import type { Candidates, LlmEvent, ModelEvent, ModelRequest, NoPermit, Permit, Target } from '../../src/llm/model.ts'
import { type ModelServerDouble, type ModelServerOptions, startModelServer } from '../support/fault-server.ts'

/** What a call came to. */
export interface Outcome {
  readonly events: readonly ModelEvent[]
  readonly text: string
  readonly failure: AppError | null
}

/** One server, one client on it, and what the client told. */
export interface Bench {
  readonly server: ModelServerDouble
  readonly client: LlmClient
  readonly told: LlmEvent[]
  readonly call: (request?: Partial<ModelRequest>, signal?: AbortSignal) => Promise<Outcome>
  readonly ends: () => readonly Extract<LlmEvent, { type: 'llm.call_ended' }>[]
}

export const neverAborted = new AbortController().signal

/** The only endpoint of a configuration that names none, with changes. */
export function endpointOf(changes: Partial<EndpointOptions>): EndpointOptions {
  const { name = 'default', baseUrl = 'http://127.0.0.1:9/v1', apiKey = 'canary-key-123' } = changes
  return { name, baseUrl, apiKey, models: [], order: 0, maxInFlight: 0, ...changes }
}

/** Options with generous deadlines. */
export function optionsFor(baseUrl: string, changes: Partial<LlmClientOptions> = {}): LlmClientOptions {
  return {
    endpoints: [endpointOf({ baseUrl })],
    defaultModel: 'test-model',
    contextWindow: null,
    connectTimeoutMs: 5_000,
    firstTokenTimeoutMs: 0,
    idleTimeoutMs: 10_000,
    callTimeoutMs: 20_000,
    maxResponseBytes: 1_000_000,
    breaker: { threshold: 50, openMs: 60_000, halfOpen: 3 },
    retryBudgetPercent: 20,
    ...changes,
  }
}

/** The model of most tests, of which nothing is known, with changes. */
export function targetOf(changes: Partial<Target> = {}): Target {
  return { endpoint: 'default', model: 'test-model', contextWindow: null, tokenRatio: 1, ...changes }
}

/** The permit that must have been given. */
export function admitted(permit: Permit | NoPermit): Permit {
  if (typeof permit === 'string') throw new Error(`No permit was given: ${permit}.`)
  return permit
}

/** A first try at one of these. */
export function firstTry(...targets: readonly Target[]): Candidates {
  return { targets, isRetry: false }
}

/** A further try at one of these. */
export function nextTry(...targets: readonly Target[]): Candidates {
  return { targets, isRetry: true }
}

export const plainRequest: ModelRequest = {
  target: targetOf(),
  messages: [{ role: 'user', content: 'Say something.' }],
  inputTokens: 9,
  temperature: 0.7,
  maxTokens: 100,
  stream: true,
}

/** Whether a wait is over. */
export function watch(wait: Promise<unknown>): { over: boolean } {
  const seen = { over: false }
  const follow = async (): Promise<void> => {
    await wait
    seen.over = true
  }
  void follow()
  return seen
}

/** Resolves when everything has happened that needs no time and no network. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Reads a stream to its end, whatever that is. */
export async function collect(stream: AsyncIterable<ModelEvent>): Promise<Outcome> {
  const events: ModelEvent[] = []
  let failure: AppError | null = null
  try {
    for await (const event of stream) events.push(event)
  } catch (error) {
    failure = error as AppError
  }
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('')
  return { events, text, failure }
}

export const test = base.extend<{
  openBench: (server?: ModelServerOptions, changes?: Partial<LlmClientOptions>) => Promise<Bench>
}>({
  // eslint-disable-next-line no-empty-pattern
  openBench: async ({}, use) => {
    const opened: Bench[] = []
    await use(async (serverOptions, changes) => {
      const server = await startModelServer(serverOptions)
      const told: LlmEvent[] = []
      const client = createLlmClient(optionsFor(server.url, changes), { observe: (event) => told.push(event) })
      const bench: Bench = {
        server,
        client,
        told,
        call: (request = {}, signal = neverAborted) => collect(client.stream({ ...plainRequest, ...request }, signal)),
        ends: () => told.filter((event) => event.type === 'llm.call_ended'),
      }
      opened.push(bench)
      return bench
    })
    for (const { client, server } of opened) {
      await client.close()
      await server.close()
    }
  },
})
