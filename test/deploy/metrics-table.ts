import { readProjectFile } from './project-files.ts'

/** A row of `docs/metrics.md`. */
export interface DocumentedMetric {
  readonly type: string
  readonly labels: readonly string[]
}

/** The metrics of `docs/metrics.md`, by name. */
export function documentedMetrics(): ReadonlyMap<string, DocumentedMetric> {
  const rows = readProjectFile('docs/metrics.md').matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*) \|/gm)
  return new Map(
    [...rows].map(([, name = '', type = '', labels = '']) => [name, { type, labels: labels.match(/\w+/g) ?? [] }]),
  )
}

const suffixes = /_(bucket|sum|count)$/

/** The metric that a series belongs to: of a histogram without `_bucket`, `_sum`, `_count`. */
export function metricOfSeries(series: string, known: ReadonlyMap<string, DocumentedMetric>): string {
  const histogram = series.replace(suffixes, '')
  return known.get(histogram)?.type === 'histogram' ? histogram : series
}
