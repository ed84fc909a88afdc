import cors from '@fastify/cors'
import type { HttpApp } from './http-app.ts'

/** What a page may send beside what every page may. `Cache-Control`: some clients of event streams send it. */
const allowedHeaders = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'If-Range',
  'Last-Event-ID',
  'Prefer',
  'Range',
  'Traceparent',
  'Tracestate',
  'X-Correlation-Id',
  'X-Request-Id',
]

/** What a page may read of an answer beside what every page may. */
const exposedHeaders = [
  'Accept-Ranges',
  'Allow',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'Preference-Applied',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
  'X-Correlation-Id',
]

const preflightSeconds = 600

/**
 * Lets web pages of these origins call the service; `*`: of any. None: nothing is said about origins, and browsers
 * refuse. Pages authenticate by the header `Authorization` or a ticket, never by cookies: no credentials are allowed.
 */
export async function allowOrigins(app: HttpApp, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders,
    exposedHeaders,
    maxAge: preflightSeconds,
    // A preflight is answered as every OPTIONS is, and an OPTIONS that is none is no error.
    preflightContinue: true,
    strictPreflight: false,
  })
}
