import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from './log.ts'
import { createSampleWindow, type Distribution } from './sample-window.ts'

const counterNames = [
  'llm.request',
  'llm.success',
  'llm.error',
  'llm.timeout',
  'llm.retry',
  'llm.circuit_breaker.open',
  'llm.context.truncation',
  'agent.task.start',
  'agent.task.complete',
  'agent.task.error',
  'workflow.start',
  'workflow.complete',
  'workflow.error',
] as const

const histogramNames = [
  'llm.request.duration_ms',
  'llm.generation.duration_ms',
  'agent.task.duration_ms',
  'workflow.duration_ms',
] as const

type CounterName = (typeof counterNames)[number]
type HistogramName = (typeof histogramNames)[number]

/** The guide's view of the metrics, as `GET /metrics.json` and the snapshot file have it. Durations in milliseconds. */
export interface MetricsView {
  readonly counters: Readonly<Record<string, number>>
  readonly gauges: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, Distribution>>
}

/** Collects the guide's metrics; every name is there from the start. */
export interface JsonMetrics {
  count(name: CounterName): void
  measure(name: HistogramName, valueMs: number): void
  view(): MetricsView
}

/** `gauges` is asked whenever the view is. */
export function createJsonMetrics(gauges: () => Readonly<Record<string, number>>): JsonMetrics {
  const counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>
  const histograms = new Map(histogramNames.map((name) => [name, createSampleWindow()]))
  return {
    count: (name) => {
      counters[name] += 1
    },
    measure: (name, valueMs) => histograms.get(name)?.add(valueMs),
    view: () => ({
      counters: { ...counters },
      gauges: gauges(),
      histograms: Object.fromEntries([...histograms].map(([name, samples]) => [name, samples.distribution()])),
    }),
  }
}

/** Writes the view to `file`. Never rejects: a file that cannot be written is one WARNING. */
export async function writeMetricsSnapshot(view: MetricsView, file: string, logger: Logger): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${JSON.stringify(view, null, 2)}\n`)
  } catch (error) {
    logger.warning('The last metrics could not be written (METRICS_SNAPSHOT_FILE).', { file, error })
  }
}
