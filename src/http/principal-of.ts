import type { FastifyRequest } from 'fastify'
import { everybody } from '../workflows/principal.ts'
import type { Principal } from '../workflows/principal.ts'
import type { WorkflowService, WorkflowServices } from '../workflows/service.ts'

export interface ServiceParts {
  readonly services: WorkflowServices
}

/** On whose behalf a request asks. */
function principalOf(_request: FastifyRequest): Principal {
  return everybody
}

/** The verbs as the sender of a request may use them: the only way from a route to a workflow. */
export function serviceFor({ services }: ServiceParts, request: FastifyRequest): WorkflowService {
  return services.as(principalOf(request))
}
