import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Outcome, WorkflowRef, WorkflowService } from '../workflows/service.ts'
import { lastEventIdOf } from './idempotency.ts'
import { negotiate } from './negotiation.ts'
import type { Run } from './outcome.ts'
import { isAtRest, refOf, replayHeaders } from './outcome.ts'
import { preferredWait, waitForRest } from './prefer.ts'
import { serviceFor } from './principal-of.ts'
import type { ServiceParts } from './principal-of.ts'
import type { RouteContext } from './route-context.ts'
import { whileWanted } from './route-context.ts'

/** Forms of the answer of a POST that sets something going. */
export const startForms = ['application/json', 'text/event-stream'] as const

/** One POST that sets a run going: starts it, or makes one that has ended go on. */
export interface StartExchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Does it, once. */
  readonly start: () => Promise<Outcome<Run>>
  /** The one that is to go on; without it a new one is started. */
  readonly revived?: WorkflowRef
}

function headersOf(outcome: Outcome<Run>): Record<string, string> {
  return { location: outcome.resource.links.self, ...replayHeaders(outcome) }
}

/** Whatever refuses the request has to do so before anything is started: a refused request leaves nothing behind. */
async function refuseBadCursor(exchange: StartExchange, parts: ServiceParts): Promise<void> {
  const cursor = lastEventIdOf(exchange.request)
  if (cursor === null || exchange.revived === undefined) return
  const reader = await serviceFor(parts, exchange.request).openEvents(exchange.revived, cursor)
  reader.close()
}

/** A cursor cannot be one of a workflow that has only just been started. */
function cursorOf({ request, revived }: StartExchange, { replayed, cursor }: Outcome<Run>): string | null {
  const given = replayed || revived !== undefined ? lastEventIdOf(request) : null
  return given ?? cursor
}

async function startAsStream(exchange: StartExchange, { parts, streams }: RouteContext): Promise<void> {
  const { request, reply, start } = exchange
  const seat = streams.enter(request)
  try {
    await refuseBadCursor(exchange, parts)
    const outcome = await start()
    const open = () => serviceFor(parts, request).openEvents(refOf(outcome.resource), cursorOf(exchange, outcome))
    await streams.serve({ request, reply, open, seat, headers: headersOf(outcome) })
  } finally {
    seat.release()
  }
}

async function waitUntilAtRest(outcome: Outcome<Run>, service: WorkflowService, signal: AbortSignal): Promise<boolean> {
  const reader = await service.openEvents(refOf(outcome.resource), outcome.cursor)
  try {
    return await waitForRest(reader, signal)
  } finally {
    reader.close()
  }
}

async function answerAfterWait(exchange: StartExchange, context: RouteContext, seconds: number): Promise<unknown> {
  const { request, reply, start } = exchange
  const service = serviceFor(context.parts, request)
  const timeout = AbortSignal.timeout(seconds * 1000)
  const outcome = await start()
  void reply.headers({ ...headersOf(outcome), 'preference-applied': `wait=${seconds}` })
  if (isAtRest(outcome.resource)) return reply.code(200).send(outcome.resource)
  // It is started, whatever happens while waiting: a refusal now would make the client start it twice.
  const rested = await whileWanted(context.parts, reply, (signal) =>
    waitUntilAtRest(outcome, service, AbortSignal.any([signal, timeout])),
  ).catch(() => false)
  const resource = await service.get(refOf(outcome.resource)).then(
    (current) => current.resource,
    () => outcome.resource,
  )
  return reply.code(rested ? 200 : 202).send(resource)
}

/** Starts, and answers in the form that the client asks for: a stream, the resource at rest, or the resource at once. */
export async function startRun(exchange: StartExchange, context: RouteContext): Promise<unknown> {
  const { request, reply, start } = exchange
  if (negotiate(request.headers.accept, startForms) === 'text/event-stream') return startAsStream(exchange, context)
  const seconds = preferredWait(request.headers['prefer'])
  if (seconds !== null) return answerAfterWait(exchange, context, seconds)
  const outcome = await start()
  return reply.code(202).headers(headersOf(outcome)).send(outcome.resource)
}
