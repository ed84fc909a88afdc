import type { OpenBenchClient } from '../llm/bench-client.ts'
import { promptFor } from '../llm/prompt.ts'

// the part of both packages that is used; their own types are there only when they are installed
interface AiPackage {
  readonly streamText: (request: Readonly<Record<string, unknown>>) => { readonly textStream: AsyncIterable<string> }
}

interface ProviderPackage {
  readonly createOpenAICompatible: (options: Readonly<Record<string, unknown>>) => (model: string) => unknown
}

/** `streamText` as its documentation shows it. It stands here because packages are looked for from a file's own folder. */
export const openAi: OpenBenchClient = async (baseUrl) => {
  const { streamText } = await importPackage<AiPackage>('ai')
  const { createOpenAICompatible } = await importPackage<ProviderPackage>('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({ name: 'bench', baseURL: baseUrl, includeUsage: true })
  return {
    read: async (model, onTokens, signal) => {
      let failure: unknown = null
      const { textStream } = streamText({
        ...promptFor(model),
        model: provider(model),
        maxRetries: 0,
        abortSignal: signal,
        onError: ({ error }: { readonly error: unknown }) => {
          failure = error
        },
      })
      for await (const text of textStream) {
        if (text !== '') onTokens(1)
      }
      if (failure !== null) throw failure
    },
    close: async () => {},
  }
}

async function importPackage<Exports>(name: string): Promise<Exports> {
  return (await import(name)) as Exports
}
