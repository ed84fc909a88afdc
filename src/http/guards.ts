import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { withTraceIds } from '../trace-context.ts'
import type { AppParts } from './app-parts.ts'
import { refuseForeignContent } from './content-headers.ts'
import type { HttpApp } from './http-app.ts'
import { refuseUnsafeRepetition } from './idempotency.ts'
import type { KnownRoutes } from './known-routes.ts'
import { negotiate } from './negotiation.ts'
import { coerceQuery, refuseNeedlessQuery, refuseUndecodableQuery } from './query-string.ts'
import { refuseBadText } from './validation.ts'

/** The path of a request without its query string, which may hold what is nobody else's business. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** Nothing here is for shared caches, or to be used again unasked; routes that know better say so. */
function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'x-correlation-id': request.id, 'cache-control': 'private, no-cache' })
  const { produces = [] } = request.routeOptions.config
  if (produces.length > 1) void reply.header('vary', 'Accept')
}

/** RFC 9112 section 3.2. Node would answer it itself, without correlation id and body. */
function refuseMissingHost({ headers, raw }: FastifyRequest): void {
  if (headers.host !== undefined || raw.httpVersionMajor !== 1 || raw.httpVersionMinor === 0) return
  throw new AppError('invalid-request', 'The request has no Host header.', {
    faults: [{ pointer: 'Host', detail: 'is missing' }],
  })
}

function refuseUnknownPath(request: FastifyRequest, routes: KnownRoutes): void {
  const methods = routes.methodsAt(pathOf(request))
  if (methods.length === 0 || methods.includes(request.method)) {
    throw new AppError('not-found', 'There is nothing under this path.')
  }
  throw new AppError('method-not-allowed', `${request.method} is not possible here.`, {
    allow: [...methods, 'OPTIONS'],
  })
}

type GuardParts = AppParts & {
  /** The process answers too late to take new work. */
  readonly overloaded: () => boolean
}

function refuseWhileClosed(request: FastifyRequest, parts: GuardParts): void {
  const { needs, startsWork } = request.routeOptions.config
  const changes = request.method === 'POST' || request.method === 'DELETE'
  if (changes && parts.draining()) {
    throw new AppError('draining', 'The service is shutting down and takes no more work; try again soon.')
  }
  if (needs === 'database' && !parts.ready()) {
    throw new AppError('unavailable', 'The service is not ready: it is starting, or its database is away.')
  }
  if (startsWork === true && parts.overloaded()) {
    throw new AppError('overloaded', 'The service is too busy to take new work; what runs goes on. Try again soon.')
  }
}

function refuseUnacceptable(request: FastifyRequest): void {
  const { produces } = request.routeOptions.config
  if (produces === undefined || negotiate(request.headers.accept, produces) !== null) return
  throw new AppError('not-acceptable', `The answer is available as ${produces.join(' or ')}.`)
}

function guard(request: FastifyRequest, reply: FastifyReply, parts: GuardParts): void {
  if (request.method === 'POST') refuseUnsafeRepetition(request)
  refuseForeignContent(request, reply)
  refuseUnacceptable(request)
  refuseWhileClosed(request, parts)
}

/** What every answer has, whoever gives it: call it before anything that may answer. */
export function addCommonHeaders(app: HttpApp): void {
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply)
    const { traceparent } = request
    withTraceIds({ correlationId: request.id, ...(traceparent === null ? {} : { traceparent }) }, done)
  })
}

/** What every request passes before its route: method, headers, state of the service, text. */
export function addGuards(app: HttpApp, parts: GuardParts, routes: KnownRoutes): void {
  app.addHook('onRequest', async (request, reply) => {
    refuseMissingHost(request)
    // With CORS there is a route for OPTIONS on every path, which says nothing about what is there.
    if (!request.is404 && request.method !== 'OPTIONS') return guard(request, reply, parts)
    const methods = routes.methodsAt(pathOf(request))
    if (request.method !== 'OPTIONS' || methods.length === 0) return refuseUnknownPath(request, routes)
    return reply
      .code(204)
      .header('allow', [...methods, 'OPTIONS'].join(', '))
      .send()
  })
  app.addHook('preValidation', async (request) => {
    refuseUndecodableQuery(request)
    refuseBadText(request)
    refuseNeedlessQuery(request)
    coerceQuery(request.query as Record<string, unknown>, request.routeOptions.schema?.querystring)
  })
  app.addHook('onSend', async (_request, reply: FastifyReply) => {
    if (parts.draining()) void reply.header('connection', 'close')
  })
  app.setNotFoundHandler((request) => refuseUnknownPath(request, routes))
}
