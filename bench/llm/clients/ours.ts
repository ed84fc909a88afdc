import { loadSettings } from '../../../src/config/load.ts'
import { createLlmClient } from '../../../src/llm/llm-client.ts'
import { llmOptions } from '../../../src/part-options.ts'
import type { OpenBenchClient } from '../bench-client.ts'
import { promptFor } from '../prompt.ts'

const maxTokens = 4_096

/** This service's model client, with every setting at its default. */
export const openOurs: OpenBenchClient = async (baseUrl) => {
  // this directory holds neither a config.yaml nor a .env
  const { settings } = loadSettings({ argv: [], env: { OPENAI_API_BASE: baseUrl }, cwd: import.meta.dirname })
  const client = createLlmClient(llmOptions(settings), { observe: () => {} })
  await client.check()
  return {
    read: async (model, onTokens, signal) => {
      const targets = await client.targets(model, signal)
      const permit = client.admit({ targets, isRetry: false })
      if (typeof permit === 'string') throw new Error(`The model client admits no call (${permit}).`)
      const request = { ...promptFor(model), target: permit.target, permit, inputTokens: 20, maxTokens, stream: true }
      try {
        for await (const event of client.stream(request, signal)) {
          if (event.type === 'text') onTokens(1)
        }
      } finally {
        permit.release()
      }
    },
    close: () => client.close(),
  }
}
