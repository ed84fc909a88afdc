import { Type } from '@sinclair/typebox'
import { ApprovalResource } from '../../workflows/resources.ts'
import type { HttpApp } from '../http-app.ts'
import { defaultLimit, pageParameters, sendPage } from '../list-query.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, pageOf, problems } from '../schemas.ts'

const ApprovalListParameters = Type.Object(pageParameters, { additionalProperties: false })

/** The inbox of those who approve. */
export function addApprovalRoutes(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/approvals',
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database' },
      schema: {
        tags: ['approvals'],
        summary: 'Every step that waits for a person, oldest first',
        description: 'Of all workflows. `Link: rel="next"` leads to the next page.',
        querystring: ApprovalListParameters,
        response: {
          200: answer('One page.', { 'application/json': pageOf(ApprovalResource) }),
          ...problems(400, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const { limit = defaultLimit, after = null } = request.query
      return sendPage(request, reply, await serviceFor(parts, request).approvals({ limit, after }))
    },
  )
}
