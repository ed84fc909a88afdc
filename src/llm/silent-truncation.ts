import type { TokenUsage } from './model.ts'

/** What was known before the call. */
export interface PromptEstimate {
  readonly tokens: number
  /** The estimate rests on what this server counted of earlier prompts. */
  readonly corrected: boolean
}

// a smaller window would not hold the instructions
const leastWindow = 1_024
const surplus = 1.25
// an estimate that nobody has corrected may well be half as much again
const uncorrectedSurplus = 2
const farMore = 4

/**
 * Ollama cuts a prompt to its window without a word and answers 200. Its window in tokens, when the figures of an
 * answer say that it did so: it counted exactly as many tokens as a window has, and clearly fewer than were sent; or by
 * far fewer, where the estimate is known to be good. null otherwise: a wrong suspicion costs more than a missed one.
 */
export function silentWindow(usage: TokenUsage, estimate: PromptEstimate): number | null {
  const { inputTokens, outputTokens, estimated } = usage
  const least = inputTokens * (estimate.corrected ? surplus : uncorrectedSurplus)
  if (estimated || inputTokens < leastWindow || estimate.tokens < least) return null
  if (inputTokens % leastWindow === 0) return inputTokens
  // from 0.30.11 on Ollama fills only half of it, and keeps the first 4 tokens
  const filled = [inputTokens + 1, inputTokens + outputTokens, 2 * (inputTokens - 2), 2 * (inputTokens - 3)]
  const window = filled.find((tokens) => isUsualWindow(tokens) && tokens < estimate.tokens)
  if (window !== undefined) return window
  return estimate.corrected && estimate.tokens > inputTokens * farMore ? inputTokens : null
}

function isUsualWindow(tokens: number): boolean {
  return tokens > leastWindow && Number.isInteger(Math.log2(tokens))
}
