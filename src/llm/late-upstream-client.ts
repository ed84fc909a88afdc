import type { Endpoint, UpstreamClient } from './upstream-client.ts'

/**
 * An upstream client that is made, and whose packages are loaded, when it is first asked: their hundreds of files would
 * hold up the start of the process.
 */
export function createLateUpstreamClient(
  endpoint: Endpoint,
  options: { readonly connectTimeoutMs: number },
): UpstreamClient {
  let making: Promise<UpstreamClient> | null = null
  const made = (): Promise<UpstreamClient> => (making ??= make(endpoint, options))
  return {
    chat: async (request, chatOptions) => (await made()).chat(request, chatOptions),
    get: async (path, callOptions) => (await made()).get(path, callOptions),
    close: async () => (await making)?.close(),
    destroy: async () => (await making)?.destroy(),
  }
}

async function make(endpoint: Endpoint, options: { readonly connectTimeoutMs: number }): Promise<UpstreamClient> {
  const { createUpstreamClient } = await import('./upstream-client.ts')
  return createUpstreamClient(endpoint, options)
}
