import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpObserver } from './app-parts.ts'
import { routeOf } from './failure-answers.ts'
import type { HttpApp } from './http-app.ts'

const clientClosedRequest = 499

/** Tells the observer of every answer but streams, which tell of themselves. */
export function observeRequests(app: HttpApp, observer: HttpObserver): void {
  const finished = (request: FastifyRequest, reply: FastifyReply, status: number) => {
    if (reply.getHeader('content-type') === 'text/event-stream') return
    observer.requestFinished?.({
      method: request.method,
      route: routeOf(request),
      status,
      durationMs: reply.elapsedTime,
      correlationId: request.id,
    })
  }
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      finished(request, reply, reply.raw.writableEnded ? reply.statusCode : clientClosedRequest)
    })
  })
}
