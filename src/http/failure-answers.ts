import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { HttpObserver } from './app-parts.ts'
import { pathOf } from './guards.ts'
import type { HttpApp } from './http-app.ts'
import { problemHeaders, problemOf, toAppError } from './problem.ts'

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

/** Every error of every route ends here. */
export function answerErrors(app: HttpApp, observer: HttpObserver): void {
  app.setErrorHandler((error: FastifyError, request, reply) => answerProblem({ request, reply, error }, observer))
}

const rawAnswers: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
}

/** Answers what was no HTTP request, or took too long to become one: there is no reply object for it. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, title] = rawAnswers[error.code ?? ''] ?? [400, 'Bad Request']
  const body = JSON.stringify({ type: 'about:blank', title, status })
  const head = `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`)
}
