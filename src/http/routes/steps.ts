import { Type } from '@sinclair/typebox'
import { GraphResource, StepDetailResource } from '../../workflows/resources.ts'
import type { HttpApp } from '../http-app.ts'
import { mermaidOf } from '../mermaid.ts'
import { negotiate } from '../negotiation.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { runExists, workflowDoor } from '../run-door.ts'
import { answer, problems, refTo } from '../schemas.ts'
import { StepParams, stepExists } from '../step-path.ts'

const forms = ['application/json', 'text/vnd.mermaid'] as const

const GraphQuery = Type.Object(
  { format: Type.Optional(Type.Unsafe<'json' | 'mermaid'>({ type: 'string', enum: ['json', 'mermaid'] })) },
  { additionalProperties: false },
)

function addStep(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/workflows/:id/steps/:step',
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database', exists: stepExists(parts) },
      schema: {
        tags: ['workflows'],
        summary: 'One step with its attempts',
        params: StepParams,
        response: {
          200: answer('The step.', { 'application/json': refTo(StepDetailResource) }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    (request) => serviceFor(parts, request).step(request.params.id, request.params.step),
  )
}

function addGraph(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/workflows/:id/graph',
    {
      config: { scope: 'read', needs: 'database', produces: forms, exists: runExists(parts, workflowDoor) },
      schema: {
        tags: ['workflows'],
        summary: 'The DAG with statuses',
        description: 'JSON, or Mermaid with `Accept: text/vnd.mermaid` or `?format=mermaid`.',
        params: Type.Object({ id: Type.String() }),
        querystring: GraphQuery,
        response: {
          200: answer('The graph.', { 'application/json': refTo(GraphResource), 'text/vnd.mermaid': Type.String() }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const graph = await serviceFor(parts, request).graph(request.params.id)
      const wanted = request.query.format ?? negotiate(request.headers.accept, forms)
      if (wanted !== 'mermaid' && wanted !== 'text/vnd.mermaid') return graph
      return reply.type('text/vnd.mermaid; charset=utf-8').send(mermaidOf(graph))
    },
  )
}

/** The parts of a workflow. */
export function addStepRoutes(app: HttpApp, context: RouteContext): void {
  addStep(app, context)
  addGraph(app, context)
}
