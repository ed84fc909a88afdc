import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { Principal } from '../workflows/principal.ts'
import type { WorkflowService, WorkflowServices } from '../workflows/service.ts'

export interface ServiceParts {
  readonly services: WorkflowServices
}

/** On whose behalf a request asks. Throws `unauthorized` while nobody knows. */
function principalOf({ identity }: FastifyRequest): Principal {
  if (identity === null) throw new AppError('unauthorized', 'It cannot be told who asks.')
  return identity.principal
}

/** The verbs as the sender of a request may use them: the only way from a route to a workflow. */
export function serviceFor({ services }: ServiceParts, request: FastifyRequest): WorkflowService {
  return services.as(principalOf(request))
}
