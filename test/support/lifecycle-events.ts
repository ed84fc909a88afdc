import type { CommittedEvent, LifecycleType } from '../../src/workflows/events.ts'

export interface EventOptions {
  readonly step?: string
  readonly role?: string
  readonly attempt?: number
  readonly at?: number
  readonly data?: Readonly<Record<string, unknown>>
  readonly kind?: 'workflow' | 'task'
  readonly workflowType?: string
  readonly owner?: string
}

/** A committed event of the workflow `wf_1`; with a `step`, one of the task `task_<step>`. */
export function committedEvent(type: LifecycleType, options: EventOptions = {}): CommittedEvent {
  const { step, role = 'developer', attempt = 1, at = 0, data = {} } = options
  const { kind = 'workflow', workflowType = 'feature_development', owner = '' } = options
  return {
    workflow: { id: 'wf_1', kind, type: workflowType, createdAt: 0, owner },
    step: step === undefined ? null : { id: step, role, taskId: `task_${step}` },
    event: {
      seq: 1,
      type,
      at,
      correlationId: 'abc123',
      step: step ?? null,
      attempt: step === undefined ? null : attempt,
      data,
    },
  }
}
