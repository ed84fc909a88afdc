import type { RequestTracer } from './app-parts.ts'
import { traceparentOf } from './correlation.ts'
import { routeOf } from './failure-answers.ts'
import type { HttpApp } from './http-app.ts'
import { statusOf } from './observe-requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C trace context of what the request causes; null: it belongs to no trace. */
    traceparent: string | null
  }
}

/** Gives each request the trace context that what it causes belongs to: its own span's, else the client's. */
export function traceRequests(app: HttpApp, tracer: RequestTracer | undefined): void {
  app.decorateRequest('traceparent', null)
  app.addHook('onRequest', (request, reply, done) => {
    const traceparent = traceparentOf(request.headers)
    const trace = tracer?.begin({ method: request.method, route: routeOf(request), traceparent }) ?? null
    request.traceparent = trace?.traceparent ?? traceparent
    if (trace !== null) reply.raw.once('close', () => trace.end(statusOf(reply)))
    done()
  })
}
