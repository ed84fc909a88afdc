import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { Caller } from '../workflows/service.ts'
import { canonicalJson } from './canonical-json.ts'

const header = 'Idempotency-Key'

/** What a key may be: 1–255 printable ASCII characters. */
export const keyPattern = '^[\\x20-\\x7e]{1,255}$'
const keyForm = new RegExp(keyPattern)

function refuse(name: string, detail: string): never {
  throw new AppError('invalid-request', `The header ${name} ${detail}.`, { faults: [{ pointer: name, detail }] })
}

/** Node joins a header that comes twice with a comma, which a key may hold. */
function timesSent(request: FastifyRequest): number {
  const { rawHeaders } = request.raw
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === header.toLowerCase()).length
}

function keyOf({ headers }: FastifyRequest): string | null {
  const value = headers['idempotency-key']
  return typeof value === 'string' ? value : null
}

/** The cursor that a client gives back in a header; null without one. */
export function lastEventIdOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const value = headers['last-event-id']
  return typeof value === 'string' && value !== '' ? value : null
}

/**
 * Judges the headers by which a POST may be repeated; throws `invalid-request`. A client that goes on with a stream by
 * sending the POST again would do it twice without a key.
 */
export function refuseUnsafeRepetition(request: FastifyRequest): void {
  const key = keyOf(request)
  if (key === null) {
    if (lastEventIdOf(request) !== null) refuse('Last-Event-ID', `on a POST needs an ${header} as well`)
    return
  }
  if (request.routeOptions.config.takesKey !== true) refuse(header, 'is not supported here')
  if (timesSent(request) > 1) refuse(header, 'must not come twice')
  if (!keyForm.test(key)) refuse(header, 'must be 1 to 255 printable ASCII characters')
}

/** The path that a request was routed by, whatever characters of it the client has escaped. */
function routedPath({ routeOptions, params }: FastifyRequest): string {
  const values = params as Readonly<Record<string, string>>
  const parts = (routeOptions.url ?? '').split('/')
  return parts.map((part) => (part.startsWith(':') ? encodeURIComponent(values[part.slice(1)] ?? '') : part)).join('/')
}

/** The key of a request with what it is bound to: SHA-256 (hex) over method, path and canonical body; null without one. */
export function idempotencyOf(request: FastifyRequest): Caller['idempotency'] {
  const key = keyOf(request)
  if (key === null) return null
  const body = request.body === undefined || request.body === null ? '' : canonicalJson(request.body)
  const digest = createHash('sha256')
    .update(`${request.method}\n${routedPath(request)}\n${body}`)
    .digest('hex')
  return { key, digest }
}
