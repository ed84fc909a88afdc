import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode } from '../errors.ts'
import { AppError } from '../errors.ts'
import type { AppParts, HttpObserver } from './app-parts.ts'
import { pathOf } from './guards.ts'
import type { HttpApp } from './http-app.ts'
import { problemHeaders, problemOf, toAppError } from './problem.ts'
import { hasBadParams } from './validation.ts'

interface Refusal {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly error: unknown
}

/** Template of the route of a request, for logs and labels. */
export function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unmatched'
}

/** Answers any error as a problem; what nobody foresaw is told to the observer and shown as `internal`. */
export function answerProblem({ request, reply, error }: Refusal, observer: HttpObserver): FastifyReply {
  const shown = toAppError(error)
  const correlationId = request.id
  if (shown.code === 'internal') {
    observer.requestFailed?.({ method: request.method, route: routeOf(request), correlationId, error })
  }
  const problem = problemOf(shown, { path: pathOf(request), correlationId })
  return (
    reply
      .code(problem.status)
      .headers({ ...problemHeaders(shown), 'x-correlation-id': correlationId })
      .type('application/problem+json')
      // as bytes: to a text Fastify would add a charset, which this media type does not have
      .send(Buffer.from(JSON.stringify(problem)))
  )
}

/** Faults of the input. Whatever they are, a path that names nothing is 404. */
const inputCodes: ReadonlySet<ErrorCode> = new Set([
  'invalid-request',
  'not-acceptable',
  'payload-too-large',
  'unsupported-media-type',
])

/** The `not-found` of a request whose path names nothing; null when it names something, or that cannot be told. */
async function nothingThere(request: FastifyRequest, parts: AppParts): Promise<AppError | null> {
  const { exists } = request.routeOptions.config
  if (exists === undefined || !parts.ready() || hasBadParams(request)) return null
  try {
    await exists(request)
    return null
  } catch (error) {
    return error instanceof AppError && error.code === 'not-found' ? error : null
  }
}

/** Every error of every route ends here. */
export function answerErrors(app: HttpApp, parts: AppParts, observer: HttpObserver): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const missing = inputCodes.has(toAppError(error).code) ? await nothingThere(request, parts) : null
    return answerProblem({ request, reply, error: missing ?? error }, observer)
  })
}
