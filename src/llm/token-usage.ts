import { countOf, fieldsOf, isFields } from './json-fields.ts'
import type { TokenUsage } from './model.ts'

/** Tokens of a text, by rule of thumb: about three bytes each. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3)
}

/** What stands in for figures that the server did not give. */
export interface UsageEstimate {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/** The `usage` object of a server, with an estimate where it is missing or makes no sense. */
export function readUsage(reported: unknown, estimate: () => UsageEstimate): TokenUsage {
  const usage = fieldsOf(reported)
  const inputTokens = countOf(usage['prompt_tokens'])
  const outputTokens = countOf(usage['completion_tokens'])
  const reasoning = countOf(fieldsOf(usage['completion_tokens_details'])['reasoning_tokens'])
  if (inputTokens !== null && outputTokens !== null) {
    return {
      inputTokens,
      outputTokens,
      cachedTokens: cachedOf(usage),
      reasoningTokens: reasoning ?? 0,
      estimated: false,
    }
  }
  const guess = estimate()
  return {
    inputTokens: inputTokens ?? guess.inputTokens,
    outputTokens: outputTokens ?? guess.outputTokens,
    cachedTokens: cachedOf(usage),
    reasoningTokens: reasoning ?? guess.reasoningTokens,
    estimated: true,
  }
}

/** A server sends `usage: null` in chunks that have none. */
export function isUsage(value: unknown): boolean {
  return isFields(value)
}

// OpenAI, llama.cpp and vLLM nest it; DeepSeek does not
function cachedOf(usage: Readonly<Record<string, unknown>>): number {
  return (
    countOf(fieldsOf(usage['prompt_tokens_details'])['cached_tokens']) ?? countOf(usage['prompt_cache_hit_tokens']) ?? 0
  )
}
