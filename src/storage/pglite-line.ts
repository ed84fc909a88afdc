import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { QueryResult } from './database.ts'
import { unavailable } from './database-errors.ts'
import type { PGliteFailure, PGliteReply, PGliteRequest, PGliteWorkerData } from './pglite-messages.ts'

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

/** Starts the thread. `onFatal`: the database must not be used any more and the process has to end. */
export function createPGliteLine(data: PGliteWorkerData, onFatal: (message: string) => void): PGliteLine {
  // The flags of a test runner or of npm are not meant for this thread.
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
  const exited = once(worker, 'exit')
  const pending = new Map<number, Pending>()
  const opening = Promise.withResolvers<void>()
  let lastId = 0
  let dead: string | null = null
  let open = false

  function die(message: string): void {
    if (dead !== null) return
    dead = message
    const error = unavailable(message)
    for (const waiting of pending.values()) waiting.reject(error)
    pending.clear()
    if (open) onFatal(message)
    else opening.reject(error)
  }

  worker.on('message', (reply: PGliteReply) => {
    if (reply.kind === 'fatal') return die(reply.message)
    if (reply.kind === 'open') {
      open = true
      return opening.resolve()
    }
    const waiting = pending.get(reply.id)
    pending.delete(reply.id)
    if (reply.kind === 'rows') waiting?.resolve(revive(reply))
    else waiting?.reject(toError(reply.failure))
  })
  worker.on('error', (error: Error) => die(`The embedded database's thread failed: ${error.message}`))
  worker.on('exit', () => die('The embedded database is closed.'))

  function ask(request: Unnumbered): Promise<QueryResult<Record<string, unknown>>> {
    if (dead !== null) return Promise.reject(unavailable(dead))
    const id = (lastId += 1)
    const answer = Promise.withResolvers<QueryResult<Record<string, unknown>>>()
    pending.set(id, answer)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ ...request, id })
    return answer.promise
  }

  return {
    ask,
    opened: opening.promise,
    async close() {
      if (dead === null) {
        const closed = ask({ kind: 'close' })
        // What comes after this is refused, and the thread's end is no accident.
        dead = 'The embedded database is closed.'
        await closed.catch(() => undefined)
      }
      await worker.terminate()
      await exited
    },
  }
}
