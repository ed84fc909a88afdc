import type { Static } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { WorkflowService } from '../workflows/service.ts'

/** Parameters of the paths of one step. */
export const StepParams = Type.Object({ id: Type.String(), step: Type.String() })
export type StepParams = Static<typeof StepParams>

/** `exists` of the routes of a step. */
export function stepExists({ service }: { readonly service: WorkflowService }) {
  return (params: unknown) => {
    const { id, step } = params as StepParams
    return service.step(id, step)
  }
}
