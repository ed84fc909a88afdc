import type { TokenUsage } from './model.ts'

/** Of one model, in USD per million tokens. */
export interface Price {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
}

/** What tokens of a model cost in USD; null without a price. */
export type CostOf = (model: string, usage: Omit<TokenUsage, 'estimated' | 'reasoningTokens'>) => number | null

const million = 1_000_000

/** By the names under which models are asked for. Reasoning is part of the output. */
export function createCostOf(prices: Readonly<Record<string, Price>>): CostOf {
  return (model, { inputTokens, cachedTokens, outputTokens }) => {
    const price = Object.hasOwn(prices, model) ? prices[model] : undefined
    if (price === undefined) return null
    const cached = Math.min(cachedTokens, inputTokens)
    const input = (inputTokens - cached) * price.input + cached * price.cachedInput
    return (input + outputTokens * price.output) / million
  }
}
