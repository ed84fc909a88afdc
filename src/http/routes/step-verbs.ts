import { ApproveStep, RejectStep, RerunStep } from '../../workflows/requests.ts'
import { WorkflowResource } from '../../workflows/resources.ts'
import { callerOf } from '../correlation.ts'
import type { HttpApp } from '../http-app.ts'
import { sendOutcome } from '../outcome.ts'
import { KeyHeaders, RunHeaders } from '../request-headers.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, eventStreamSchema, optionalBody, problems, refTo } from '../schemas.ts'
import { startForms, startRun } from '../start-run.ts'
import { StepParams, stepExists } from '../step-path.ts'

const workflow = { 'application/json': refTo(WorkflowResource) }

const rerunDescription = [
  'The step runs again, and after it only what depends on it; the others keep their results. With `feedback` it is given',
  'its former output and what is wanted otherwise. The workflow has to have ended, the step must not have been skipped,',
  'and what it depends on has to be done, else 409. `options` are merged with those that there are. Answered as the POST',
  'that starts; the stream begins with its own `workflow.resumed`.',
].join(' ')

function addRerun(app: HttpApp, context: RouteContext): void {
  app.post(
    '/workflows/:id/steps/:step/rerun',
    {
      sse: { kind: 'manual', heartbeat: false },
      config: {
        scope: 'write',
        startsWork: true,
        produces: startForms,
        needs: 'database',
        takesKey: true,
        exists: stepExists(context.parts),
      },
      schema: {
        tags: ['workflows'],
        summary: 'Runs one ended step again',
        description: rerunDescription,
        params: StepParams,
        headers: RunHeaders,
        body: optionalBody(RerunStep),
        response: {
          200: answer('Its events from here on, or what became of it within the time to wait.', {
            'text/event-stream': eventStreamSchema,
            ...workflow,
          }),
          202: answer('It goes on.', workflow),
          ...problems(400, 404, 406, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const start = () =>
        serviceFor(context.parts, request).rerun(request.params, request.body ?? {}, callerOf(request))
      return startRun({ request, reply, start, revived: { kind: 'workflow', id: request.params.id } }, context)
    },
  )
}

const verdictResponses = {
  200: answer('This attempt had been answered in the same way.', workflow),
  202: answer('It is answered.', workflow),
  ...problems(400, 404, 406, 409, 413, 415, 422, 503),
}

const approveDescription = [
  'The step is `completed`, and what depends on it goes on. An edited `output` takes the place of what the model wrote,',
  'and its files the place of the files. With `attempt` the answer is to that text, so that it can be sent again: 200 if',
  'it had been given already, 409 if another had. Without it the gate that is open now is meant.',
].join(' ')

function addApprove(app: HttpApp, { parts }: RouteContext): void {
  app.post(
    '/workflows/:id/steps/:step/approve',
    {
      config: {
        scope: 'write',
        produces: ['application/json'],
        needs: 'database',
        takesKey: true,
        exists: stepExists(parts),
      },
      schema: {
        tags: ['approvals'],
        summary: 'Approves what a step made',
        description: approveDescription,
        params: StepParams,
        headers: KeyHeaders,
        body: optionalBody(ApproveStep),
        response: verdictResponses,
      },
    },
    async (request, reply) =>
      sendOutcome(
        reply,
        await serviceFor(parts, request).approve(request.params, request.body ?? {}, callerOf(request)),
      ),
  )
}

const rejectDescription = [
  'The step runs again as a new attempt that is given its former output and the `feedback`, at most `max_revisions`',
  'times; the next rejection makes it `failed`. `attempt` as with approve.',
].join(' ')

function addReject(app: HttpApp, { parts }: RouteContext): void {
  app.post(
    '/workflows/:id/steps/:step/reject',
    {
      config: {
        scope: 'write',
        produces: ['application/json'],
        needs: 'database',
        takesKey: true,
        exists: stepExists(parts),
      },
      schema: {
        tags: ['approvals'],
        summary: 'Sends back what a step made',
        description: rejectDescription,
        params: StepParams,
        headers: KeyHeaders,
        body: refTo(RejectStep),
        response: verdictResponses,
      },
    },
    async (request, reply) =>
      sendOutcome(reply, await serviceFor(parts, request).reject(request.params, request.body, callerOf(request))),
  )
}

/** What can be done to one step. */
export function addStepVerbRoutes(app: HttpApp, context: RouteContext): void {
  addRerun(app, context)
  addApprove(app, context)
  addReject(app, context)
}
