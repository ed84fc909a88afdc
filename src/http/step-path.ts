import type { Static } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { serviceFor } from './principal-of.ts'
import type { ServiceParts } from './principal-of.ts'

/** Parameters of the paths of one step. */
export const StepParams = Type.Object({ id: Type.String(), step: Type.String() })
export type StepParams = Static<typeof StepParams>

/** `exists` of the routes of a step. */
export function stepExists(parts: ServiceParts) {
  return (request: FastifyRequest) => {
    const { id, step } = request.params as StepParams
    return serviceFor(parts, request).step(id, step)
  }
}
