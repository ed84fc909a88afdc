/** Every event that is stored and numbered. `step.delta` and `step.reasoning` are not among them: text is a position. */
export const lifecycleTypes = [
  'workflow.queued',
  'workflow.started',
  'workflow.waiting',
  'workflow.resumed',
  'workflow.completed',
  'workflow.failed',
  'workflow.cancelled',
  'step.queued',
  'step.started',
  'step.retrying',
  'step.continued',
  'artifact.created',
  'step.completed',
  'step.incomplete',
  'step.waiting',
  'step.approved',
  'step.rejected',
  'step.failed',
  'step.skipped',
  'step.cancelled',
] as const

export type LifecycleType = (typeof lifecycleTypes)[number]

/** A stored event. `data` is in the form of the wire (snake_case) and holds what the common fields do not. */
export interface LifecycleEvent {
  readonly seq: number
  readonly type: LifecycleType
  /** Milliseconds since the epoch, by the database's clock. */
  readonly at: number
  readonly correlationId: string
  readonly step: string | null
  readonly attempt: number | null
  readonly data: Readonly<Record<string, unknown>>
}

/** Closes an open attempt so that its text is final and stays readable. */
export function keepsAttempt(type: LifecycleType): boolean {
  return type === 'step.completed' || type === 'step.incomplete' || type === 'step.waiting'
}

/** Closes an open attempt so that its text is void. */
export function voidsAttempt(type: LifecycleType): boolean {
  return type === 'step.retrying' || type === 'step.failed' || type === 'step.cancelled'
}

/** Ends the workflow. */
export function isEnd(type: LifecycleType): boolean {
  return type === 'workflow.completed' || type === 'workflow.failed' || type === 'workflow.cancelled'
}

/** What observers are told of every event once it is committed; told synchronously, must not throw. */
export interface CommittedEvent {
  readonly workflow: {
    readonly id: string
    readonly kind: 'workflow' | 'task'
    readonly type: string
    readonly createdAt: number
    /** Name of the API key that started it; '' where there was none. */
    readonly owner: string
  }
  readonly step: { readonly id: string; readonly role: string; readonly taskId: string } | null
  readonly event: LifecycleEvent
}

export type WorkflowObserver = (committed: CommittedEvent) => void
