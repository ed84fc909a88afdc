import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import { listEvents } from '../event-list.ts'
import { EventSchema } from '../event-schemas.ts'
import { settleIdentity } from '../authentication.ts'
import type { HttpApp } from '../http-app.ts'
import { lastEventIdOf } from '../idempotency.ts'
import { negotiate } from '../negotiation.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { whileWanted } from '../route-context.ts'
import type { RunDoor, RunParams } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, emptyAnswer, eventStreamSchema, problems, refTo } from '../schemas.ts'

const forms = ['text/event-stream', 'application/json'] as const

const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 5000,
        description: 'Cursor to go on from; the header Last-Event-ID wins.',
      }),
    ),
    wait: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 60, description: 'JSON form: seconds to wait for the first event.' }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 1000, description: 'JSON form.' })),
    ticket: Type.Optional(Type.String({ description: 'Instead of a key, for a client that cannot send headers.' })),
  },
  { additionalProperties: false },
)

interface EventsRequest {
  readonly Params: RunParams
  readonly Querystring: { readonly after?: string; readonly wait?: number; readonly limit?: number }
}

function cursorOf(request: FastifyRequest<EventsRequest>): string | null {
  return lastEventIdOf(request) ?? request.query.after ?? null
}

async function sendList(request: FastifyRequest<EventsRequest>, reply: FastifyReply, work: EventsWork) {
  const { parts } = work.context
  if (!parts.ready()) throw new AppError('unavailable', 'The service is not ready: its database is away.')
  await settleIdentity(request, work.context.tickets)
  const { wait = 0, limit = 1000 } = request.query
  const reader = await serviceFor(parts, request).openEvents(work.door.ref(request.params), cursorOf(request))
  try {
    const body = await whileWanted(parts, reply, (signal) => listEvents(reader, { limit, waitMs: wait * 1000, signal }))
    return await reply.type('application/json').send(body)
  } finally {
    reader.close()
  }
}

interface EventsWork {
  readonly context: RouteContext
  readonly door: RunDoor
}

const description = [
  'As a stream (`Accept: text/event-stream`, or anything), or as JSON (`Accept: application/json`).',
  'The stream begins with `retry: 2000`, sends a comment as heartbeat, and ends cleanly only when everything has',
  'been sent; cut off, it goes on exactly where the last `id:` was, given back as `Last-Event-ID` or `?after=`.',
].join(' ')

/** The events of a run, streamed or listed. */
export function addEventRoutes(app: HttpApp, context: RouteContext, door: RunDoor): void {
  app.get<EventsRequest>(
    `${door.path}/events`,
    {
      sse: { kind: 'manual', heartbeat: false },
      exposeHeadRoute: false,
      config: {
        scope: 'read',
        takesTicket: door.kind,
        produces: forms,
        needs: 'stream',
        exists: runExists(context.parts, door),
      },
      schema: {
        tags: [door.tag],
        summary: 'The events',
        description,
        params: door.params,
        querystring: EventsQuery,
        response: {
          200: answer('Events after the cursor.', {
            'text/event-stream': eventStreamSchema,
            'application/json': Type.Object({
              data: Type.Array(refTo(EventSchema)),
              next: Type.String({ description: 'The cursor reached.' }),
              done: Type.Boolean({ description: 'It has ended and nothing is left.' }),
            }),
          }),
          204: emptyAnswer('The stream of an ended one has nothing after the cursor.'),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const form = negotiate(request.headers.accept, forms)
      if (form === 'application/json') return sendList(request, reply, { context, door })
      const cursor = cursorOf(request)
      const open = async () => {
        await settleIdentity(request, context.tickets)
        return serviceFor(context.parts, request).openEvents(door.ref(request.params), cursor)
      }
      await context.streams.serve({ request, reply, open })
      return undefined
    },
  )
}
