import type { Settings } from './config/settings.ts'
import type { LlmClient } from './llm/llm-client.ts'
import { createCostOf } from './llm/prices.ts'
import { createHealth } from './observability/health.ts'
import { createMetrics } from './observability/metrics.ts'
import type { Metrics } from './observability/metrics.ts'
import { keyNames, modelNames } from './part-options.ts'
import type { Storage } from './storage/create-storage.ts'
import type { Engine } from './workflows/engine.ts'
import type { Template } from './workflows/templates.ts'

export interface MetricsParts {
  readonly version: string
  readonly templates: ReadonlyMap<string, Template>
  readonly sources: {
    readonly storage: Storage
    readonly llm: LlmClient
    readonly engine: () => Engine
    readonly ready: () => boolean
  }
}

/** The metrics of the service, and what they look at. */
export function composeMetrics(settings: Settings, { version, templates, sources }: MetricsParts): Metrics {
  const { storage, llm, engine, ready } = sources
  return createMetrics({
    version,
    roles: Object.keys(settings.agents),
    workflowTypes: [...templates.keys(), 'custom', 'task'],
    models: modelNames(settings),
    costOf: createCostOf(settings.llm.prices),
    keys: keyNames(settings),
    sources: {
      ready,
      database: () => storage.figures(),
      llm: () => llm.status(),
      queue: () => ({ queued: engine().queued(), oldestCreatedAt: engine().oldestQueuedAt() }),
      busyAgents: () => [...engine().busy().values()].reduce((sum, count) => sum + count, 0),
      heldWorkflows: () => engine().held(),
      now: () => storage.clock.now(),
    },
  })
}

/** What `GET /health` says. */
export function composeHealth(
  settings: Settings,
  { version, storage, llm }: { readonly version: string; readonly storage: Storage; readonly llm: LlmClient },
) {
  return createHealth({
    version,
    startedAt: Date.now(),
    llm: () => llm.status(),
    database: () => storage.status().database,
    queue: () => storage.status().queue,
    minSuccessRate: settings.healthMinSuccessRate,
  })
}
