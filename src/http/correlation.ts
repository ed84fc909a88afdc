import { randomUUIDv7 } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../workflows/service.ts'
import { idempotencyOf } from './idempotency.ts'

const printable = /^[\x20-\x7e]{1,128}$/
const traceparentForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

function usable(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && printable.test(header) ? header : null
}

/** The client's own id, or a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  return usable(headers['x-correlation-id']) ?? usable(headers['x-request-id']) ?? randomUUIDv7()
}

/** The trace context of the client, if it is well-formed (W3C Trace Context, section 3.2). */
export function traceparentOf(headers: IncomingHttpHeaders): string | null {
  const { traceparent } = headers
  return typeof traceparent === 'string' && traceparentForm.test(traceparent) ? traceparent : null
}

/** Who causes what the service is asked for. */
export function callerOf(request: FastifyRequest): Caller {
  return {
    correlationId: request.id,
    traceparent: request.traceparent,
    idempotency: idempotencyOf(request),
  }
}
