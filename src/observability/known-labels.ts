/** The value of a label that nobody named in advance. */
const otherLabel = 'other'

/** Keeps the values of one label bounded: what is not known becomes `other`. */
export interface KnownLabels {
  /** Adds values, as far as there is room. */
  learn(values: readonly string[]): void
  labelOf(value: string | null | undefined): string
  /** Those that are known now. */
  known(): readonly string[]
}

/** Knows `initial`, and learns up to `limit` values in all. */
export function createKnownLabels(initial: readonly string[], limit = 100): KnownLabels {
  const known = new Set(initial)
  return {
    learn: (values) => {
      for (const value of values) if (known.size < limit) known.add(value)
    },
    known: () => [...known],
    labelOf: (value) => (typeof value === 'string' && known.has(value) ? value : otherLabel),
  }
}
