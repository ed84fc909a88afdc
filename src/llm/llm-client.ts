import { AppError } from '../errors.ts'
import { createAdmission } from './admission.ts'
import type { BreakerOptions } from './breaker.ts'
import { createCaller, type CallerOptions } from './caller.ts'
import { type ClientPool, createClientPool, poolKey } from './client-pool.ts'
import { type Clock, createSystemClock } from './clock.ts'
import type { FailureContext } from './failures.ts'
import { createModelServer, type ModelServer } from './model-server.ts'
import type { LlmEvent, LlmStatus, Model } from './model.ts'
import { createScrub } from './scrub.ts'
import { createSuccessRate } from './success-rate.ts'
import { findTarget, type TargetOptions } from './target.ts'
import { createUpstreamClient, type Endpoint } from './upstream-client.ts'

/** Settings of the model client; times in milliseconds. */
export interface LlmClientOptions extends TargetOptions, CallerOptions {
  /** At least one; the first is used. */
  readonly endpoints: readonly Endpoint[]
  readonly connectTimeoutMs: number
  readonly breaker: BreakerOptions
}

export interface LlmClientParts {
  /** Told synchronously; must not throw. */
  readonly observe: (event: LlmEvent) => void
  readonly clock?: Clock
}

/** The model servers, behind the port, with what the process needs beside it. */
export interface LlmClient extends Model {
  /** Every model that can be asked for; null while a server has not told what it serves. */
  listedModels(): readonly string[] | null
  status(): LlmStatus
  /** Asks every server now whether it is there and what it serves. Never rejects. */
  check(): Promise<void>
  /** Aborts every call (`shutdown`) and closes every connection. */
  close(): Promise<void>
}

function listedModels(servers: readonly ModelServer[]): readonly string[] | null {
  const lists = servers.map((server) => server.survey()?.models ?? [])
  return lists.some((models) => models.length === 0) ? null : lists.flat()
}

const checkEveryMs = 5 * 60 * 1000

/** Starts the client: the servers are asked at once, without waiting for them, and then every 5 minutes. */
export function createLlmClient(options: LlmClientOptions, parts: LlmClientParts): LlmClient {
  const { observe, clock = createSystemClock() } = parts
  const admission = createAdmission(options.breaker, { clock, observe })
  const successRate = createSuccessRate({ clock })
  const pools = new Map<string, ClientPool>()
  const servers = options.endpoints.map((endpoint) => createServer(endpoint, { options, pools, clock, observe }))
  const serverOf = (name: string): ModelServer => {
    const server = servers.find((one) => one.name === name)
    if (server === undefined) throw new AppError('internal', `There is no model server "${name}".`)
    return server
  }
  const first = servers[0]
  if (first === undefined) throw new AppError('internal', 'The model client needs an endpoint.')
  const caller = createCaller(options, {
    clock,
    observe,
    admission,
    serverOf,
    count: (success) => successRate.count(success),
  })

  const check = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.check()))
  }
  let cancelTimer: (() => void) | null = null
  const round = (): void => {
    cancelTimer = clock.after(checkEveryMs, round)
    admission.sweep()
    void check()
  }
  round()

  return {
    target: (wanted, signal) => findTarget(wanted, options, { server: first, clock, signal }),
    admit: (target) => admission.admit(target),
    whenReady: (target, signal) => admission.whenReady(target, signal),
    readyInMs: (target) => admission.readyInMs(target),
    refusal: (target) => admission.refusal(target),
    listedModels: () => listedModels(servers),
    stream: caller.stream,
    check,
    status: () => ({
      activeClients: sum([...pools.values()].map((pool) => pool.figures().clients)),
      requestCount: sum([...pools.values()].map((pool) => pool.figures().requests)),
      successRate: successRate.rate(),
      endpoints: servers.map(statusOf),
      breakers: admission.breakers(),
    }),
    close: async () => {
      cancelTimer?.()
      admission.close()
      caller.abortAll()
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

function createServer(
  endpoint: Endpoint,
  parts: {
    readonly options: LlmClientOptions
    readonly pools: Map<string, ClientPool>
    readonly clock: Clock
    readonly observe: (event: LlmEvent) => void
  },
): ModelServer {
  const { options, pools, clock, observe } = parts
  const failures: FailureContext = { endpoint: endpoint.name, scrub: createScrub([endpoint.apiKey]) }
  const key = poolKey(endpoint)
  const create = () => createUpstreamClient(endpoint, { connectTimeoutMs: options.connectTimeoutMs, failures })
  const pool = pools.get(key) ?? createClientPool(create, { clock })
  pools.set(key, pool)
  return createModelServer(endpoint.name, { pool, failures, clock, observe })
}

function statusOf(server: ModelServer): LlmStatus['endpoints'][number] {
  const { inFlight, requests, failures } = server.pool.figures()
  const survey = server.survey()
  return {
    name: server.name,
    inFlight,
    requests,
    failures,
    reachable: survey?.ok ?? null,
    detail: survey?.detail ?? 'It has not been asked yet.',
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
