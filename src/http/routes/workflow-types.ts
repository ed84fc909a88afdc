import type { Static } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { WorkflowTypeResource } from '../../workflows/resources.ts'
import type { HttpApp } from '../http-app.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, problems, refTo } from '../schemas.ts'

const TypeParams = Type.Object({ type: Type.String() })
type TypeParams = Static<typeof TypeParams>

/** The templates. They are known without the database. */
export function addWorkflowTypeRoutes(app: HttpApp, { parts }: RouteContext): void {
  const typeOf = (request: FastifyRequest) => {
    return serviceFor(parts, request).workflowType((request.params as TypeParams).type)
  }
  app.get(
    '/workflow-types',
    {
      config: { scope: 'read', produces: ['application/json'] },
      schema: {
        tags: ['workflow types'],
        summary: 'The templates',
        response: {
          200: answer('All of them.', {
            'application/json': Type.Object({ data: Type.Array(refTo(WorkflowTypeResource)) }),
          }),
          ...problems(400, 406),
        },
      },
    },
    (request, reply) => reply.send({ data: serviceFor(parts, request).workflowTypes() }),
  )
  app.get(
    '/workflow-types/:type',
    {
      config: { scope: 'read', produces: ['application/json'], exists: typeOf },
      schema: {
        tags: ['workflow types'],
        summary: 'One template: steps, roles, dependencies, input',
        params: TypeParams,
        response: {
          200: answer('The template.', { 'application/json': refTo(WorkflowTypeResource) }),
          ...problems(400, 404, 406),
        },
      },
    },
    (request, reply) => reply.send(typeOf(request)),
  )
}
