import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpObserver } from './app-parts.ts'
import { routeOf } from './failure-answers.ts'
import type { HttpApp } from './http-app.ts'
import { keyNameOf } from './rate-limits.ts'

const clientClosedRequest = 499

interface Finished {
  readonly status: number
  readonly startedAt: number
}

/** Status of an answer that is over; 499 when the client left before its end. */
export function statusOf(reply: FastifyReply): number {
  return reply.raw.writableEnded ? reply.statusCode : clientClosedRequest
}

/** Tells the observer of every answer but streams, which tell of themselves. */
export function observeRequests(app: HttpApp, observer: HttpObserver): void {
  const finished = (request: FastifyRequest, reply: FastifyReply, { status, startedAt }: Finished) => {
    if (reply.getHeader('content-type') === 'text/event-stream') return
    observer.requestFinished?.({
      method: request.method,
      route: routeOf(request),
      status,
      durationMs: performance.now() - startedAt,
      correlationId: request.id,
      key: keyNameOf(request),
    })
  }
  app.addHook('onRequest', async (request, reply) => {
    // Fastify itself takes the time only for its own logger.
    const startedAt = performance.now()
    reply.raw.once('close', () => {
      finished(request, reply, { status: statusOf(reply), startedAt })
    })
  })
}
