import type { Usage } from './workflow.ts'

/** A usage as the wire has it. */
export function wireUsage(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cached_tokens: usage.cachedTokens,
    reasoning_tokens: usage.reasoningTokens,
    llm_calls: usage.llmCalls,
    cost_usd: usage.costUsd,
    estimated: usage.estimated,
  }
}

/** A moment as the wire has it: RFC 3339, UTC, milliseconds. */
export function wireTime(moment: number): string
export function wireTime(moment: number | null): string | null
export function wireTime(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString()
}
