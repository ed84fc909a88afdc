import { Type } from '@sinclair/typebox'
import { ResumeWorkflow } from '../../workflows/requests.ts'
import { callerOf } from '../correlation.ts'
import { matchesTag } from '../entity-tag.ts'
import type { HttpApp } from '../http-app.ts'
import { sendOutcome } from '../outcome.ts'
import { KeyHeaders, RunHeaders } from '../request-headers.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import type { RunDoor } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, emptyAnswer, eventStreamSchema, optionalBody, problems, refTo } from '../schemas.ts'
import { startForms, startRun } from '../start-run.ts'

const NoBody = optionalBody(Type.Object({}, { additionalProperties: false }))

function addGet(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    door.path,
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
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
      const { resource, etag } = await serviceFor(parts, request).get(door.ref(request.params))
      void reply.headers({ etag, 'cache-control': 'private, no-cache' })
      return matchesTag(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(resource)
    },
  )
}

function addDelete(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.delete(
    door.path,
    {
      config: { scope: 'write', needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: [door.tag],
        summary: 'Removes an ended one, its events and artifacts',
        description: 'What was written to `output_directory` stays.',
        params: door.params,
        response: { 204: emptyAnswer('It is gone.'), ...problems(400, 404, 409, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      await serviceFor(parts, request).remove(door.ref(request.params))
      return reply.code(204).send()
    },
  )
}

function addCancel(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.post(
    `${door.path}/cancel`,
    {
      config: {
        scope: 'write',
        produces: ['application/json'],
        needs: 'database',
        takesKey: true,
        exists: runExists(parts, door),
      },
      schema: {
        tags: [door.tag],
        summary: 'Cancels it',
        description: 'Calls to the model are aborted. One that has ended stays as it is: 200.',
        params: door.params,
        headers: KeyHeaders,
        body: NoBody,
        response: {
          200: answer('It had ended before.', { 'application/json': refTo(door.resource) }),
          202: answer('It is cancelled.', { 'application/json': refTo(door.resource) }),
          ...problems(400, 404, 406, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) =>
      sendOutcome(reply, await serviceFor(parts, request).cancel(door.ref(request.params), callerOf(request))),
  )
}

const resumeDescription = [
  'What failed, was skipped or was cancelled runs again; what was completed, or tolerated as a failure, stays as it is.',
  'A text that still waited for a person waits again. Only one that has failed or was cancelled can be resumed, else 409.',
  '`options` are merged with those that there are, key by key. Answered as the POST that starts; the stream begins with',
  'its own `workflow.resumed`.',
].join(' ')

function addResume(app: HttpApp, context: RouteContext, door: RunDoor): void {
  app.post(
    `${door.path}/resume`,
    {
      sse: { kind: 'manual', heartbeat: false },
      config: {
        scope: 'write',
        startsWork: true,
        produces: startForms,
        needs: 'database',
        takesKey: true,
        exists: runExists(context.parts, door),
      },
      schema: {
        tags: [door.tag],
        summary: 'Goes on after a failure or a cancellation',
        description: resumeDescription,
        params: door.params,
        headers: RunHeaders,
        body: optionalBody(ResumeWorkflow),
        response: {
          200: answer('Its events from here on, or what became of it within the time to wait.', {
            'text/event-stream': eventStreamSchema,
            'application/json': refTo(door.resource),
          }),
          202: answer('It goes on.', { 'application/json': refTo(door.resource) }),
          ...problems(400, 404, 406, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const revived = door.ref(request.params)
      const start = () => serviceFor(context.parts, request).resume(revived, request.body ?? {}, callerOf(request))
      return startRun({ request, reply, start, revived }, context)
    },
  )
}

/** What a run is asked and told as a whole, the same through both doors. */
export function addRunRoutes(app: HttpApp, context: RouteContext, door: RunDoor): void {
  addGet(app, context, door)
  addDelete(app, context, door)
  addCancel(app, context, door)
  addResume(app, context, door)
}
