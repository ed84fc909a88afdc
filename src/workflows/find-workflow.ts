import { AppError } from '../errors.ts'
import { viewTask, viewWorkflow } from './resource-view.ts'
import type { Principal } from './principal.ts'
import type { WorkflowRef } from './service.ts'
import type { WorkflowRecord, WorkflowStore } from './store.ts'
import type { WorkflowState } from './workflow.ts'

/** The resource of either door. */
export function viewEither(record: WorkflowRecord, now: number) {
  return record.state.kind === 'task' ? viewTask(record, now) : viewWorkflow(record, now)
}

/** An id in a path that is not there, however it looks. */
export function notFound(message: string): AppError {
  return new AppError('not-found', message)
}

export interface FindParts {
  readonly store: WorkflowStore
  /** What others have started is not there for it. */
  readonly principal: Principal
}

function isVisibleTo({ seesAll, name }: Principal, { owner }: Pick<WorkflowState, 'owner'>): boolean {
  return seesAll || owner === name
}

function isThere(state: WorkflowState, ref: WorkflowRef, principal: Principal): boolean {
  if (state.kind !== ref.kind || !isVisibleTo(principal, state)) return false
  return ref.kind === 'workflow' || state.steps[0]?.definition.role === ref.role
}

/** The state behind a path, for a principal. Throws `not-found`. */
export async function findState({ store, principal }: FindParts, ref: WorkflowRef): Promise<WorkflowState> {
  const state = await store.load(ref.id)
  if (state === null || !isThere(state, ref, principal)) throw notFound(`There is no ${ref.kind} "${ref.id}".`)
  return state
}

/** The record behind a path, for a principal. Throws `not-found`. */
export async function findRecord({ store, principal }: FindParts, ref: WorkflowRef): Promise<WorkflowRecord> {
  const record = await store.record(ref.id)
  if (record === null || !isThere(record.state, ref, principal)) throw notFound(`There is no ${ref.kind} "${ref.id}".`)
  return record
}
