import { createAgents } from '../../../src/agents/create-agents.ts'
import { createRoles } from '../../../src/agents/roles.ts'
import { loadSettings } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { agentDefaults, agentSettings, promptRepair, storageOptions } from '../../../src/part-options.ts'
import { createStorage, type Storage } from '../../../src/storage/create-storage.ts'
import type { Database } from '../../../src/storage/database.ts'
import { prepareDatabase, preparedDirectoryPath } from '../../../src/storage/prepare.ts'
import { everybody } from '../../../src/workflows/principal.ts'
import { createServices } from '../../../src/workflows/create-service.ts'
import { createEngine } from '../../../src/workflows/engine.ts'
import { createFollowers } from '../../../src/workflows/followers.ts'
import { createLiveTexts } from '../../../src/workflows/live-texts.ts'
import { loadTemplates } from '../../../src/workflows/load-templates.ts'
import type { WorkflowStore } from '../../../src/workflows/store.ts'
import type { Contender, ContenderParts } from '../contender.ts'
import { createCountedDatabase } from './counted-database.ts'
import { listen } from './listen.ts'
import { createRun } from './our-run.ts'
import { emptySteps, instantModel } from './stand-ins.ts'

/** Which of this service's rows. */
export interface OurKind {
  /** On PGlite instead of Postgres. */
  readonly embedded: boolean
  /** Prompts are built and files looked for in the answers; otherwise the steps are empty, as those of the others. */
  readonly prompts: boolean
  /** Given the database, to look at it or to fill it. */
  readonly onDatabase?: (database: Database) => void
}

/** This service, and what keeps its workflows. */
export interface OurContender extends Contender {
  readonly store: WorkflowStore
}

/** Tasks at the same time for each workflow in flight: two steps of the DAG run side by side. */
const agentsPerWorkflow = 2

/** This service's engine and verbs, joined as it joins them, with every setting at its default but the limits. */
export async function openOurs(parts: ContenderParts, kind: OurKind): Promise<OurContender> {
  const env = kind.embedded ? { DATA_DIRECTORY: parts.directory } : { DATABASE_URL: parts.databaseUrl }
  // this directory holds neither a config.yaml nor a .env
  const { settings } = loadSettings({ argv: [], env, cwd: import.meta.dirname })
  const preparedDirectory = await preparedDirectoryPath()
  if (kind.embedded) await prepareDatabase(preparedDirectory)
  const counted = createCountedDatabase()
  const storage = createStorage(storageOptions(settings, preparedDirectory), {
    around(database) {
      kind.onDatabase?.(database)
      return kind.embedded ? counted.around(database) : database
    },
    onFatal: (_exitCode, message) => fail(new Error(message)),
    onError: fail,
  })
  const { engine, service } = join(settings, storage, { parts, kind })
  await storage.start()
  await engine.start()
  const edge = parts.port === null ? null : await listen(service, parts.port)
  return {
    store: storage.store,
    run: createRun(service, parts),
    ...(kind.embedded ? { counts: counted.read } : {}),
    async close() {
      await edge?.close()
      await engine.drain(0)
      await storage.close()
    },
  }
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}

interface Wanted {
  readonly parts: ContenderParts
  readonly kind: OurKind
}

function join(settings: Settings, storage: Storage, { parts, kind }: Wanted) {
  const roles = createRoles(settings.agents)
  const model = instantModel(parts.output)
  const team = createAgents({ roles, model, settings: agentSettings(settings), defaults: agentDefaults(settings) })
  const { store, clock, hints, queue, chunks } = storage
  const shared = {
    store,
    clock,
    hints,
    live: createLiveTexts(),
    followers: createFollowers(),
    agents: kind.prompts ? team : { ...team, ...emptySteps(parts.output) },
    observe: () => undefined,
    approvalTimeoutMs: settings.approvalTimeoutSeconds * 1_000,
  }
  const engine = createEngine({ ...shared, ...runLimits(settings), queue, chunks, model }, limitsFor(parts, storage))
  const services = createServices({
    ...shared,
    engine,
    deliveries: storage.deliveries,
    templates: loadTemplates([], roles),
    maxQueuedWorkflows: settings.maxQueuedWorkflows,
    maxRevisions: settings.maxRevisions,
    listedModels: () => null,
    pricing: { hasPrices: false, hasPrice: () => false, defaultModels: () => [] },
  })
  return { engine, service: services.as(everybody) }
}

function runLimits(settings: Settings) {
  const { llmMaxRetries, taskRetryAttempts, taskTimeout } = settings
  return {
    limits: { maxRetries: llmMaxRetries, maxRestarts: taskRetryAttempts, timeoutMs: taskTimeout * 1_000 },
    retryDelayMs: () => 1_000,
    promptRepair: promptRepair(settings),
    costOf: () => null,
    streamReasoning: settings.streamReasoning,
    maxWorkerLosses: settings.maxWorkerLosses,
    workflowTimeoutMs: settings.workflowTimeout * 1_000,
    reportDefect: fail,
  }
}

function limitsFor({ inFlight }: ContenderParts, { embedded }: Storage) {
  return {
    maxConcurrentAgents: agentsPerWorkflow * inFlight,
    maxConcurrentWorkflows: agentsPerWorkflow * inFlight,
    maxConcurrentWorkflowsPerOwner: 0,
    onlyProcess: embedded,
  }
}
