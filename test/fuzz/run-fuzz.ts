import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { Agent, request as send } from 'undici'
import type { Dispatcher } from 'undici'
import { createAnswerCheck } from './answer-check.ts'
import type { SeenAnswer } from './answer-check.ts'
import { readDescription } from './description.ts'
import type { Description } from './description.ts'
import { createFuzzedWorld } from './fuzzed-world.ts'
import type { FuzzedWorld } from './fuzzed-world.ts'
import { requestsOf } from './request-arbitrary.ts'
import type { FuzzedRequest } from './request-arbitrary.ts'

export interface FuzzOptions {
  /** Of a service that nobody else uses. */
  readonly url: string
  readonly seed: number
  readonly requests: number
  /** Told after each piece of the work. */
  readonly onProgress?: (done: number) => void
}

export interface FuzzReport {
  /** What was wrong, with the request that shows it. */
  readonly faults: readonly string[]
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
  /** Operations that were not answered with a 2xx although they were asked as their description says. */
  readonly unserved: readonly string[]
}

const atOnce = 8
const piece = 500
const headersTimeoutMs = 20_000
const streamReadMs = 20

const first = [
  {
    type: 'custom',
    requirement: 'Write.',
    steps: [
      { id: 'a', role: 'developer', task: 'A.' },
      { id: 'b', role: 'qa_engineer', task: 'B.', depends_on: ['a'] },
    ],
  },
  { type: 'custom', requirement: 'Ask.', steps: [{ id: 'a', role: 'developer', task: 'A.', approval: true }] },
]

/**
 * Sends every example of the description, a plain request to every operation, and then generated ones; holds each
 * answer to the description.
 */
export async function runFuzz({ url, seed, requests, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const description = await readDescription()
  const check = createAnswerCheck(description)
  const world = createFuzzedWorld()
  const dispatcher = new Agent({ connections: atOnce, headersTimeout: headersTimeoutMs })
  const faults: string[] = []
  const statuses = new Map<number, number>()
  const served = new Set<string>()
  await populate(world, url)

  const sendOne = async (one: FuzzedRequest): Promise<void> => {
    const { method, path } = one.operation
    const target = world.urlOf(one)
    try {
      const answer = await exchange(dispatcher, url + target, one)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status < 300) served.add(`${method} ${path}`)
      learn(world, path, answer)
      if (method === 'DELETE' && answer.status === 204)
        world.forget(target.split(/[/?]/)[path.startsWith('/agents') ? 4 : 2] ?? '')
      const fault = check(one.operation, answer)
      if (fault !== null) faults.push(`${describe(one, target)}: ${fault}`)
    } catch (error) {
      if (!(await wasRemoved(url + target))) faults.push(`${describe(one, target)}: no answer: ${String(error)}`)
    }
  }

  for (const one of plainRequests(description)) await sendOne(one)
  const unserved = description.operations.filter(({ method, path }) => !served.has(`${method} ${path}`))
  for (let done = 0; done < requests; done += piece) {
    const numRuns = Math.min(piece, requests - done)
    const queue = fc.sample(requestsOf(description), { seed: seed + done, numRuns })
    const worker = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) await sendOne(next)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    onProgress?.(done + numRuns)
  }
  await dispatcher.close()
  return { faults, statuses, unserved: unserved.map(({ method, path }) => `${method} ${path}`) }
}

/** Every operation as it wants to be asked, with each example of its body; what removes things comes last. */
function plainRequests({ operations }: Description): readonly FuzzedRequest[] {
  const inOrder = operations.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))
  return inOrder.flatMap((operation) => {
    const bodies = operation.bodyExamples.length === 0 ? [null] : operation.bodyExamples
    return bodies.map((body) => ({
      operation,
      params: {},
      query: {},
      headers: {},
      body: body === null ? null : JSON.stringify(body),
    }))
  })
}

/** What is deleted while its archive is being sent is broken off. */
async function wasRemoved(url: string): Promise<boolean> {
  if (!url.includes('/artifacts.zip')) return false
  const { statusCode, body } = await send(url.slice(0, url.indexOf('/artifacts.zip')))
  await body.dump()
  return statusCode === 404
}

async function populate(world: FuzzedWorld, url: string): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const { body: answer } = await send(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=10' },
      body: JSON.stringify(body),
    })
    return ((await answer.json()) as { readonly id: string }).id
  }
  for (const body of first) world.add('workflow', await post('/workflows', body))
  world.add('task', await post('/agents/developer/tasks', { task: 'Do it.' }))
}

async function exchange(
  dispatcher: Dispatcher,
  url: string,
  { operation, headers, body }: FuzzedRequest,
): Promise<SeenAnswer> {
  const answer = await send(url, {
    dispatcher,
    method: operation.method,
    headers: { ...(body === null ? {} : { 'content-type': 'application/json' }), ...headers },
    body,
  })
  const mediaType = String(answer.headers['content-type'] ?? '').split(';', 1)[0] ?? ''
  const seen = { status: answer.statusCode, mediaType, correlationId: answer.headers['x-correlation-id'] }
  if (mediaType !== 'text/event-stream') return { ...seen, text: await answer.body.text() }
  answer.body.on('error', () => undefined)
  await delay(streamReadMs)
  answer.body.destroy()
  return { ...seen, text: null }
}

/** Ids of what was started are there from now on. */
function learn(world: FuzzedWorld, path: string, { status, text }: SeenAnswer): void {
  if ((status !== 202 && status !== 200) || text === null) return
  if (path !== '/workflows' && path !== '/agents/{role}/tasks') return
  const { id } = JSON.parse(text) as { readonly id?: unknown }
  if (typeof id === 'string') world.add(path === '/workflows' ? 'workflow' : 'task', id)
}

function describe({ operation, headers, body }: FuzzedRequest, target: string): string {
  return `${operation.method} ${target.slice(0, 300)} ${JSON.stringify(headers)} ${body?.slice(0, 500) ?? ''}`
}
