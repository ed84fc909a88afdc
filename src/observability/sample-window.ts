/** Figures of a distribution; all 0 before anything was measured. */
export interface Distribution {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Measures a distribution in bounded memory. */
export interface SampleWindow {
  add(value: number): void
  distribution(): Distribution
}

/** `count`, `min`, `max` and `avg` are of all samples ever, the percentiles (nearest rank) of the last `size`. */
export function createSampleWindow(size = 1_000): SampleWindow {
  const latest: number[] = []
  let count = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  return {
    add: (value) => {
      if (!Number.isFinite(value)) return
      latest[count % size] = value
      count += 1
      sum += value
      min = Math.min(min, value)
      max = Math.max(max, value)
    },
    distribution: () => {
      if (count === 0) return { count: 0, min: 0, max: 0, avg: 0, p50: 0, p95: 0, p99: 0 }
      const sorted = Float64Array.from(latest).toSorted()
      const percentile = (share: number): number => round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
      const percentiles = { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) }
      return { count, min: round(min), max: round(max), avg: round(sum / count), ...percentiles }
    },
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
