import { Type } from '@sinclair/typebox'
import { AppError } from '../../errors.ts'
import type { HttpApp } from '../http-app.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import type { RunDoor } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, optionalBody, problems } from '../schemas.ts'

const NoBody = optionalBody(Type.Object({}, { additionalProperties: false }))

const description = [
  'For a browser, whose EventSource can send no headers: open `…/events?ticket=TICKET`, as often as you like until it',
  'expires; a stream that is open then stays open. It is good for this one stream, on every replica, and as long as the',
  'key that asked for it is.',
].join(' ')

/** A ticket for the stream of a run. */
export function addTicketRoutes(app: HttpApp, { parts, tickets }: RouteContext, door: RunDoor): void {
  app.post(
    `${door.path}/events/ticket`,
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: [door.tag],
        summary: 'A ticket for its event stream',
        description,
        params: door.params,
        body: NoBody,
        response: {
          201: answer('The ticket.', {
            'application/json': Type.Object({
              ticket: Type.String({ description: 'For `?ticket=`; keep it as you would keep a key.' }),
              expires_at: Type.String({ format: 'date-time' }),
            }),
          }),
          ...problems(400, 404, 406, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const ref = door.ref(request.params)
      await serviceFor(parts, request).get(ref)
      if (request.identity === null) throw new AppError('unauthorized', 'A ticket is given for a key.')
      const ticket = await tickets.issue(request.identity, ref)
      return reply.code(201).header('cache-control', 'no-store').send(ticket)
    },
  )
}
