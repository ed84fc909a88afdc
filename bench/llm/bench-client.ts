/** A way to read the stream of a model server, under test. */
export interface BenchClient {
  /**
   * Reads one answer of `model` to its end and tells `onTokens` how many tokens came, as they come. An abort ends it,
   * normally or by throwing.
   */
  read(model: string, onTokens: (count: number) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Opens a client for the server at `baseUrl` (with `/v1`). */
export type OpenBenchClient = (baseUrl: string) => BenchClient | Promise<BenchClient>

/** Every client that can be measured, in the order of the tables. */
export const clientNames = ['pipe', 'ours', 'sdk-request', 'sdk', 'ai'] as const

export type ClientName = (typeof clientNames)[number]

/** Those that are measured when nobody says otherwise. */
export const defaultClients: readonly ClientName[] = ['pipe', 'ours', 'sdk', 'ai']

/** What they are, for the reader of a table. */
export const clientTitles: Readonly<Record<ClientName, string>> = {
  pipe: 'byte pipe (undici.request, bytes counted)',
  ours: "this service's model client",
  'sdk-request': "openai iterator over this service's fetch",
  sdk: 'openai iterator, as documented',
  ai: 'ai streamText, as documented',
}
