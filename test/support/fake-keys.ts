import { AppError } from '../../src/errors.ts'
import type { Caller, Outcome } from '../../src/workflows/service.ts'
import type { FakeRun } from './fake-run.ts'

type Any = Outcome<FakeRun['resource']>

/** Idempotency keys over a map. */
export interface FakeKeys {
  /** Does it, or answers with what was done under the same key: the resource as `current` has it, null when it is gone. */
  once<T extends FakeRun['resource']>(caller: Caller, work: () => Promise<Outcome<T>>): Promise<Outcome<T>>
}

/** `current` finds a resource as it is now. */
export function createFakeKeys(current: (id: string) => FakeRun['resource'] | null): FakeKeys {
  const bound = new Map<string, { readonly digest: string; readonly first: Promise<Any> }>()

  const repeat = async ({ idempotency }: Caller): Promise<Any | null> => {
    const known = idempotency && bound.get(idempotency.key)
    if (!known) return null
    const first = await known.first.catch(() => null)
    const resource = first && current(first.resource.id)
    if (!first || !resource) return null
    if (known.digest !== idempotency.digest) {
      throw new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another request.')
    }
    return { resource, changed: true, replayed: true, cursor: first.cursor }
  }

  return {
    async once<T extends FakeRun['resource']>(caller: Caller, work: () => Promise<Outcome<T>>) {
      const repeated = await repeat(caller)
      if (repeated) return repeated as Outcome<T>
      const first = work()
      if (caller.idempotency) bound.set(caller.idempotency.key, { digest: caller.idempotency.digest, first })
      return first
    },
  }
}
