import { AppError } from '../errors.ts'
import type { BoundKey, KeyBinding, WorkflowStore } from '../workflows/store.ts'
import type { Queryable } from './database.ts'
import type { StatementParts } from './statement-parts.ts'

const expired = `created_at <= now() - interval '24 hours'`

/**
 * Adds the binding of a key to a change; without one nothing. The insertion waits for a transaction that is binding
 * the same key, and breaks the whole statement when that is or was bound: see `refusingUsedKeys`.
 */
export function addBinding(parts: StatementParts, binding: KeyBinding | null): void {
  if (binding === null) return
  const [owner, key, digest] = [binding.owner, binding.key, binding.digest].map((value) => `${parts.bind(value)}::text`)
  parts.add(
    'x',
    `DELETE FROM agents.idempotency_keys t USING w WHERE t.owner = ${owner} AND t.key = ${key} AND t.${expired} RETURNING t.key`,
  )
  // The count makes the insertion wait for the deletion.
  parts.add(
    'k',
    `INSERT INTO agents.idempotency_keys (owner, key, digest, workflow_id, seq)
     SELECT ${owner}, ${key}, ${digest}, w.id, ${parts.bind(binding.seq)}::integer FROM w, (SELECT count(*) FROM x) AS gone`,
  )
}

function isUsedKey(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'idempotency_keys_pkey'
}

/** Runs a change that may bind a key; throws `idempotency-key-reused` when that is bound already. */
export async function refusingUsedKeys<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isUsedKey(error)) throw error
    throw new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another request.', { cause: error })
  }
}

/** What a key is bound to, unless that was too long ago. */
export function createKeyReads(database: Queryable): Pick<WorkflowStore, 'boundKey'> {
  const text = `SELECT digest, workflow_id AS "workflowId", seq FROM agents.idempotency_keys
    WHERE owner = $1 AND key = $2 AND NOT ${expired}`
  return {
    async boundKey(owner, key) {
      return (await database.query<BoundKey>(text, [owner, key])).rows[0] ?? null
    },
  }
}

/** Deletes keys that are free again anyway, a piece at a time; replicas that do so at once share the work. */
export async function forgetExpiredKeys(database: Queryable): Promise<void> {
  await database.query(
    `DELETE FROM agents.idempotency_keys WHERE (owner, key) IN (
       SELECT owner, key FROM agents.idempotency_keys WHERE ${expired} LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
  )
}
