import type { StepStatus, WorkflowStatus } from '../../src/workflows/workflow.ts'

/** The status of a step as its events tell it; `approved` and `rejected` only in the middle of a transaction. */
export type ToldStatus = StepStatus | 'approved' | 'rejected'

export const endedStatuses: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed', 'skipped', 'cancelled'])

/** What a step may be before an event of it. */
export const lawfulFrom: Readonly<Record<string, readonly ToldStatus[] | undefined>> = {
  'step.queued': ['pending', 'rejected'],
  'step.started': ['queued'],
  'step.retrying': ['running'],
  'step.continued': ['running'],
  'artifact.created': ['running', 'approved'],
  'step.waiting': ['running', 'pending'],
  'step.approved': ['waiting'],
  'step.rejected': ['waiting'],
  'step.completed': ['running', 'approved'],
  'step.incomplete': ['running'],
  'step.failed': ['queued', 'running', 'waiting', 'rejected'],
  'step.skipped': ['pending'],
  'step.cancelled': ['pending', 'queued', 'running', 'waiting'],
}

/** What it is after one; those that are not named change nothing. */
export const leadsTo: Readonly<Record<string, ToldStatus | undefined>> = {
  'step.queued': 'queued',
  'step.started': 'running',
  'step.retrying': 'queued',
  'step.waiting': 'waiting',
  'step.approved': 'approved',
  'step.rejected': 'rejected',
  'step.completed': 'completed',
  'step.incomplete': 'incomplete',
  'step.failed': 'failed',
  'step.skipped': 'skipped',
  'step.cancelled': 'cancelled',
}

/** What the workflow may be before an event of it. */
export const lawfulBefore: Readonly<Record<string, readonly WorkflowStatus[] | undefined>> = {
  'workflow.queued': ['queued'],
  'workflow.started': ['queued'],
  'workflow.waiting': ['queued', 'running'],
  'workflow.resumed': ['waiting', 'completed', 'failed', 'cancelled'],
  'workflow.completed': ['running', 'waiting'],
  'workflow.failed': ['queued', 'running', 'waiting'],
  'workflow.cancelled': ['queued', 'running', 'waiting'],
}

/** What it is after one; a `workflow.resumed` says it itself. */
export const statusAfter: Readonly<Record<string, WorkflowStatus | undefined>> = {
  'workflow.queued': 'queued',
  'workflow.started': 'running',
  'workflow.waiting': 'waiting',
  'workflow.completed': 'completed',
  'workflow.failed': 'failed',
  'workflow.cancelled': 'cancelled',
}
