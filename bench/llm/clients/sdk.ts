import OpenAI from 'openai'
import { Agent } from 'undici'
import { createRequestFetch } from '../../../src/llm/request-fetch.ts'
import type { BenchClient, OpenBenchClient } from '../bench-client.ts'
import { promptFor } from '../prompt.ts'

/** The SDK as its documentation shows it. */
export const openSdk: OpenBenchClient = (baseUrl) => {
  return clientOf(new OpenAI({ baseURL: baseUrl, apiKey: 'none', maxRetries: 0 }), async () => {})
}

/** The SDK's iterator over the cheap `fetch` of this service: what the iterator alone costs. */
export const openSdkOverRequest: OpenBenchClient = (baseUrl) => {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  const cheapFetch = createRequestFetch(dispatcher, null) as unknown as typeof fetch
  const sdk = new OpenAI({ baseURL: baseUrl, apiKey: 'none', maxRetries: 0, fetch: cheapFetch })
  return clientOf(sdk, () => dispatcher.destroy())
}

function clientOf(sdk: OpenAI, close: () => Promise<void>): BenchClient {
  return {
    read: async (model, onTokens, signal) => {
      const body = { ...promptFor(model), stream: true, stream_options: { include_usage: true } } as const
      for await (const chunk of await sdk.chat.completions.create(body, { signal })) {
        if (chunk.choices[0]?.delta.content) onTokens(1)
      }
    },
    close,
  }
}
