import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, Pick } from './cluster.ts'
import type { History } from './history.ts'

/** What is needed to be a client. */
export interface ClientParts {
  readonly cluster: Cluster
  readonly history: History
  /** Told of an answer that should not be. */
  readonly onFault: (fault: string, workflow: string | null) => void
  /** Aborted when the run is given up. */
  readonly stop: AbortSignal
}

export interface Post {
  readonly path: string
  readonly body: object
  /** Idempotency-Key, and the name of the request in the events that come of it. */
  readonly key: string
  readonly workflow: string | null
}

/** The answer that a client got in the end. */
export interface Answer {
  readonly status: number
  readonly body: { readonly id?: string; readonly status?: string; readonly title?: string; readonly detail?: string }
  readonly replayed: boolean
  /** Tries before that got no answer. */
  readonly unanswered: number
}

const [shortestWaitMs, longestWaitMs] = [30, 150]
const [shortestPatienceMs, longestPatienceMs] = [2500, 6000]
/** Nobody is there, or asks to come back: the request is sent again. */
const comeBack = new Set([429, 503])

/** Posts until somebody answers, each time to any of the replicas, always with the same key. */
export async function post(parts: ClientParts, request: Post, pick: Pick): Promise<Answer> {
  const { cluster, history, stop, onFault } = parts
  const { path, key, workflow } = request
  for (let unanswered = 0; ;) {
    const answer = await tryOnce(await cluster.anyUrl(pick), request, pick(shortestPatienceMs, longestPatienceMs))
    if (answer === null) unanswered += 1
    else if (!comeBack.has(answer.status)) {
      const { status, replayed, body } = answer
      const told = `${status}${replayed ? ' again' : ''} ${body.id ?? ''} ${body.status ?? body.title ?? ''}`
      history.note(`POST ${path} [${key}]: ${told}${unanswered > 0 ? `, ${unanswered} unanswered` : ''}`, workflow)
      if (status >= 500) onFault(`POST ${path} [${key}]: ${status} ${JSON.stringify(body)}`, workflow)
      return { ...answer, unanswered }
    }
    stop.throwIfAborted()
    await delay(pick(shortestWaitMs, longestWaitMs))
  }
}

async function tryOnce(url: string, { path, body, key }: Post, patienceMs: number) {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': key,
    'x-correlation-id': key,
    connection: 'close',
  }
  const init = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(patienceMs) }
  try {
    const answer = await fetch(`${url}${path}`, init)
    const replayed = answer.headers.get('idempotency-replayed') === 'true'
    return { status: answer.status, body: (await answer.json()) as Answer['body'], replayed }
  } catch {
    return null
  }
}

/** GETs JSON until somebody answers 200. Throws on an answer that should not be. */
export async function getJson<T>(parts: ClientParts, path: string, pick: Pick): Promise<T> {
  const { cluster, stop } = parts
  for (;;) {
    const url = await cluster.anyUrl(pick)
    const init = { headers: { accept: 'application/json', connection: 'close' }, signal: AbortSignal.timeout(10_000) }
    const answer = await fetch(`${url}${path}`, init).catch(() => null)
    const body: unknown = await answer?.json().catch(() => null)
    if (answer?.status === 200 && body !== null) return body as T
    if (answer !== null && answer.status !== 200 && !comeBack.has(answer.status)) {
      throw new Error(`GET ${path}: ${answer.status} ${JSON.stringify(body)}`)
    }
    stop.throwIfAborted()
    await delay(pick(shortestWaitMs, longestWaitMs))
  }
}
