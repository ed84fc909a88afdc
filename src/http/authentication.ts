import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { refuseWithoutScope } from './access.ts'
import type { FailureLimit, RateLimit } from './rate-limits.ts'
import type { HttpApp } from './http-app.ts'
import { anybody } from './keyring.ts'
import type { Identity, Keyring } from './keyring.ts'
import type { StreamTickets } from './stream-tickets.ts'

export interface AuthenticationParts {
  readonly keyring: Keyring
  readonly tickets: StreamTickets
  readonly failures: FailureLimit
  readonly rate: RateLimit
}

const bearerForm = /^Bearer +([\x21-\x7e]+)$/i

function unauthorized(message: string): AppError {
  return new AppError('unauthorized', message)
}

/** A ticket counts where nothing else is sent, on the streams that take one. */
function ticketOf({ headers, routeOptions, query }: FastifyRequest): string | null {
  if (headers.authorization !== undefined || routeOptions.config.takesTicket === undefined) return null
  const { ticket } = query as { readonly ticket?: unknown }
  if (ticket === undefined) return null
  // One that comes twice is none that we gave.
  return typeof ticket === 'string' ? ticket : ''
}

async function holderOf(request: FastifyRequest, ticket: string, tickets: StreamTickets): Promise<Identity> {
  const { takesTicket: kind = 'workflow' } = request.routeOptions.config
  return tickets.verify(ticket, { kind, id: (request.params as { readonly id: string }).id })
}

/** null: whether the ticket is good cannot be told now. */
async function admitTicket(request: FastifyRequest, ticket: string, parts: AuthenticationParts) {
  try {
    return await holderOf(request, ticket, parts.tickets)
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return null
    if (error instanceof AppError && error.code === 'unauthorized') await parts.failures.count(request)
    throw error
  }
}

async function admitKey(request: FastifyRequest, { keyring, failures }: AuthenticationParts): Promise<Identity> {
  const { authorization } = request.headers
  if (authorization === undefined) {
    throw unauthorized('A key is needed. Send it as "Authorization: Bearer KEY", never in the URL.')
  }
  const key = bearerForm.exec(authorization)?.[1]
  const identity = key === undefined ? null : keyring.find(key)
  await failures.refuse(request, identity)
  if (identity !== null) return identity
  await failures.count(request)
  if (key === undefined) throw unauthorized('The header Authorization has to be "Bearer KEY".')
  throw unauthorized('This key is not known.')
}

async function identify(request: FastifyRequest, parts: AuthenticationParts): Promise<Identity | null> {
  const ticket = ticketOf(request)
  if (ticket !== null) return admitTicket(request, ticket, parts)
  return parts.keyring.isEmpty ? anybody : admitKey(request, parts)
}

/**
 * Finds out who asks, before anything is told of what is there: 401 without a key, 429 for too many requests, 403
 * without the scope that the route needs, in this order. Paths that no route has are 404 and 405 to everybody.
 */
export function authenticate(app: HttpApp, parts: AuthenticationParts): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || request.method === 'OPTIONS') return
    const { scope = 'admin' } = request.routeOptions.config
    if (scope !== 'none') request.identity = await identify(request, parts)
    await parts.rate.spend(request, reply)
    if (request.identity !== null) refuseWithoutScope(request.identity, scope)
  })
}

/**
 * Resolves when it is known who asks for a stream: its ticket may have come while the database was away. Throws as
 * `StreamTickets.verify` does.
 */
export async function settleIdentity(request: FastifyRequest, tickets: StreamTickets): Promise<void> {
  const ticket = request.identity === null ? ticketOf(request) : null
  if (ticket !== null) request.identity = await holderOf(request, ticket, tickets)
}
