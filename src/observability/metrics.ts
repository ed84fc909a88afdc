import { Registry } from 'prom-client'
import type { LlmEvent } from '../llm/model.ts'
import type { CostOf } from '../llm/prices.ts'
import type { CommittedEvent } from '../workflows/events.ts'
import type { TriedDelivery } from '../workflows/webhooks.ts'
import { createHttpMetrics, type HttpMetrics } from './http-metrics.ts'
import { createKeyMetrics, type KeyMetrics } from './key-metrics.ts'
import { createKnownLabels } from './known-labels.ts'
import { createLlmMetrics } from './llm-metrics.ts'
import { describeMetrics, type MetricDescription } from './metric-descriptions.ts'
import { createJsonMetrics, type MetricsView } from './metrics-json.ts'
import { collectProcessMetrics } from './process-metrics.ts'
import { type GaugeSources, readGauges, registerServiceGauges } from './service-gauges.ts'
import { createTaskMetrics } from './task-metrics.ts'
import { createWebhookMetrics } from './webhook-metrics.ts'
import { createWorkflowMetrics } from './workflow-metrics.ts'

/** All metrics of one service, for Prometheus and as the guide's JSON view. Recording never throws. */
export interface Metrics {
  recordWorkflow(committed: CommittedEvent): void
  recordLlm(event: LlmEvent): void
  /** A prompt was cut to fit the model's context. */
  recordPromptCut(): void
  recordWebhook(tried: TriedDelivery): void
  readonly http: HttpMetrics
  readonly keys: KeyMetrics
  /** The Prometheus text. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>
  json(): MetricsView
  /** Every metric that there is, by name. */
  describe(): readonly MetricDescription[]
}

export interface MetricsParts {
  readonly version: string
  /** What may become a label; everything else is counted as `other`. Models that a server lists are added. */
  readonly roles: readonly string[]
  readonly workflowTypes: readonly string[]
  readonly models: readonly string[]
  /** What calls cost. */
  readonly costOf: CostOf
  /** Names of the API keys. */
  readonly keys?: readonly string[]
  readonly sources: GaugeSources
}

/** Starts empty, in a registry of its own; figures of the process and its event loop are among them. */
export function createMetrics({ version, sources, costOf, ...names }: MetricsParts): Metrics {
  const registry = new Registry()
  const roles = createKnownLabels(names.roles)
  const types = createKnownLabels(names.workflowTypes)
  const models = createKnownLabels(names.models)

  collectProcessMetrics(registry)
  registerServiceGauges(registry, { sources, models, version })
  const http = createHttpMetrics(registry)
  const keys = createKeyMetrics(registry, names.keys ?? [])
  const json = createJsonMetrics(() => readGauges(sources, http.openStreams()))
  const recordTask = createTaskMetrics(registry, { json, roles })
  const recordWorkflow = createWorkflowMetrics(registry, { json, types })
  const llm = createLlmMetrics(registry, { json, models, roles, costOf })

  return {
    recordWorkflow: (committed) => {
      recordTask(committed)
      recordWorkflow(committed)
      const { workflow, event } = committed
      if (event.type === 'workflow.queued') keys.started(workflow.owner, workflow.kind)
    },
    recordLlm: (event) => llm.observe(event),
    recordPromptCut: () => llm.promptCut(),
    recordWebhook: createWebhookMetrics(registry),
    http,
    keys,
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    json: () => json.view(),
    describe: () => describeMetrics(registry),
  }
}
