import type { FastifyReply } from 'fastify'
import type { AppOptions, AppParts } from './app-parts.ts'
import type { EventStreams } from './event-stream.ts'
import type { StreamTickets } from './stream-tickets.ts'

/** What every route file is given. */
export interface RouteContext {
  readonly parts: AppParts
  readonly options: AppOptions
  readonly streams: EventStreams
  readonly tickets: StreamTickets
}

const drainPollMs = 100

/**
 * Runs a wait on behalf of a client. Its signal is aborted when the client has left, or when the service begins to
 * drain: nobody's waiting may hold up a shutdown.
 */
export async function whileWanted<T>(
  parts: AppParts,
  reply: FastifyReply,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const unwanted = new AbortController()
  const abort = () => unwanted.abort()
  const watch = setInterval(() => {
    if (parts.draining()) abort()
  }, drainPollMs)
  reply.raw.once('close', abort)
  if (reply.raw.closed) abort()
  try {
    return await wait(unwanted.signal)
  } finally {
    clearInterval(watch)
    reply.raw.off('close', abort)
  }
}
