import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { importPackage } from './import-package.ts'

// the part of both packages that is used; their own types are there only when they are installed
interface Ai {
  readonly streamText: (request: Readonly<Record<string, unknown>>) => {
    pipeUIMessageStreamToResponse(response: ServerResponse): Promise<void>
  }
}

interface Provider {
  readonly createOpenAICompatible: (options: Readonly<Record<string, unknown>>) => (model: string) => unknown
}

/** `streamText` in a route of Fastify, as its documentation shows it. */
export async function openAiRelay(modelUrl: string): Promise<number> {
  const { streamText } = await importPackage<Ai>('ai')
  const { createOpenAICompatible } = await importPackage<Provider>('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({ name: 'bench', baseURL: modelUrl, includeUsage: true })
  const app = fastify()
  app.post<{ Body: { readonly model: string; readonly prompt: string } }>('/', async (request, reply) => {
    const leave = new AbortController()
    reply.raw.once('close', () => leave.abort())
    const { model, prompt } = request.body
    const answer = streamText({ model: provider(model), prompt, abortSignal: leave.signal, onError: () => undefined })
    reply.hijack()
    await answer.pipeUIMessageStreamToResponse(reply.raw)
  })
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 })
  return (app.server.address() as AddressInfo).port
}
