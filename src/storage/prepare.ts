import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createStorage } from './create-storage.ts'
import { readMigrations } from './migrate.ts'

const packages = ['@electric-sql/pglite', 'pg-boss']

async function versionOf(name: string): Promise<string> {
  const require = createRequire(import.meta.url)
  const entry = require.resolve(name)
  const root = entry.slice(0, entry.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return `${name}@${version}`
}

/** Where the prepared database of this schema and these versions lies, whether it is there or not. */
export async function preparedDirectoryPath(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of packages) hash.update(await versionOf(name))
  for (const { name, text } of await readMigrations()) hash.update(name).update(text)
  const cache = fileURLToPath(new URL('../../node_modules/.cache/multi-agent-service/', import.meta.url))
  return join(cache, `pgdata-${hash.digest('hex').slice(0, 16)}`)
}

/** Makes the prepared database at `path`, unless it is there: initialised, migrated, with the queue's schema, and empty. */
export async function prepareDatabase(path: string): Promise<void> {
  if (existsSync(path)) return
  const work = join(dirname(path), `making-${randomUUID()}`)
  const storage = createStorage(
    { databaseUrl: null, dataDirectory: work, poolSize: 2, statementTimeoutMs: 60_000, lockTimeoutMs: 60_000 },
    { onFatal: () => undefined },
  )
  try {
    await storage.start()
    await storage.close()
    await rename(join(work, 'pgdata'), path)
  } finally {
    await storage.close()
    await rm(work, { recursive: true, force: true })
  }
}

if (import.meta.main) await prepareDatabase(await preparedDirectoryPath())
