import { randomBytes } from 'node:crypto'
import { withAppErrors } from './database-errors.ts'
import type { Queryable } from './database.ts'

const keyBytes = 32

/** What signs for all replicas of one database, also after a restart. Throws `unavailable` while that cannot be reached. */
export type SigningKey = () => Promise<Uint8Array>

async function read(database: Queryable): Promise<Uint8Array | null> {
  const { rows } = await database.query<{ key: Uint8Array }>('SELECT key FROM agents.signing_key')
  return rows[0]?.key ?? null
}

async function make(database: Queryable): Promise<Uint8Array> {
  const insertion = 'INSERT INTO agents.signing_key (key) VALUES ($1) ON CONFLICT DO NOTHING'
  await database.query(insertion, [randomBytes(keyBytes)])
  const made = await read(database)
  if (made === null) throw new Error('the signing key was stored and is not there')
  return made
}

/** Reads the key once, and makes it where there is none; of replicas that do so at once, all get the same. */
export function createSigningKey(database: Queryable): SigningKey {
  let known: Promise<Uint8Array> | null = null
  return () => {
    known ??= withAppErrors(async () => (await read(database)) ?? make(database)).catch((error: unknown) => {
      known = null
      throw error
    })
    return known
  }
}
