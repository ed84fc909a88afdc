import type { TSchema } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { TaskResource, WorkflowResource } from '../workflows/resources.ts'
import type { WorkflowRef } from '../workflows/service.ts'
import { serviceFor } from './principal-of.ts'
import type { ServiceParts } from './principal-of.ts'

/** Parameters of the paths of one workflow or task. */
export interface RunParams {
  readonly id: string
  readonly role?: string
}

/** One of the two doors to a run: `/workflows/:id` and `/agents/:role/tasks/:id`. */
export interface RunDoor {
  readonly kind: 'workflow' | 'task'
  /** Tag in the description, also the noun in its sentences. */
  readonly tag: string
  readonly path: string
  readonly params: TSchema & { static: RunParams }
  /** The same with the wildcard of a file. */
  readonly fileParams: TSchema & { static: RunParams & { readonly '*': string } }
  /** The same with the id of a delivery. */
  readonly deliveryParams: TSchema & { static: RunParams & { readonly delivery: string } }
  readonly resource: TSchema
  ref(params: RunParams): WorkflowRef
}

const id = Type.String()
const role = Type.String()
const delivery = Type.String({ description: 'Id of the delivery.' })
const file = Type.String({ description: 'Path of the file.' })

/** Workflows. */
export const workflowDoor: RunDoor = {
  kind: 'workflow',
  tag: 'workflows',
  path: '/workflows/:id',
  params: Type.Unsafe<RunParams>(Type.Object({ id })),
  fileParams: Type.Unsafe<RunParams & { readonly '*': string }>(Type.Object({ id, '*': file })),
  deliveryParams: Type.Unsafe<RunParams & { readonly delivery: string }>(Type.Object({ id, delivery })),
  resource: WorkflowResource,
  ref: (params) => ({ kind: 'workflow', id: params.id }),
}

/** Direct tasks. */
export const taskDoor: RunDoor = {
  kind: 'task',
  tag: 'tasks',
  path: '/agents/:role/tasks/:id',
  params: Type.Unsafe<RunParams>(Type.Object({ role, id })),
  fileParams: Type.Unsafe<RunParams & { readonly '*': string }>(Type.Object({ role, id, '*': file })),
  deliveryParams: Type.Unsafe<RunParams & { readonly delivery: string }>(Type.Object({ role, id, delivery })),
  resource: TaskResource,
  ref: (params) => ({ kind: 'task', role: params.role ?? '', id: params.id }),
}

/** `exists` of the routes of a door. */
export function runExists(parts: ServiceParts, door: RunDoor) {
  return (request: FastifyRequest) => serviceFor(parts, request).get(door.ref(request.params as RunParams))
}
