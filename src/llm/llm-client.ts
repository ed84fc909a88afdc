import { AppError } from '../errors.ts'
import { type AdmissionOptions, createAdmission } from './admission.ts'
import { createCaller, type CallerOptions } from './caller.ts'
import { type ClientPool, createClientPool, poolKey } from './client-pool.ts'
import { type Clock, createSystemClock } from './clock.ts'
import type { EndpointLimits } from './endpoint-load.ts'
import type { FailureContext } from './failures.ts'
import { createHeed } from './heed.ts'
import { createLateUpstreamClient } from './late-upstream-client.ts'
import { createModelServer, type ModelServer } from './model-server.ts'
import type { LlmEvent, LlmStatus, Model } from './model.ts'
import { createScrub } from './scrub.ts'
import { urlSecrets } from './url-secrets.ts'
import { createSuccessRate } from './success-rate.ts'
import { defaultModels, findTargets, type TargetOptions } from './targets.ts'
import type { Endpoint } from './upstream-client.ts'

/** A model server, and how it may be used. */
export interface EndpointOptions extends Endpoint, EndpointLimits {
  /** Models that it serves; empty: whatever it lists. */
  readonly models: readonly string[]
}

/** Settings of the model client; times in milliseconds. */
export interface LlmClientOptions extends TargetOptions, CallerOptions, AdmissionOptions {
  /** At least one. */
  readonly endpoints: readonly EndpointOptions[]
  readonly connectTimeoutMs: number
}

export interface LlmClientParts {
  /** Told synchronously; must not throw. */
  readonly observe: (event: LlmEvent) => void
  readonly clock?: Clock
  /** The servers are not asked before this resolves; default at once. */
  readonly askAfter?: Promise<void>
}

/** The model servers, behind the port, with what the process needs beside it. */
export interface LlmClient extends Model {
  /** Every model that can be asked for; null while a server has not told what it serves. */
  listedModels(): readonly string[] | null
  /** Models that are asked where nobody names one, as far as that is known. */
  defaultModels(): readonly string[]
  status(): LlmStatus
  /** Asks every server now whether it is there and what it serves. Never rejects. */
  check(): Promise<void>
  /** Aborts every call (`shutdown`) and closes every connection. */
  close(): Promise<void>
}

function listedModels(servers: readonly ModelServer[]): readonly string[] | null {
  const lists = servers.map((server) => server.models())
  return lists.some((models) => models.length === 0) ? null : [...new Set(lists.flat())]
}

const checkEveryMs = 5 * 60 * 1000

/** Starts the client: the servers are asked, without waiting for them, and then every 5 minutes. */
export function createLlmClient(options: LlmClientOptions, parts: LlmClientParts): LlmClient {
  const { observe, clock = createSystemClock(), askAfter } = parts
  const successRate = createSuccessRate({ clock })
  const pools = new Map<string, ClientPool>()
  const servers = options.endpoints.map((endpoint) => createServer(endpoint, { options, pools, clock, observe }))
  const serverOf = (name: string): ModelServer => {
    const server = servers.find((one) => one.name === name)
    if (server === undefined) throw new AppError('internal', `There is no model server "${name}".`)
    return server
  }
  if (servers.length === 0) throw new AppError('internal', 'The model client needs an endpoint.')
  const isAvoided = (name: string): boolean => serverOf(name).isAvoided()
  const admission = createAdmission(options, { clock, observe, isAvoided })
  const heed = createHeed({ clock, admission, serverOf })
  const count = (success: boolean): void => successRate.count(success)
  const caller = createCaller(options, { clock, observe, admission, heed, serverOf, count })

  const check = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.check()))
  }
  let cancelTimer: (() => void) | null = null
  let closed = false
  const round = (): void => {
    cancelTimer = clock.after(checkEveryMs, round)
    admission.sweep()
    void check()
  }
  if (askAfter === undefined) round()
  else void askAfter.then(() => (closed ? undefined : round()))

  return {
    targets: (wanted, signal) => findTargets(wanted, options, { servers, clock, signal }),
    admit: admission.admit,
    whenReady: admission.whenReady,
    readyInMs: admission.readyInMs,
    refusal: admission.refusal,
    listedModels: () => listedModels(servers),
    defaultModels: () => defaultModels(servers, options),
    stream: caller.stream,
    check,
    status: () => ({
      activeClients: sum([...pools.values()].map((pool) => pool.clients())),
      requestCount: sum(servers.map(({ pool }) => pool.figures().requests)),
      successRate: successRate.rate(),
      endpoints: servers.map(statusOf),
      breakers: admission.breakers(),
    }),
    close: async () => {
      closed = true
      cancelTimer?.()
      admission.close()
      heed.close()
      caller.abortAll()
      const closing = servers.map((server) => server.close())
      await Promise.all([...closing, ...[...pools.values()].map((pool) => pool.destroy())])
    },
  }
}

function createServer(
  endpoint: EndpointOptions,
  parts: {
    readonly options: LlmClientOptions
    readonly pools: Map<string, ClientPool>
    readonly clock: Clock
    readonly observe: (event: LlmEvent) => void
  },
): ModelServer {
  const { options, pools, clock, observe } = parts
  const secrets = [endpoint.apiKey, ...urlSecrets(endpoint.baseUrl)]
  const failures: FailureContext = { endpoint: endpoint.name, scrub: createScrub(secrets) }
  const key = poolKey(endpoint)
  const create = () => createLateUpstreamClient(endpoint, { connectTimeoutMs: options.connectTimeoutMs })
  const pool = pools.get(key) ?? createClientPool(create, { clock })
  pools.set(key, pool)
  return createModelServer(endpoint, { pool: pool.share(), failures, clock, observe })
}

function statusOf(server: ModelServer): LlmStatus['endpoints'][number] {
  const survey = server.survey()
  return {
    name: server.name,
    ...server.pool.figures(),
    reachable: survey?.ok ?? null,
    detail: survey?.detail ?? 'It has not been asked yet.',
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
