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

/** Writes moments out as `wireTime` does. */
export type WireTimes = (moment: number) => string

/** For many moments one after the other: of those within a second only the milliseconds are written anew. */
export function createWireTimes(): WireTimes {
  let second = Number.NaN
  let upToMs = ''
  return (moment) => {
    const whole = Math.trunc(moment)
    const itsSecond = Math.floor(whole / 1000)
    if (itsSecond !== second) {
      second = itsSecond
      upToMs = wireTime(itsSecond * 1000).slice(0, -'000Z'.length)
    }
    return `${upToMs}${String(whole - itsSecond * 1000).padStart(3, '0')}Z`
  }
}

/** A moment as the wire has it: RFC 3339, UTC, milliseconds. */
export function wireTime(moment: number): string
export function wireTime(moment: number | null): string | null
export function wireTime(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString()
}
