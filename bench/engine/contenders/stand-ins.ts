import type { Agents } from '../../../src/agents/agent.ts'
import type { Model } from '../../../src/llm/model.ts'

const target = { endpoint: 'bench', model: 'bench-model', contextWindow: null, tokenRatio: 1 }
const usage = { inputTokens: 1_000, outputTokens: 500, cachedTokens: 0, reasoningTokens: 0, estimated: false }
const finishReason = 'stop'

/** A model that answers every call with `output`, at once and without a server. */
export function instantModel(output: string): Model {
  return {
    targets: async () => [target],
    admit: () => ({ target, release: () => undefined }),
    whenReady: async () => undefined,
    readyInMs: () => 0,
    refusal: () => null,
    async *stream() {
      yield { type: 'text', text: output }
      yield { type: 'usage', usage }
      yield { type: 'end', finishReason, model: target.model }
    },
  }
}

/** Agents that do nothing: their answer is `output`, and nothing is looked for in it. */
export function emptySteps(output: string): Pick<Agents, 'prepare' | 'extract'> {
  const firstCall = { inputTokens: usage.inputTokens, maxTokens: 4_096 }
  return {
    prepare: () => ({
      firstCall,
      truncatedInput: false,
      async run({ sink }) {
        await sink.callStarting(firstCall)
        sink.text(output)
        await sink.callEnded({ usage, finishReason })
        return { complete: true, finishReason, model: target.model }
      },
    }),
    extract: () => ({ artifacts: [], rejected: [] }),
  }
}
