import type { Registry } from 'prom-client'

/** One metric as documents list it. */
export interface MetricDescription {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly unit: string
  readonly meaning: string
}

// Prometheus has the unit at the end of the name, before _total; these have none there
const units: Readonly<Record<string, string>> = {
  gen_ai_client_token_usage: 'tokens',
  llm_tokens_total: 'tokens',
  llm_cost_usd_total: 'USD',
}
const suffixes: readonly (readonly [RegExp, string])[] = [
  [/_seconds(_total)?$/, 'seconds'],
  [/_bytes(_total)?$/, 'bytes'],
  [/_total$/, 'count'],
]

/** prom-client keeps more of a metric than its types say. */
interface Registered {
  readonly name: string
  readonly help: string
  readonly type: MetricDescription['type']
  readonly labelNames: readonly string[]
}

/** What is registered, by name. */
export function describeMetrics(registry: Registry): readonly MetricDescription[] {
  const registered = registry.getMetricsAsArray() as unknown as readonly Registered[]
  return registered
    .map(({ name, help, type, labelNames }) => ({
      name,
      type,
      labels: labelNames.filter((label) => label !== 'le'),
      unit: unitOf(name),
      meaning: help,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function unitOf(name: string): string {
  return units[name] ?? suffixes.find(([suffix]) => suffix.test(name))?.[1] ?? ''
}
