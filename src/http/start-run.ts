import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TaskResource, WorkflowResource } from '../workflows/resources.ts'
import type { WorkflowRef, WorkflowService } from '../workflows/service.ts'
import { negotiate } from './negotiation.ts'
import { preferredWait, waitForRest } from './prefer.ts'
import type { RouteContext } from './route-context.ts'
import { whileWanted } from './route-context.ts'

/** Forms of the answer of a POST that starts something. */
export const startForms = ['application/json', 'text/event-stream'] as const

type Started = WorkflowResource | TaskResource

/** One POST that starts something. */
export interface StartExchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly start: () => Promise<Started>
  readonly refOf: (started: Started) => WorkflowRef
}

async function startAsStream({ request, reply, start, refOf }: StartExchange, { parts, streams }: RouteContext) {
  // Before anything is started: a refused request leaves nothing behind.
  const seat = streams.enter()
  const started = await start().catch((error: unknown) => {
    seat.release()
    throw error
  })
  const open = () => parts.service.openEvents(refOf(started), null)
  await streams.serve({ request, reply, open, seat, location: started.links.self })
}

async function waitUntilAtRest(ref: WorkflowRef, service: WorkflowService, signal: AbortSignal): Promise<boolean> {
  const reader = await service.openEvents(ref, null)
  try {
    return await waitForRest(reader, signal)
  } finally {
    reader.close()
  }
}

async function answerAfterWait(exchange: StartExchange, context: RouteContext, seconds: number): Promise<unknown> {
  const { reply, start, refOf } = exchange
  const { service } = context.parts
  const timeout = AbortSignal.timeout(seconds * 1000)
  const started = await start()
  const ref = refOf(started)
  // It is started, whatever happens while waiting: a refusal now would make the client start it twice.
  const rested = await whileWanted(context.parts, reply, (signal) =>
    waitUntilAtRest(ref, service, AbortSignal.any([signal, timeout])),
  ).catch(() => false)
  const resource = await service.get(ref).then(
    (current) => current.resource,
    () => started,
  )
  void reply.header('location', started.links.self).header('preference-applied', `wait=${seconds}`)
  return reply.code(rested ? 200 : 202).send(resource)
}

/** Starts, and answers in the form that the client asks for: a stream, the resource at rest, or the resource at once. */
export async function startRun(exchange: StartExchange, context: RouteContext): Promise<unknown> {
  const { request, reply, start } = exchange
  if (negotiate(request.headers.accept, startForms) === 'text/event-stream') return startAsStream(exchange, context)
  const seconds = preferredWait(request.headers['prefer'])
  if (seconds !== null) return answerAfterWait(exchange, context, seconds)
  const started = await start()
  return reply.code(202).header('location', started.links.self).send(started)
}
