import type { FastifyInstance } from 'fastify'
import { composeWebhooks } from './compose-webhooks.ts'
import type { Webhooks } from './compose-webhooks.ts'
import { checkArtifactPath } from './agents/artifact-path.ts'
import { createAgents } from './agents/create-agents.ts'
import { createRoles } from './agents/roles.ts'
import { composeTraces } from './compose-traces.ts'
import { composeHealth, composeMetrics } from './compose-metrics.ts'
import type { Settings } from './config/settings.ts'
import { createApp } from './http/app.ts'
import { createLlmClient } from './llm/llm-client.ts'
import type { LlmClient } from './llm/llm-client.ts'
import type { LlmEvent } from './llm/model.ts'
import { createCostOf } from './llm/prices.ts'
import { retryDelayMs } from './llm/retry.ts'
import { logContent } from './observability/log-content.ts'
import type { Log } from './observability/log.ts'
import type { Metrics } from './observability/metrics.ts'
import { observeAgents } from './observability/observe-agents.ts'
import { observeHttp } from './observability/observe-http.ts'
import { observeLlm } from './observability/observe-llm.ts'
import { observeWorkflows } from './observability/observe-workflows.ts'
import type { Sentry } from './observability/sentry.ts'
import type { SpanWriter } from './observability/span.ts'
import {
  agentDefaults,
  agentSettings,
  appOptions,
  llmOptions,
  promptRepair,
  urlOfEndpoint,
  workflowLimits,
} from './part-options.ts'
import type { Storage } from './storage/create-storage.ts'
import { createOutputDirectory } from './storage/output-directory.ts'
import type { Traces } from './trace-parts.ts'
import { allTemplates } from './workflows/all-templates.ts'
import type { CallObserver } from './workflows/answer-sink.ts'
import type { Pricing } from './workflows/budget-faults.ts'
import { createServices } from './workflows/create-service.ts'
import { isUnavailable } from './workflows/committer.ts'
import { createEngine } from './workflows/engine.ts'
import type { Engine } from './workflows/engine.ts'
import { createFarTexts, withFarTexts } from './workflows/far-texts.ts'
import type { FarTexts, FarTextsParts } from './workflows/far-texts.ts'
import { createFollowers } from './workflows/followers.ts'
import { createLiveTexts } from './workflows/live-texts.ts'
import { createPublisher } from './workflows/publisher.ts'
import type { Publisher } from './workflows/publisher.ts'
import { createRetention } from './workflows/retention.ts'
import type { Retention } from './workflows/retention.ts'

export interface ComposeParts {
  readonly log: Log
  readonly sentry: Sentry
  readonly version: string
  /** Where spans go; null, or nothing: there are no traces. */
  readonly tracing?: SpanWriter | null
  /** As `openStorage` makes it; it is closed with the rest. */
  readonly storage: Storage
}

/** The whole service. Nothing listens, and no work is taken before `start`. */
export interface Composition {
  readonly app: FastifyInstance
  readonly metrics: Metrics | null
  /** Resolves when the database is open and work is taken. Rejects when the data directory cannot be used. */
  start(): Promise<void>
  /** Refuses new work, lets running steps go on for `graceMs`, hands the rest over, then breaks streams off. */
  drain(graceMs: number): Promise<void>
  /** Closes everything, in the reverse order of its making. */
  close(): Promise<void>
}

/** Builds every part and joins them. Throws when a prompt or a template of the operator cannot be used. */
export async function compose(settings: Settings, parts: ComposeParts): Promise<Composition> {
  const { log, sentry, version, storage } = parts
  const roles = createRoles(settings.agents)
  const templates = await allTemplates(settings.workflowTypesFiles, roles)
  const phase = createPhase()
  const told: { llm: (event: LlmEvent) => void } = { llm: () => undefined }
  const observeLlmEvent = (event: LlmEvent) => told.llm(event)
  const llm = createLlmClient(llmOptions(settings), { observe: observeLlmEvent, askAfter: phase.starting.promise })
  const urlOf = (endpoint: string) => urlOfEndpoint(settings, endpoint)
  const traces = await composeTraces(parts, { storage, model: llm, urlOf })
  const model = settings.logContent ? logContent(traces.model, log) : traces.model
  const team = createAgents({ roles, model, settings: agentSettings(settings), defaults: agentDefaults(settings) })
  const ready = () => phase.started && storage.ready()
  const sources = { storage, llm, engine: () => engine, ready: () => ready() && !phase.draining }
  const metrics = settings.enableMetrics ? composeMetrics(settings, { version, templates, sources }) : null
  told.llm = traces.besides(observeLlm({ log, metrics, urlOf }))
  const agents = observeAgents(team, { log, metrics })

  const captureDefect = (error: unknown) => sentry.captureDefect(error)
  const reportDefect = (error: unknown) => {
    log.logger('workflows.engine').error('A defect of the service', { error })
    captureDefect(error)
  }
  const observe = observeWorkflows({ log, metrics })
  const webhooks = await composeWebhooks(settings, { storage, version, log, metrics, report: reportDefect })
  const shared = sharedParts(storage, webhooks)
  const far = composeFarTexts(storage, { ...shared, engine: () => engine, reportDefect })
  const common = { ...shared, agents, observe, ...traces.observers }
  const observeCall: CallObserver = ({ owner, usage }) => metrics?.keys.spent(owner, usage)
  const engine = composeEngine(settings, { ...common, storage, model, reportDefect, observeCall })
  const services = createServices({
    ...common,
    live: far === null ? shared.live : withFarTexts(shared.live, far),
    templates,
    engine,
    ...webhooks.forServices,
    ...workflowLimits(settings),
    listedModels: () => llm.listedModels(),
    pricing: pricing(settings, llm),
  })

  const publisher = composePublisher(settings, storage, log)
  const app = await createApp(
    {
      services,
      checkPath: checkArtifactPath,
      health: { health: composeHealth(settings, { version, storage, llm }) },
      ...(metrics === null ? {} : { metrics }),
      ready,
      draining: () => phase.draining,
      leaving: phase.leaving.signal,
      signing: { key: () => storage.signingKey(), now: () => storage.clock.now() },
      observer: observeHttp({ log, metrics, captureDefect }),
      ...traces.edge,
    },
    appOptions(settings, version),
  )
  const keepMs = settings.retentionDays * 86_400_000
  const retention = createRetention({ store: storage.store, report: reportDefect }, { keepMs })
  const resources = { app, engine, llm, publisher, webhooks, retention, storage, far, traces }
  return { app, metrics, ...createLifecycle(resources, phase) }
}

/** What engine and services both work on. */
function sharedParts({ store, clock, hints }: Storage, { wake }: Webhooks) {
  return { store, clock, hints, wakeWebhooks: wake, live: createLiveTexts(), followers: createFollowers() }
}

interface Phase {
  /** Resolves when the service is being started: it listens, and what costs time may come. */
  readonly starting: PromiseWithResolvers<void>
  started: boolean
  draining: boolean
  /** Aborted when streams are to be broken off. */
  readonly leaving: AbortController
}

function createPhase(): Phase {
  return { starting: Promise.withResolvers(), started: false, draining: false, leaving: new AbortController() }
}

interface Resources {
  readonly app: FastifyInstance
  readonly engine: Engine
  readonly llm: LlmClient
  readonly publisher: Publisher | null
  readonly webhooks: Webhooks
  readonly retention: Retention
  readonly storage: Storage
  readonly far: FarTexts | null
  readonly traces: Traces
}

function createLifecycle(resources: Resources, phase: Phase): Pick<Composition, 'start' | 'drain' | 'close'> {
  const { app, engine, llm, publisher, webhooks, retention, storage, far, traces } = resources
  const leave = () => phase.leaving.abort(new Error('the service is shutting down'))
  return {
    async start() {
      phase.starting.resolve()
      await storage.start()
      await engine.start()
      publisher?.start()
      webhooks.start()
      retention.start()
      phase.started = true
    },
    async drain(graceMs) {
      phase.draining = true
      await engine.drain(phase.started ? graceMs : 0)
      leave()
    },
    async close() {
      leave()
      await app.close()
      await engine.drain(0)
      far?.close()
      await publisher?.stop()
      await webhooks.close()
      await retention.stop()
      await llm.close()
      await traces.settled()
      await storage.close()
    },
  }
}

function composePublisher({ outputDirectory }: Settings, storage: Storage, log: Log): Publisher | null {
  if (outputDirectory === '') return null
  const logger = log.logger('workflows.publisher')
  return createPublisher({
    store: storage.store,
    queue: storage.publications,
    directory: createOutputDirectory(outputDirectory),
    onFailed: (workflowId, error) =>
      logger.warning(`A workflow could not be written to ${outputDirectory}; it is tried again.`, {
        workflowId,
        error,
      }),
  })
}

/** null: there are no other replicas. */
function composeFarTexts(
  { chunks, embedded }: Storage,
  parts: Pick<FarTextsParts, 'followers' | 'hints'> & {
    readonly engine: () => Engine
    readonly reportDefect: (error: unknown) => void
  },
): FarTexts | null {
  if (embedded) return null
  const { followers, hints, engine, reportDefect } = parts
  return createFarTexts({
    chunks,
    followers,
    hints,
    isHeld: (workflowId) => engine().holds(workflowId),
    report: (error) => (isUnavailable(error) ? undefined : reportDefect(error)),
  })
}

type Common = Pick<
  Parameters<typeof createEngine>[0],
  'store' | 'clock' | 'hints' | 'live' | 'followers' | 'agents' | 'observe' | 'observeChange'
>

function composeEngine(
  settings: Settings,
  parts: Common & {
    readonly storage: Storage
    readonly model: Parameters<typeof createEngine>[0]['model']
    readonly reportDefect: (error: unknown) => void
    readonly observeCall: CallObserver
  },
): Engine {
  const initialMs = settings.llmRetryInitialDelay * 1000
  const maxMs = settings.llmRetryMaxDelay * 1000
  return createEngine(
    {
      ...parts,
      queue: parts.storage.queue,
      chunks: parts.storage.chunks,
      limits: {
        maxRetries: settings.llmMaxRetries,
        maxRestarts: settings.taskRetryAttempts,
        timeoutMs: settings.taskTimeout * 1000,
      },
      retryDelayMs: (tries) => retryDelayMs({ tries, initialMs, maxMs, random: Math.random }),
      promptRepair: promptRepair(settings),
      costOf: createCostOf(settings.llm.prices),
      approvalTimeoutMs: settings.approvalTimeoutSeconds * 1000,
      streamReasoning: settings.streamReasoning,
      maxWorkerLosses: settings.maxWorkerLosses,
      workflowTimeoutMs: settings.workflowTimeout * 1000,
    },
    {
      maxConcurrentAgents: settings.maxConcurrentAgents,
      maxConcurrentWorkflows: settings.maxConcurrentWorkflows,
      maxConcurrentWorkflowsPerOwner: settings.maxConcurrentWorkflowsPerKey,
      onlyProcess: parts.storage.embedded,
    },
  )
}

function pricing({ llm: { prices } }: Settings, llm: LlmClient): Pricing {
  return {
    hasPrices: Object.keys(prices).length > 0,
    hasPrice: (model) => Object.hasOwn(prices, model),
    defaultModels: () => llm.defaultModels(),
  }
}
