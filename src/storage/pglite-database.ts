import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { Database, Queryable, QueryResult } from './database.ts'
import { mapPassing, unavailable, withConflictRetries } from './database-errors.ts'
import type { PGliteFailure, PGliteReply, PGliteRequest, PGliteWorkerData } from './pglite-messages.ts'

export interface PGliteOptions {
  /** Directory of the database's files; null: in memory, for tests. */
  readonly directory: string | null
  /** A transaction that is open for longer is rolled back; default 30 s. */
  readonly transactionLimitMs?: number
  readonly maintenanceIntervalMs?: number
}

export interface PGliteParts {
  /** The database must not be used any more and the process has to end: disk full, or the worker died. */
  onFatal(message: string): void
}

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

interface Line {
  ask(request: Unnumbered): Promise<QueryResult<Record<string, unknown>>>
  readonly opened: Promise<void>
  close(): Promise<void>
}

function createLine(data: PGliteWorkerData, parts: PGliteParts): Line {
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
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
    if (open) parts.onFatal(message)
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

/**
 * PGlite in a worker thread, so that a chain of statements does not starve the event loop. One unit of work at a time:
 * an open transaction holds up everybody else. Rejects when the directory cannot be opened.
 */
export async function openPGliteDatabase(options: PGliteOptions, parts: PGliteParts): Promise<Database> {
  const { directory, transactionLimitMs = 30_000, maintenanceIntervalMs = 10_000 } = options
  const line = createLine({ directory, transactionLimitMs, maintenanceIntervalMs }, parts)
  let lastTransaction = 0
  try {
    await line.opened
  } catch (error) {
    await line.close()
    throw error
  }

  async function query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    const result = await line.ask({ kind: 'query', text, values, transaction: null, begins: false })
    return result as QueryResult<Row>
  }

  async function transact<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const transaction = (lastTransaction += 1)
    let begun = false
    const tx: Queryable = {
      async query<Row>(text: string, values?: readonly unknown[]) {
        const begins = !begun
        begun = true
        return (await line.ask({ kind: 'query', text, values, transaction, begins })) as QueryResult<Row>
      },
    }
    const end = async (commit: boolean): Promise<void> => {
      if (begun) await line.ask({ kind: 'end', transaction, commit })
    }
    try {
      const result = await work(tx)
      await end(true)
      return result
    } catch (error) {
      await end(false).catch(() => undefined)
      throw error
    }
  }

  async function mapped<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withConflictRetries(work)
    } catch (error) {
      throw mapPassing(error)
    }
  }

  return {
    query: <Row>(text: string, values?: readonly unknown[]) => mapped(() => query<Row>(text, values)),
    transaction: (work) => mapped(() => transact(work)),
    close: () => line.close(),
  }
}
