import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readBody } from 'node:stream/consumers'
import {
  answerHttp,
  type Behaviour,
  completion,
  type HttpAnswer,
  type NoAnswer,
  type SeenCall,
  streamText,
  type TextAnswer,
  wasCutByServer,
} from './fault-answers.ts'

/** How a server is to behave. */
export interface ModelServerOptions {
  /** How each call is answered; by default with `ok`. */
  readonly answer?: (call: SeenCall) => Behaviour | Promise<Behaviour>
  /** What `/v1/models` lists: ids, or whole rows. */
  readonly models?: readonly (string | Readonly<Record<string, unknown>>)[]
  /** Overrides the answer of any GET. */
  readonly get?: (path: string) => HttpAnswer | NoAnswer | undefined
  readonly port?: number
  /** How long it keeps a connection that nobody uses, in milliseconds; it tells so. */
  readonly keepAliveMs?: number
}

/** An OpenAI-compatible model server that does what a test tells it. */
export interface ModelServerDouble {
  /** Ends in `/v1`. */
  readonly url: string
  readonly port: number
  /** Every chat completion so far. */
  readonly calls: readonly SeenCall[]
  /** Every GET so far, path and query. */
  readonly gets: readonly string[]
  readonly running: number
  readonly maxConcurrent: number
  /** Changes how the calls from now on are answered. */
  readonly answerWith: (answer: (call: SeenCall) => Behaviour | Promise<Behaviour>) => void
  /** Resolves with the n-th call (from 1) as soon as it has come. */
  readonly called: (n: number) => Promise<SeenCall>
  /** Cuts every connection and stops listening. */
  readonly close: () => Promise<void>
}

/** Starts one on a free port of 127.0.0.1. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServerDouble> {
  const journal = createJournal()
  const gets: string[] = []
  let answer = options.answer ?? ((): Behaviour => 'ok')

  const server = createServer((request, response) => {
    response.on('error', () => {})
    const work = request.method === 'GET' ? serveGet(request, response) : serveChat(request, response)
    work.catch((error: unknown) => response.destroy(error as Error))
  })
  const serveGet = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/'
    gets.push(path)
    const told = options.get?.(path)
    if (told !== undefined) return answerHttp(response, told)
    const known: HttpAnswer = { status: 200, body: modelList(options.models ?? ['test-model']) }
    return answerHttp(response, path.endsWith('/models') ? known : { status: 404, body: { error: 'not found' } })
  }
  const serveChat = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = journal.open(request, JSON.parse(await readBody(request)) as Record<string, unknown>)
    response.once('close', () => journal.close(call, !response.writableFinished && !wasCutByServer(response)))
    const behaviour = await answer(call)
    if (typeof behaviour === 'object' && !('text' in behaviour)) return answerHttp(response, behaviour)
    const text: TextAnswer = typeof behaviour === 'string' ? { text: behaviour } : behaviour
    return call.stream ? streamText(response, call, text) : answerHttp(response, completion(call, text))
  }

  if (options.keepAliveMs !== undefined) server.keepAliveTimeout = options.keepAliveMs
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    calls: journal.calls,
    gets,
    get running() {
      return journal.running()
    },
    get maxConcurrent() {
      return Math.max(0, ...journal.calls.map(({ concurrent }) => concurrent))
    },
    answerWith: (next) => {
      answer = next
    },
    called: journal.called,
    close: async () => {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

interface Journal {
  readonly calls: readonly SeenCall[]
  readonly running: () => number
  readonly open: (request: IncomingMessage, body: Record<string, unknown>) => SeenCall
  readonly close: (call: SeenCall, aborted: boolean) => void
  readonly called: (n: number) => Promise<SeenCall>
}

function createJournal(): Journal {
  const calls: (SeenCall & { running: boolean; aborted: boolean })[] = []
  const ends = new Map<SeenCall, () => void>()
  const waiting = new Set<{ readonly n: number; readonly resolve: (call: SeenCall) => void }>()
  const running = (): number => calls.filter((call) => call.running).length
  const tell = (): void => {
    for (const waiter of waiting) {
      const call = calls[waiter.n - 1]
      if (call === undefined) continue
      waiting.delete(waiter)
      waiter.resolve(call)
    }
  }
  return {
    calls,
    running,
    open: ({ headers, socket }, body) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const messages = body['messages'] as SeenCall['messages']
      const call = {
        index: calls.length,
        headers,
        remotePort: socket.remotePort,
        body,
        model: String(body['model']),
        stream: body['stream'] === true,
        messages,
        system: messages.find(({ role }) => role === 'system')?.content ?? '',
        user: messages.findLast(({ role }) => role === 'user')?.content ?? '',
        running: true,
        aborted: false,
        concurrent: running() + 1,
        ended: promise,
      }
      calls.push(call)
      ends.set(call, resolve)
      tell()
      return call
    },
    close: (call, aborted) => {
      Object.assign(call, { running: false, aborted })
      ends.get(call)?.()
    },
    called: (n) =>
      new Promise((resolve) => {
        waiting.add({ n, resolve })
        tell()
      }),
  }
}

function modelList(models: readonly (string | Readonly<Record<string, unknown>>)[]): object {
  return {
    object: 'list',
    data: models.map((row) => (typeof row === 'string' ? { id: row, object: 'model', owned_by: 'test' } : row)),
  }
}
