import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import type { QueryResult } from './database.ts'
import { unavailable } from './database-errors.ts'
import type { PGliteFailure, PGliteReply, PGliteRequest, PGliteWorkerData } from './pglite-messages.ts'
import { createSilence, freeBytesOf } from './silence.ts'
import type { Silence } from './silence.ts'

interface Pending {
  resolve(result: QueryResult<Record<string, unknown>>): void
  reject(error: unknown): void
}

/** What a request is before it has its number. */
type Unnumbered = PGliteRequest extends infer R ? (R extends PGliteRequest ? Omit<R, 'id'> : never) : never

function revive(reply: PGliteReply & { kind: 'rows' }): QueryResult<Record<string, unknown>> {
  const { rows, rowCount, columns } = reply
  for (const row of rows) {
    for (const name of columns.json) {
      const text = row[name]
      if (typeof text === 'string') row[name] = JSON.parse(text)
    }
    for (const name of columns.bytes) {
      const bytes = row[name]
      if (bytes instanceof Uint8Array) row[name] = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
  }
  return { rows, rowCount }
}

function toError(failure: PGliteFailure): Error {
  return Object.assign(new Error(failure.message), failure)
}

/** The thread of an embedded database, as the main thread talks to it. */
export interface PGliteLine {
  /** Throws `unavailable` when the thread is gone, else the database's own error. */
  ask(request: Unnumbered): Promise<QueryResult<Record<string, unknown>>>
  /** Rejects when the database cannot be opened. */
  readonly opened: Promise<void>
  /** Closes the database and ends the thread. */
  close(): Promise<void>
}

const patienceAtCloseMs = 10_000

interface Answers {
  readonly silence: Silence
  add(): { readonly id: number; readonly promise: Promise<QueryResult<Record<string, unknown>>> }
  settle(reply: PGliteReply & { kind: 'rows' | 'failed' }): void
  rejectAll(message: string): void
}

function createAnswers(directory: string | null): Answers {
  const pending = new Map<number, Pending>()
  const silence = createSilence({ freeBytes: () => freeBytesOf(directory) })
  let lastId = 0
  return {
    silence,
    add() {
      const id = (lastId += 1)
      const answer = Promise.withResolvers<QueryResult<Record<string, unknown>>>()
      pending.set(id, answer)
      silence.asked()
      return { id, promise: answer.promise }
    },
    settle(reply) {
      const waiting = pending.get(reply.id)
      if (!waiting) return
      pending.delete(reply.id)
      silence.answered()
      if (reply.kind === 'rows') waiting.resolve(revive(reply))
      else waiting.reject(toError(reply.failure))
    },
    rejectAll(message) {
      for (const waiting of pending.values()) waiting.reject(unavailable(message))
      pending.clear()
    },
  }
}

const closedMessage = 'The embedded database is closed.'

/** Starts the thread. `onFatal`: the database must not be used any more and the process has to end. */
export function createPGliteLine(data: PGliteWorkerData, onFatal: (message: string) => void): PGliteLine {
  // The flags of a test runner or of npm are not meant for this thread.
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
  const exited = once(worker, 'exit')
  const answers = createAnswers(data.directory)
  const opening = Promise.withResolvers<void>()
  let dead: string | null = null
  let open = false

  function die(message: string): void {
    clearInterval(watch)
    answers.rejectAll(dead ?? message)
    if (dead !== null) return
    dead = message
    if (open) onFatal(message)
    else opening.reject(unavailable(message))
  }

  async function listen(): Promise<void> {
    const message = await answers.silence.verdict().catch(() => null)
    if (message !== null) die(message)
  }

  const watch = setInterval(() => void listen(), 1000).unref()

  worker.on('message', (reply: PGliteReply) => {
    if (reply.kind === 'fatal') return die(reply.message)
    if (reply.kind !== 'open') return answers.settle(reply)
    open = true
    opening.resolve()
  })
  worker.on('error', (error: Error) => die(`The embedded database's thread failed: ${error.message}`))
  worker.on('exit', () => die(closedMessage))

  function ask(request: Unnumbered): Promise<QueryResult<Record<string, unknown>>> {
    if (dead !== null) return Promise.reject(unavailable(dead))
    const { id, promise } = answers.add()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ ...request, id })
    return promise
  }

  async function askToClose(): Promise<void> {
    const closed = ask({ kind: 'close' })
    // What comes after this is refused, and the thread's end is no accident.
    dead ??= closedMessage
    const patience = new AbortController()
    const tooLate = delay(patienceAtCloseMs, undefined, { signal: patience.signal })
    await Promise.race([closed, tooLate]).catch(() => undefined)
    patience.abort()
    await tooLate.catch(() => undefined)
  }

  return {
    ask,
    opened: opening.promise,
    async close() {
      if (dead === null) await askToClose()
      await worker.terminate()
      await exited
      clearInterval(watch)
    },
  }
}
