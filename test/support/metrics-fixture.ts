import { createMetrics, type Metrics } from '../../src/observability/metrics.ts'
import type { GaugeSources } from '../../src/observability/service-gauges.ts'
import { llmStatus } from './llm-status.ts'

/** Metrics that know the roles developer and qa_engineer, the type feature_development and the model devstral. */
export function metricsFixture(sources: Partial<GaugeSources> = {}): Metrics {
  return createMetrics({
    version: '1.2.3',
    roles: ['developer', 'qa_engineer'],
    workflowTypes: ['feature_development'],
    models: ['devstral'],
    sources: {
      llm: () => llmStatus(),
      queue: () => ({ queued: 0, oldestCreatedAt: null }),
      busyAgents: () => 0,
      heldWorkflows: () => 0,
      now: () => 0,
      ...sources,
    },
  })
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
