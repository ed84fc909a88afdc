import { Counter, Gauge, type Registry } from 'prom-client'

type SetValue = (labels: Readonly<Record<string, string>>, value: number) => void

/** Adds a metric whose samples are read anew at each scrape. What cannot be read then has none. */
export type AddGauge = (gauge: {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
  /** What somebody else counts, and only grows: a counter. */
  readonly grows?: boolean
  readonly read: (set: SetValue) => void
}) => void

/** Adds to `registry`. */
export function createGaugeAdder(registry: Registry): AddGauge {
  return ({ name, help, labelNames = [], grows = false, read }) => {
    const collect = (): void => {
      metric.reset()
      // Without labels a reset leaves a 0, which would be a lie about what is not known.
      if (labelNames.length === 0) metric.remove()
      tryToRead(() => read(set))
    }
    const options = { name, help, labelNames: [...labelNames], registers: [], collect }
    const metric = grows ? new Counter(options) : new Gauge(options)
    const set: SetValue = (labels, value) => {
      if (metric instanceof Gauge) metric.set(labels, value)
      else metric.inc(labels, value)
    }
    registry.registerMetric(metric)
  }
}

/** Runs a reader of figures whose source may fail. */
export function tryToRead(read: () => unknown): void {
  try {
    read()
  } catch {
    // a part that is starting or closing has no figures; the others still have theirs
  }
}
