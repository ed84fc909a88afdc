import { Type } from '@sinclair/typebox'
import { callerOf } from '../correlation.ts'
import { matchesTag } from '../entity-tag.ts'
import type { HttpApp } from '../http-app.ts'
import type { RouteContext } from '../route-context.ts'
import type { RunDoor } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, emptyAnswer, problems, refTo } from '../schemas.ts'

const NoBody = Type.Unsafe<unknown>({ type: 'object', nullable: true, additionalProperties: false })

function addGet(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    door.path,
    {
      config: { produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: [door.tag],
        summary: door.kind === 'workflow' ? 'A workflow with its steps' : 'A task',
        description: 'The weak `ETag` changes with state and usage; `If-None-Match` gets a 304 while nothing has.',
        params: door.params,
        response: {
          200: answer('As it stands.', { 'application/json': refTo(door.resource) }),
          304: emptyAnswer('Nothing has changed.'),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const { resource, etag } = await parts.service.get(door.ref(request.params))
      void reply.headers({ etag, 'cache-control': 'private, no-cache' })
      return matchesTag(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(resource)
    },
  )
}

function addDelete(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.delete(
    door.path,
    {
      config: { needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: [door.tag],
        summary: 'Removes an ended one, its events and artifacts',
        params: door.params,
        response: { 204: emptyAnswer('It is gone.'), ...problems(400, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      await parts.service.remove(door.ref(request.params))
      return reply.code(204).send()
    },
  )
}

function addCancel(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.post(
    `${door.path}/cancel`,
    {
      config: { produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: [door.tag],
        summary: 'Cancels it',
        description: 'Calls to the model are aborted. One that has ended stays as it is: 200.',
        params: door.params,
        body: NoBody,
        response: {
          200: answer('It had ended before.', { 'application/json': refTo(door.resource) }),
          202: answer('It is cancelled.', { 'application/json': refTo(door.resource) }),
          ...problems(400, 404, 406, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { resource, changed } = await parts.service.cancel(door.ref(request.params), callerOf(request))
      return reply.code(changed ? 202 : 200).send(resource)
    },
  )
}

/** What a run is asked and told as a whole, the same through both doors. */
export function addRunRoutes(app: HttpApp, context: RouteContext, door: RunDoor): void {
  addGet(app, context, door)
  addDelete(app, context, door)
  addCancel(app, context, door)
}
