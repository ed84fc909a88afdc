/** How many tokens a server counts for each one that was estimated, per model. */
export interface TokenRatios {
  /** 1 until it is known. */
  of(model: string): number
  /** Whether the server has told anything about this model. */
  isKnown(model: string): boolean
  /** What it counted of a prompt that was estimated by the ratio of then. */
  learn(model: string, counted: { readonly estimated: number; readonly reported: number; readonly ratio: number }): void
}

// smaller prompts are mostly the template around them
const leastTokens = 200
const bounds = { least: 0.3, most: 3 }
const mostModels = 1_000
const slowness = 0.8

/** Rises at once, since a prompt that does not fit costs a call; falls slowly. */
export function createTokenRatios(): TokenRatios {
  const known = new Map<string, number>()
  return {
    of: (model) => known.get(model) ?? 1,
    isKnown: (model) => known.has(model),
    learn: (model, { estimated, reported, ratio }) => {
      if (estimated < leastTokens || reported < 1 || (known.size >= mostModels && !known.has(model))) return
      const seen = Math.min(bounds.most, Math.max(bounds.least, (ratio * reported) / estimated))
      const before = known.get(model) ?? seen
      known.set(model, Math.max(seen, before * slowness + seen * (1 - slowness)))
    },
  }
}
