import type { FastifyReply } from 'fastify'
import type { AppOptions, AppParts } from './app-parts.ts'
import type { EventStreams } from './event-stream.ts'

/** What every route file is given. */
export interface RouteContext {
  readonly parts: AppParts
  readonly options: AppOptions
  readonly streams: EventStreams
}

/** Aborted when the client has left, or has been answered. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort())
  if (reply.raw.closed) left.abort()
  return left.signal
}
