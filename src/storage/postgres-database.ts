import { Pool, types } from 'pg'
import type pg from 'pg'

import type { Database, Queryable, QueryResult } from './database.ts'
import { isConnectionLost, unavailable, withConflictRetries } from './database-errors.ts'
import { postgresAddress } from './postgres-address.ts'
import { createStatementNames } from './statement-names.ts'
import type { StatementNames } from './statement-names.ts'

export interface PostgresOptions {
  readonly databaseUrl: string
  readonly poolSize: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
}

export interface PostgresParts {
  /** Told of connections that broke while nobody used them. */
  onError?(error: unknown): void
}

function flatten<Row>(result: pg.QueryResult | readonly pg.QueryResult[]): QueryResult<Row> {
  const results = Array.isArray(result) ? (result as readonly pg.QueryResult[]) : [result as pg.QueryResult]
  if (results.length === 1 && results[0]) return { rows: results[0].rows as Row[], rowCount: results[0].rowCount ?? 0 }
  return {
    rows: results.flatMap((one) => one.rows as Row[]),
    rowCount: results.reduce((sum, one) => sum + (one.rowCount ?? 0), 0),
  }
}

function createRun(names: StatementNames) {
  return async <Row>(client: pg.ClientBase, text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> => {
    // Without values it may be several statements, which cannot be prepared.
    const name = values === undefined || values.length === 0 ? undefined : names.of(text)
    if (name === undefined) return flatten<Row>(await client.query(text, values as unknown[] | undefined))
    return flatten<Row>(await client.query({ name, text, values: values as unknown[] }))
  }
}

const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (typeId, format) =>
    // Counts and sizes: none of ours is beyond what a number holds.
    typeId === types.builtins.INT8 && format !== 'binary' ? Number : types.getTypeParser(typeId, format),
}

function createPool(options: PostgresOptions): pg.Pool {
  return new Pool({
    ...postgresAddress(options.databaseUrl),
    max: options.poolSize,
    application_name: 'multi-agent-service',
    connectionTimeoutMillis: 2000,
    keepAlive: true,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: 30_000,
    // A server that is frozen cannot time anything out itself.
    query_timeout: options.statementTimeoutMs + Math.min(options.statementTimeoutMs, 5000),
    types: rowTypes,
  })
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT')
  // COMMIT of a transaction in which a statement failed succeeds by rolling back.
  if (command === 'ROLLBACK') throw new Error('The transaction was rolled back because a statement in it had failed.')
}

async function rollback(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Postgres over a pool. Connects when it is first used; throws an `AppError` for an address that cannot be used. */
export function createPostgresDatabase(options: PostgresOptions, parts: PostgresParts = {}): Database {
  const pool = createPool(options)
  const names = createStatementNames()
  const run = createRun(names)
  pool.on('error', (error) => parts.onError?.(error))
  pool.on('connect', (client) => client.on('error', () => undefined))
  let closing: Promise<void> | null = null

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (closing) throw unavailable('The database is closed.')
    const client = await pool.connect()
    let broken: Error | undefined
    // The pool takes its own listener off a client that is checked out; unheard, the event would end the process.
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    try {
      return await work(client)
    } catch (error) {
      broken ??= isConnectionLost(error) ? error : await rollback(client)
      throw error
    } finally {
      // The pool does not listen to a client that it throws away, and what breaks one may be told of twice.
      if (broken === undefined) client.removeListener('error', onError)
      client.release(broken)
    }
  }

  return {
    query: <Row>(text: string, values?: readonly unknown[]) =>
      withConflictRetries(() => withClient((client) => run<Row>(client, text, values)), names.dropAfter),
    transaction: <T>(work: (tx: Queryable) => Promise<T>) =>
      withConflictRetries(
        () =>
          withClient(async (client) => {
            await client.query('BEGIN')
            const result = await work({ query: (text, values) => run(client, text, values) })
            await commit(client)
            return result
          }),
        names.dropAfter,
      ),
    close: () => (closing ??= pool.end()),
    connections: () => ({
      open: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      limit: options.poolSize,
    }),
  }
}
