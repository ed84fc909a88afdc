import { AppError } from '../errors.ts'
import { encodeCursor } from './cursor.ts'
import { viewEither } from './find-workflow.ts'
import type { Caller, Outcome } from './service.ts'
import type { BoundKey, KeyBinding, WorkflowStore } from './store.ts'
import type { Principal } from './principal.ts'
import type { Clock } from './queue.ts'
import type { TaskResource, WorkflowResource } from './resources.ts'

type Either = WorkflowResource | TaskResource

interface KeyParts {
  readonly store: WorkflowStore
  readonly clock: Clock
  /** Keys are one namespace per principal. */
  readonly principal: Principal
}

/** Binds a caller's key to a change that is made when the log has `seq` events; null without a key. */
export type Bind = (seq: number) => KeyBinding | null

/**
 * Does `work`, once under a caller's Idempotency-Key: a repetition finds the resource as it is now. Two at once: the
 * second waits for the first's transaction and is a repetition. Throws `idempotency-key-reused` for another request.
 */
export async function once(
  parts: KeyParts,
  { idempotency }: Caller,
  work: (bind: Bind) => Promise<Outcome<Either>>,
): Promise<Outcome<Either>> {
  if (idempotency === null) return work(() => null)
  const { key, digest } = idempotency
  const owner = parts.principal.name
  const bind: Bind = (seq) => ({ owner, key, digest, seq })
  const replay = async (): Promise<Outcome<Either> | null> => {
    const bound = await parts.store.boundKey(owner, key)
    return bound === null ? null : repeat(parts, bound, digest)
  }
  const repeated = await replay()
  if (repeated !== null) return repeated
  // whoever comes second finds the key bound, or a state in which there is nothing left to do
  try {
    const outcome = await work(bind)
    return outcome.changed ? outcome : ((await replay()) ?? outcome)
  } catch (error) {
    if (!(error instanceof AppError) || !signsOfRepetition.has(error.code)) throw error
    const first = await replay()
    if (first === null) throw error
    return first
  }
}

const signsOfRepetition: ReadonlySet<string> = new Set(['idempotency-key-reused', 'conflict'])

async function repeat({ store, clock }: KeyParts, bound: BoundKey, digest: string): Promise<Outcome<Either> | null> {
  if (bound.digest !== digest) {
    throw new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another request.')
  }
  const record = await store.record(bound.workflowId)
  // deleted meanwhile, and the key with it
  if (record === null) return null
  const cursor = bound.seq === 0 ? null : encodeCursor(bound.workflowId, { seq: bound.seq, open: [] })
  return { resource: viewEither(record, clock.now()), changed: true, replayed: true, cursor }
}
