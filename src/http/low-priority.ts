import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { HttpApp } from './http-app.ts'
import { hasScope } from './keyring.ts'

function priorityOf({ body }: FastifyRequest): number {
  const { options } = (body ?? {}) as { readonly options?: { readonly priority?: unknown } }
  return typeof options?.priority === 'number' ? options.priority : 0
}

/** Only who sees to all keys may put work behind that of the others: `forbidden` for a priority below 0 without `admin`. */
export function keepLowPriorities(app: HttpApp): void {
  app.addHook('preHandler', async (request) => {
    const { identity } = request
    if (identity === null || hasScope(identity, 'admin') || priorityOf(request) >= 0) return
    throw new AppError('forbidden', 'A priority below 0 needs a key with the scope "admin".', {
      faults: [{ pointer: '/options/priority', detail: 'must not be below 0' }],
    })
  })
}
