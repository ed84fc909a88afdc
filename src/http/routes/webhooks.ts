import { Type } from '@sinclair/typebox'
import { DeliveryResource } from '../../workflows/resources.ts'
import { callerOf } from '../correlation.ts'
import type { HttpApp } from '../http-app.ts'
import { serviceFor } from '../principal-of.ts'
import { KeyHeaders } from '../request-headers.ts'
import type { RouteContext } from '../route-context.ts'
import type { RunDoor } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, optionalBody, problems, refTo } from '../schemas.ts'

const NoBody = optionalBody(Type.Object({}, { additionalProperties: false }))

const listDescription = [
  'One entry per event that was asked for, oldest first, with every try.',
  '`pending`: it is tried again at `next_try_at`, after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and, at last, a day after the first try.',
  'While one has failed fewer than three times, later ones of the same run wait for it.',
  '`failed`: given up. `disabled`: the receiver has answered 410, nothing of this run is sent to it any more.',
].join(' ')

function addList(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    `${door.path}/webhooks`,
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: ['webhooks'],
        summary: 'What its webhook was told, and what became of it',
        description: listDescription,
        params: door.params,
        response: {
          200: answer('All of them; none without a webhook.', {
            'application/json': Type.Object({ data: Type.Array(refTo(DeliveryResource)) }),
          }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request) => ({ data: await serviceFor(parts, request).deliveries(door.ref(request.params)) }),
  )
}

function addRedeliver(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.post(
    `${door.path}/webhooks/:delivery/redeliver`,
    {
      config: {
        scope: 'admin',
        produces: ['application/json'],
        needs: 'database',
        takesKey: true,
        exists: runExists(parts, door),
      },
      schema: {
        tags: ['webhooks'],
        summary: 'Sends one again',
        description:
          'Once, as soon as may be, under the same `webhook-id`; when that fails, all stays as it was. 409 after the receiver has answered 410.',
        params: door.deliveryParams,
        headers: KeyHeaders,
        body: NoBody,
        response: {
          202: answer('It will be sent.', { 'application/json': refTo(DeliveryResource) }),
          ...problems(400, 404, 406, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { params } = request
      const outcome = await serviceFor(parts, request).redeliver(door.ref(params), params.delivery, callerOf(request))
      if (outcome.replayed) void reply.header('idempotency-replayed', 'true')
      return reply.code(202).send(outcome.resource)
    },
  )
}

/** The webhook of a run. */
export function addWebhookRoutes(app: HttpApp, context: RouteContext, door: RunDoor): void {
  addList(app, context, door)
  addRedeliver(app, context, door)
}
