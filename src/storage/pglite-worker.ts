import { parentPort, workerData } from 'node:worker_threads'

import { PGlite, types } from '@electric-sql/pglite'
import type { Results } from '@electric-sql/pglite'

import { createMaintenance } from './pglite-maintenance.ts'
import type { PGliteFailure, PGliteReply, PGliteRequest, PGliteWorkerData } from './pglite-messages.ts'
import { createTurns } from './turns.ts'

const diskFull = '53100'
const givenUp = '25P03'
const asText = (text: string): string => text

function describe(error: unknown): PGliteFailure {
  const fields = (error instanceof Error ? error : new Error(String(error))) as Error & Partial<PGliteFailure>
  const { message, code = '', detail, schema, table, constraint } = fields
  return { message, code, detail, schema, table, constraint }
}

function columnsOf(results: readonly Results[], ...typeIds: number[]): string[] {
  return results.flatMap(({ fields }) => fields.filter((f) => typeIds.includes(f.dataTypeID)).map((f) => f.name))
}

/** Runs in a thread of its own: the only user of the database's files. */
async function serve(post: (reply: PGliteReply) => void, data: PGliteWorkerData): Promise<(r: PGliteRequest) => void> {
  const database = await PGlite.create({
    ...(data.directory === null ? {} : { dataDir: data.directory }),
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
    parsers: { [types.JSON]: asText, [types.JSONB]: asText, [types.INT8]: Number },
  })

  function die(message: string): void {
    // After a full disk the very next statement would spin for ever, so nothing that waits may run.
    turns.stop()
    clearInterval(timer)
    post({ kind: 'fatal', message })
  }

  async function run(text: string, values?: readonly unknown[]): Promise<readonly Results[]> {
    try {
      if (values && values.length > 0) return [await database.query<Record<string, unknown>>(text, [...values])]
      return await database.exec(text)
    } catch (error) {
      const { code, message } = describe(error)
      if (code === diskFull) die('The disk is full.')
      else if (code === '') die(`The embedded database broke: ${message}`)
      throw error
    }
  }

  async function undo(): Promise<void> {
    await run('ROLLBACK').catch(() => undefined)
  }

  async function answer(id: number, work: () => Promise<readonly Results[]>): Promise<void> {
    try {
      const results = await work()
      const rows = results.flatMap((result) => result.rows)
      const rowCount = results.reduce((sum, result) => sum + (result.rowCount ?? 0), 0)
      const columns = { json: columnsOf(results, types.JSON, types.JSONB), bytes: columnsOf(results, types.BYTEA) }
      post({ kind: 'rows', id, rows, rowCount, columns })
    } catch (error) {
      post({ kind: 'failed', id, failure: describe(error) })
    }
  }

  const maintenance = createMaintenance(async (text) => (await run(text)).flatMap((result) => result.rows))
  const turns = createTurns({
    transactionLimitMs: data.transactionLimitMs,
    giveUp: undo,
    idle: () => {
      const piece = maintenance.take()
      return piece && (() => piece().catch(() => undefined))
    },
  })
  const timer = setInterval(() => {
    turns.enter(null, () => maintenance.plan().catch(() => undefined))
  }, data.maintenanceIntervalMs)

  async function single(text: string, values: readonly unknown[] | undefined): Promise<readonly Results[]> {
    try {
      return await run(text, values)
    } catch (error) {
      // Several statements in one text may have left a transaction of their own open.
      if (!values?.length) await undo()
      throw error
    }
  }

  function refuse(id: number): void {
    const message = 'The transaction took too long and was rolled back.'
    post({ kind: 'failed', id, failure: { ...describe(new Error(message)), code: givenUp } })
  }

  function query(request: PGliteRequest & { kind: 'query' }): void {
    const { id, text, values, transaction, begins } = request
    if (transaction === null) return turns.enter(null, () => answer(id, () => single(text, values)))
    if (begins) {
      return turns.enter(transaction, () =>
        answer(id, async () => {
          await run('BEGIN')
          return run(text, values)
        }),
      )
    }
    if (!turns.within(transaction, () => answer(id, () => run(text, values)))) refuse(id)
  }

  async function end(commit: boolean): Promise<readonly Results[]> {
    const results = await run(commit ? 'COMMIT' : 'ROLLBACK')
    if (commit && results[0]?.command === 'ROLLBACK') {
      throw Object.assign(new Error('The transaction was rolled back because a statement in it had failed.'), {
        code: '25P02',
      })
    }
    return results
  }

  return (request) => {
    if (request.kind === 'query') return query(request)
    if (request.kind === 'end') {
      const { id, transaction, commit } = request
      if (!turns.leave(transaction, () => answer(id, () => end(commit)))) refuse(id)
      return
    }
    turns.enter(null, async () => {
      clearInterval(timer)
      await answer(request.id, async () => {
        await database.exec('CHECKPOINT')
        await database.close()
        return []
      })
      parentPort?.close()
    })
  }
}

if (parentPort) {
  const port = parentPort
  const post = (reply: PGliteReply): void => port.postMessage(reply)
  try {
    const handle = await serve(post, workerData as PGliteWorkerData)
    port.on('message', handle)
    post({ kind: 'open' })
  } catch (error) {
    post({ kind: 'fatal', message: `The embedded database does not open: ${describe(error).message}` })
  }
}
