import { StartWorkflow } from '../../workflows/requests.ts'
import { WorkflowResource, WorkflowSummary } from '../../workflows/resources.ts'
import { callerOf } from '../correlation.ts'
import type { HttpApp } from '../http-app.ts'
import { WorkflowListParameters, sendPage, workflowListQueryOf } from '../list-query.ts'
import { RunHeaders } from '../request-headers.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, eventStreamSchema, pageOf, problems, refTo } from '../schemas.ts'
import type { StartChecks } from '../start-checks.ts'
import { startForms, startRun } from '../start-run.ts'

const startDescription = [
  'Answers 202 with the workflow, or, with `Accept: text/event-stream`, 200 with its events.',
  'With `Prefer: wait=N` (1–300) 200 when it has ended or waits for a person within N seconds, else 202.',
  'A client that leaves never stops a workflow.',
].join(' ')

function addStart(app: HttpApp, context: RouteContext, checks: StartChecks): void {
  app.post(
    '/workflows',
    {
      sse: { kind: 'manual', heartbeat: false },
      config: { scope: 'write', startsWork: true, produces: startForms, needs: 'database', takesKey: true },
      schema: {
        tags: ['workflows'],
        summary: 'Starts a workflow',
        description: startDescription,
        headers: RunHeaders,
        body: refTo(StartWorkflow),
        response: {
          200: answer('Its events, or what became of it within the time to wait.', {
            'text/event-stream': eventStreamSchema,
            'application/json': refTo(WorkflowResource),
          }),
          202: answer('It is stored and will run.', { 'application/json': refTo(WorkflowResource) }),
          ...problems(400, 406, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      checks.workflow(request.body, request)
      checks.webhook(request.body.webhook)
      const { files, ...rest } = request.body
      const body = files === undefined ? rest : { ...rest, files: checks.files(files) }
      const start = () => serviceFor(context.parts, request).start(body, callerOf(request))
      return startRun({ request, reply, start }, context)
    },
  )
}

/** Workflows as a collection. */
export function addWorkflowRoutes(app: HttpApp, context: RouteContext, checks: StartChecks): void {
  addStart(app, context, checks)
  app.get(
    '/workflows',
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database' },
      schema: {
        tags: ['workflows'],
        summary: 'Workflows, newest first',
        description: 'Filters by metadata as `metadata.KEY=VALUE`. `Link: rel="next"` leads to the next page.',
        querystring: WorkflowListParameters,
        response: {
          200: answer('One page, without steps and context.', { 'application/json': pageOf(WorkflowSummary) }),
          ...problems(400, 406, 503),
        },
      },
    },
    async (request, reply) =>
      sendPage(request, reply, await serviceFor(context.parts, request).list(workflowListQueryOf(request.query))),
  )
}
