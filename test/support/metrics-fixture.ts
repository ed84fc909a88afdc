import { createMetrics, type Metrics } from '../../src/observability/metrics.ts'
import { createCostOf } from '../../src/llm/prices.ts'
import type { GaugeSources } from '../../src/observability/service-gauges.ts'
import { llmStatus } from './llm-status.ts'

/** Of a database that has just been opened. */
export const databaseFigures: ReturnType<GaugeSources['database']> = {
  kind: 'embedded',
  up: true,
  probeMs: null,
  connections: null,
  sizeBytes: null,
  walSizeBytes: null,
  walWrittenBytes: null,
}

/**
 * Metrics that know the roles developer and qa_engineer, the type feature_development and the model devstral, which
 * costs 1 USD per million tokens in, 2 out.
 */
export function metricsFixture(sources: Partial<GaugeSources> = {}, keys: readonly string[] = []): Metrics {
  return createMetrics({
    version: '1.2.3',
    roles: ['developer', 'qa_engineer'],
    workflowTypes: ['feature_development'],
    models: ['devstral'],
    costOf: createCostOf({ devstral: { input: 1, cachedInput: 0.5, output: 2 } }),
    keys,
    sources: {
      llm: () => llmStatus(),
      queue: () => ({ queued: 0, oldestCreatedAt: null }),
      busyAgents: () => 0,
      heldWorkflows: () => 0,
      ready: () => true,
      database: () => databaseFigures,
      now: () => 0,
      ...sources,
    },
  })
}

/** Those samples of a metric that are not 0: what has happened. */
export async function countsOf(metrics: Metrics, name: string): Promise<Readonly<Record<string, number>>> {
  return Object.fromEntries(Object.entries(await samplesOf(metrics, name)).filter(([, value]) => value !== 0))
}

/** The samples of a metric in the Prometheus text, as `labels → value`, comments left out. */
export async function samplesOf(metrics: Metrics, name: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await metrics.text()
  const samples: Record<string, number> = {}
  for (const line of body.split('\n')) {
    const [, found, labels = '', value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? []
    if (found === name) samples[labels] = Number(value)
  }
  return samples
}
