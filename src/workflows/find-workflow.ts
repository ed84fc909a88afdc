import { AppError } from '../errors.ts'
import { viewTask, viewWorkflow } from './resource-view.ts'
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

function belongs(state: WorkflowState, ref: WorkflowRef): boolean {
  return state.kind === ref.kind && (ref.kind === 'workflow' || state.steps[0]?.definition.role === ref.role)
}

/** The state behind a path. Throws `not-found`. */
export async function findState(store: WorkflowStore, ref: WorkflowRef): Promise<WorkflowState> {
  const state = await store.load(ref.id)
  if (state === null || !belongs(state, ref)) throw notFound(`There is no ${ref.kind} "${ref.id}".`)
  return state
}

/** The record behind a path. Throws `not-found`. */
export async function findRecord(store: WorkflowStore, ref: WorkflowRef): Promise<WorkflowRecord> {
  const record = await store.record(ref.id)
  if (record === null || !belongs(record.state, ref)) throw notFound(`There is no ${ref.kind} "${ref.id}".`)
  return record
}
