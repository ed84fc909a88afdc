/** Everything that a stream of tokens can go through, in the order of the tables. */
export const contenderNames = ['pipe', 'ours', 'ours-pglite', 'portkey', 'ai'] as const

export type ContenderName = (typeof contenderNames)[number]

/** Those that need what is installed in `bench/peers`. */
export type PeerName = 'portkey' | 'ai'

/** What they are, for the reader of a table. */
export const contenderTitles: Readonly<Record<ContenderName, string>> = {
  pipe: 'byte pipe (node:http, undici.request)',
  ours: 'this service, on Postgres',
  'ours-pglite': 'this service, on PGlite',
  portkey: '@portkey-ai/gateway',
  ai: 'ai streamText behind Fastify',
}

/** Whether it is another project. */
export function isPeer(name: ContenderName): name is PeerName {
  return name === 'portkey' || name === 'ai'
}

/** Whether it is this service. */
export function isOurs(name: ContenderName): boolean {
  return name === 'ours' || name === 'ours-pglite'
}

/** How the model server answers, which is also its name for the model; `silent` begins an answer and says nothing. */
export type AnswerKind = 'paced' | 'flat' | 'probe' | 'silent'

/** A request that is answered with a stream: a POST if there is a body. */
export interface StreamRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

const prompt = 'Talk for a while.'

/** How a contender is asked for a stream of one answer of that kind. */
export function requestFor(name: ContenderName, model: AnswerKind, modelUrl: string): StreamRequest {
  const chat = { model, messages: [{ role: 'user', content: prompt }], temperature: 0.7, stream: true }
  switch (name) {
    case 'pipe':
      return { path: '/', headers: {}, body: chat }
    case 'ours':
    case 'ours-pglite':
      return { path: '/workflows', headers: { accept: 'text/event-stream' }, body: oneStep(model) }
    case 'portkey':
      return { path: '/v1/chat/completions', headers: portkeyHeaders(modelUrl), body: chat }
    case 'ai':
      return { path: '/', headers: {}, body: { model, prompt } }
    default:
      return name satisfies never
  }
}

/** A workflow of this service with one step, whose model answers like that. */
export function oneStep(model: AnswerKind): unknown {
  const step = { id: 'talk', role: 'technical_writer', task: prompt }
  return { type: 'custom', requirement: prompt, steps: [step], options: { model } }
}

function portkeyHeaders(modelUrl: string): Readonly<Record<string, string>> {
  return { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': modelUrl, authorization: 'Bearer none' }
}
