import type { Static } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { StartTask } from '../../workflows/requests.ts'
import { AgentResource, TaskResource, TaskSummary } from '../../workflows/resources.ts'
import type { AppParts } from '../app-parts.ts'
import { callerOf } from '../correlation.ts'
import type { HttpApp } from '../http-app.ts'
import { TaskListParameters, sendPage, taskListQueryOf } from '../list-query.ts'
import { RunHeaders } from '../request-headers.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, eventStreamSchema, pageOf, problems, refTo } from '../schemas.ts'
import type { StartChecks } from '../start-checks.ts'
import { startForms, startRun } from '../start-run.ts'

const RoleParams = Type.Object({ role: Type.String() })
type RoleParams = Static<typeof RoleParams>
const json = { scope: 'read', produces: ['application/json'], needs: 'database' } as const

function agentExists(parts: AppParts) {
  return (request: FastifyRequest) => serviceFor(parts, request).agent((request.params as RoleParams).role)
}

function addAgents(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/agents',
    {
      config: json,
      schema: {
        tags: ['agents'],
        summary: 'The agents, and what they do now',
        response: {
          200: answer('All of them.', {
            'application/json': Type.Object({ data: Type.Array(refTo(AgentResource)) }),
          }),
          ...problems(400, 406, 503),
        },
      },
    },
    async (request, reply) => reply.send({ data: await serviceFor(parts, request).agents() }),
  )
  app.get(
    '/agents/:role',
    {
      config: { ...json, exists: agentExists(parts) },
      schema: {
        tags: ['agents'],
        summary: 'One agent',
        params: RoleParams,
        response: {
          200: answer('The agent.', { 'application/json': refTo(AgentResource) }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    (request) => serviceFor(parts, request).agent(request.params.role),
  )
}

function addStartTask(app: HttpApp, context: RouteContext, checks: StartChecks): void {
  app.post(
    '/agents/:role/tasks',
    {
      sse: { kind: 'manual', heartbeat: false },
      config: {
        scope: 'write',
        startsWork: true,
        produces: startForms,
        needs: 'database',
        takesKey: true,
        exists: agentExists(context.parts),
      },
      schema: {
        tags: ['tasks'],
        summary: 'Gives one task to one agent',
        description: 'Answered as `POST /workflows`: the task, its events, or what became of it.',
        params: RoleParams,
        headers: RunHeaders,
        body: refTo(StartTask),
        response: {
          200: answer('Its events, or what became of it within the time to wait.', {
            'text/event-stream': eventStreamSchema,
            'application/json': refTo(TaskResource),
          }),
          202: answer('It is stored and will run.', { 'application/json': refTo(TaskResource) }),
          ...problems(400, 404, 406, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { role } = request.params
      checks.webhook(request.body.webhook)
      const { files, ...rest } = request.body
      const body = files === undefined ? rest : { ...rest, files: checks.files(files) }
      const start = () => serviceFor(context.parts, request).startTask(role, body, callerOf(request))
      return startRun({ request, reply, start }, context)
    },
  )
}

function addTasks(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/agents/:role/tasks',
    {
      config: { ...json, exists: agentExists(parts) },
      schema: {
        tags: ['tasks'],
        summary: "An agent's direct tasks, newest first",
        params: RoleParams,
        querystring: TaskListParameters,
        response: {
          200: answer('One page, without output.', { 'application/json': pageOf(TaskSummary) }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const page = await serviceFor(parts, request).listTasks(request.params.role, taskListQueryOf(request.query))
      return sendPage(request, reply, page)
    },
  )
}

/** Agents, and the tasks that are given to them directly. */
export function addAgentRoutes(app: HttpApp, context: RouteContext, checks: StartChecks): void {
  addAgents(app, context)
  addStartTask(app, context, checks)
  addTasks(app, context)
}
