import { test as base } from 'vitest'

import { createAgents } from '../../src/agents/create-agents.ts'
import { createRoles } from '../../src/agents/roles.ts'
import { AppError } from '../../src/errors.ts'
import { createLlmClient } from '../../src/llm/llm-client.ts'
import type { EndpointOptions, LlmClient, LlmClientOptions } from '../../src/llm/llm-client.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import { everybody } from '../../src/workflows/principal.ts'
import type { Pricing } from '../../src/workflows/budget-faults.ts'
import { createServices } from '../../src/workflows/create-service.ts'
import { createEngine } from '../../src/workflows/engine.ts'
import type { Engine, EngineOptions, EngineParts } from '../../src/workflows/engine.ts'
import type { CommittedEvent } from '../../src/workflows/events.ts'
import { isUnavailable } from '../../src/workflows/committer.ts'
import { createFarTexts, withFarTexts } from '../../src/workflows/far-texts.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import type { Hints } from '../../src/workflows/hints.ts'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import { loadTemplates } from '../../src/workflows/load-templates.ts'
import type { CustomStep, StartTask, StartWorkflow } from '../../src/workflows/requests.ts'
import type { Caller, WorkflowRef, WorkflowService, WorkflowServices } from '../../src/workflows/service.ts'
import type { WebhookPolicy } from '../../src/workflows/new-webhook.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { openTestStorage } from './database.ts'
import { startModelServer } from './fault-server.ts'
import type { ModelServerDouble } from './fault-server.ts'
import { followEvents } from './followed-events.ts'
import type { FollowedEvents } from './followed-events.ts'

type RunLimits = Pick<
  EngineParts,
  'limits' | 'retryDelayMs' | 'maxWorkerLosses' | 'workflowTimeoutMs' | 'promptRepair' | 'costOf' | 'approvalTimeoutMs'
>

/** What a test wants otherwise; times are short by default. */
export interface EngineBenchOptions {
  readonly engine?: Partial<EngineOptions>
  readonly run?: Partial<RunLimits>
  readonly llm?: Partial<LlmClientOptions>
  readonly agents?: { readonly maxTokens?: number; readonly maxContinuations?: number; readonly stream?: boolean }
  readonly streamReasoning?: boolean
  readonly pricing?: Pricing
  readonly webhooks?: WebhookPolicy
  /** Puts something between the service and its store. */
  readonly store?: (real: WorkflowStore) => WorkflowStore
  readonly queue?: (real: EngineParts['queue']) => EngineParts['queue']
  /** Instead of those of the storage. */
  readonly hints?: Hints
  /** A server that outlives this bench. */
  readonly server?: ModelServerDouble
  readonly storage?: Storage
}

/** One replica: engine and service, joined as the service joins them, on a model server of the test's own. */
export interface EngineBench {
  readonly server: ModelServerDouble
  readonly store: WorkflowStore
  readonly services: WorkflowServices
  /** As whoever asks where nobody has a key. */
  readonly service: WorkflowService
  readonly engine: Engine
  readonly llm: LlmClient
  /** Every event that observers were told of. */
  readonly observed: readonly CommittedEvent[]
  /** Defects that were reported. */
  readonly defects: readonly unknown[]
  start(request?: Partial<StartWorkflow>): Promise<string>
  startTask(role: string, request: StartTask): Promise<WorkflowRef & { readonly kind: 'task' }>
  follow(ref: string | WorkflowRef): Promise<FollowedEvents>
  /** Follows a workflow to its end. */
  toEnd(ref: string | WorkflowRef): Promise<FollowedEvents>
  /** From now on it reaches neither database nor model: to everybody else, the process is dead. */
  kill(): Promise<void>
  close(): Promise<void>
}

export const caller: Caller = { correlationId: 'request-1', traceparent: null, idempotency: null }

/** One step of a custom workflow, from `id` or `id < dependency dependency`. */
export function customStep(line: string, changes: Partial<CustomStep> = {}): CustomStep {
  const [id = '', dependencies = ''] = line.split(' < ')
  const depends_on = dependencies.split(' ').filter((name) => name !== '')
  return { id, role: 'developer', task: `Do ${id}.`, depends_on, ...changes }
}

/** A custom workflow of such steps. */
export function customSteps(...lines: readonly string[]): Pick<StartWorkflow, 'type' | 'steps'> {
  return { type: 'custom', steps: lines.map((line) => customStep(line)) }
}

const runLimits: RunLimits = {
  limits: { maxRetries: 3, maxRestarts: 1, timeoutMs: 20_000 },
  retryDelayMs: () => 1,
  promptRepair: { fallbackModel: null, mayCut: true },
  costOf: () => null,
  approvalTimeoutMs: 60_000,
  maxWorkerLosses: 25,
  workflowTimeoutMs: 0,
}

/** An endpoint of which nothing is known but where it is. */
export function endpointAt(baseUrl: string, changes: Partial<EndpointOptions> = {}): EndpointOptions {
  return { name: 'default', baseUrl, apiKey: 'none', models: [], order: 1, maxInFlight: 0, ...changes }
}

function llmOptions(url: string, changes: Partial<LlmClientOptions> = {}): LlmClientOptions {
  return {
    endpoints: [endpointAt(url)],
    retryBudgetPercent: 100,
    defaultModel: 'test-model',
    contextWindow: 100_000,
    connectTimeoutMs: 5000,
    firstTokenTimeoutMs: 0,
    idleTimeoutMs: 10_000,
    callTimeoutMs: 20_000,
    maxResponseBytes: 1_000_000,
    breaker: { threshold: 1000, openMs: 60_000, halfOpen: 3 },
    ...changes,
  }
}

const agentDefaults = {
  temperature: 0.7,
  maxTokens: 1000,
  stream: true,
  maxContinuations: 2,
  contextTruncation: true,
  perFileLimit: 0,
  maxArtifactBytes: 100_000,
  maxArtifactsPerStep: 50,
}

/** The same methods, which throw `unavailable` once `isDead`. */
function mortal<T extends object>(methods: T, isDead: () => boolean): T {
  const refuse = (): never => {
    throw new AppError('unavailable', 'The process is dead.')
  }
  return new Proxy(methods, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...values: unknown[]) => Promise<unknown>
      return async (...values: unknown[]) => {
        if (isDead()) refuse()
        const result = await method.apply(target, values)
        return isDead() ? refuse() : result
      }
    },
  })
}

/** Hints that neither come nor go once `isDead`. */
function mortalHints(hints: Hints, isDead: () => boolean): Hints {
  return {
    tell: (id) => (isDead() ? undefined : hints.tell(id)),
    tellText: (id) => (isDead() ? undefined : hints.tellText(id)),
    listen: (hear) => hints.listen((...told) => (isDead() ? undefined : hear(...told))),
    listening: () => hints.listening(),
  }
}

function pricingOf({ pricing }: EngineBenchOptions, llm: LlmClient): Pricing {
  return pricing ?? { hasPrices: true, hasPrice: () => true, defaultModels: () => llm.defaultModels() }
}

function refOf(ref: string | WorkflowRef): WorkflowRef {
  return typeof ref === 'string' ? { kind: 'workflow', id: ref } : ref
}

/** Builds a replica on `storage`; it takes no work before `engine.start()`. */
export async function openEngineBench(storage: Storage, options: EngineBenchOptions = {}): Promise<EngineBench> {
  const server = options.server ?? (await startModelServer())
  const llm = createLlmClient(llmOptions(server.url, options.llm), { observe: () => undefined })
  let dead = false
  const store = mortal(options.store?.(storage.store) ?? storage.store, () => dead)
  const queue = mortal(options.queue?.(storage.queue) ?? storage.queue, () => dead)
  const chunks = mortal(storage.chunks, () => dead)
  const roles = createRoles({})
  const observed: CommittedEvent[] = []
  const defects: unknown[] = []
  const shared = {
    store,
    clock: storage.clock,
    live: createLiveTexts(),
    followers: createFollowers(),
    hints: mortalHints(options.hints ?? storage.hints, () => dead),
    agents: createAgents({ roles, model: llm, defaults: { ...agentDefaults, ...options.agents } }),
    observe: (event: CommittedEvent) => void observed.push(event),
  }
  const engine = createEngine(
    {
      ...shared,
      ...runLimits,
      ...options.run,
      queue,
      chunks,
      model: llm,
      streamReasoning: options.streamReasoning ?? false,
      reportDefect: (error) => void defects.push(error),
    },
    {
      maxConcurrentAgents: 10,
      maxConcurrentWorkflows: 100,
      maxConcurrentWorkflowsPerOwner: 0,
      onlyProcess: true,
      ...options.engine,
    },
  )
  const far = createFarTexts({
    ...shared,
    chunks,
    isHeld: (id) => engine.holds(id),
    report: (error) => void (isUnavailable(error) || defects.push(error)),
  })
  const services = createServices({
    ...shared,
    live: storage.embedded ? shared.live : withFarTexts(shared.live, far),
    engine,
    deliveries: storage.deliveries,
    webhooks: options.webhooks,
    templates: loadTemplates([], roles),
    maxQueuedWorkflows: 1000,
    maxRevisions: 3,
    approvalTimeoutMs: options.run?.approvalTimeoutMs ?? runLimits.approvalTimeoutMs,
    listedModels: () => llm.listedModels(),
    pricing: pricingOf(options, llm),
  })
  const service = services.as(everybody)
  const follow = async (ref: string | WorkflowRef) => followEvents(await service.openEvents(refOf(ref), null))
  return {
    server,
    store,
    services,
    service,
    engine,
    llm,
    observed,
    defects,
    async start(request = customSteps('only')) {
      const { resource } = await service.start({ type: 'custom', requirement: 'Build it.', ...request }, caller)
      return resource.id
    },
    async startTask(role, request) {
      const { resource } = await service.startTask(role, request, caller)
      return { kind: 'task', role, id: resource.id }
    },
    follow,
    async toEnd(ref) {
      const events = await follow(ref)
      await events.toEnd()
      return events
    },
    async kill() {
      dead = true
      await llm.close()
    },
    async close() {
      // A dead one can hand nothing over: it is only told to stop, and waits in vain for its last words.
      const drained = engine.drain(0)
      if (!dead) await drained
      far.close()
      await llm.close()
      if (options.server === undefined) await server.close()
    },
  }
}

/** `storage` is one per file; every bench of a test is closed after it. */
export const test = base.extend<{
  $file: { storage: Storage }
  $test: { openBench: (options?: EngineBenchOptions) => Promise<EngineBench> }
}>({
  storage: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const storage = await openTestStorage()
      await use(storage)
      await storage.close()
    },
    { scope: 'file' },
  ],
  openBench: async ({ storage }, use) => {
    const opened: EngineBench[] = []
    await use(async (options = {}) => {
      const bench = await openEngineBench(options.storage ?? storage, options)
      opened.push(bench)
      return bench
    })
    for (const bench of opened.toReversed()) await bench.close()
  },
})
