import type { LlmStatus } from '../../src/llm/model.ts'

/** A pool that has done nothing yet. */
export function llmStatus(status: Partial<LlmStatus> = {}): LlmStatus {
  return { activeClients: 0, requestCount: 0, successRate: null, endpoints: [], breakers: [], ...status }
}
