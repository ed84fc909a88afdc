import type { Decision } from './draft.ts'
import type { WorkflowObserver } from './events.ts'
import type { Followers } from './followers.ts'
import type { Hints } from './hints.ts'
import type { Change } from './store.ts'

/** Told of every change once it is committed, synchronously, after its events; must not throw. */
export type ChangeObserver = (change: Pick<Decision, 'state' | 'events' | 'attempts'>) => void

export interface PublishParts {
  readonly observe: WorkflowObserver
  readonly observeChange?: ChangeObserver
  readonly followers: Followers
  readonly hints: Hints
  /** There may be something for a webhook. */
  readonly wakeWebhooks?: () => void
}

/** Tells observers, readers and the other replicas of a committed decision, and readers of the texts that it kept. */
export function publishChange(parts: PublishParts, decision: Decision, texts: Change['outputs'] = []): void {
  const { state, events } = decision
  const { id, kind, type, createdAt, owner, status, seq } = state
  for (const event of events) {
    const found = event.step === null ? undefined : state.steps.find((step) => step.definition.id === event.step)
    const step = found === undefined ? null : { ...found.definition, taskId: found.taskId }
    parts.observe({
      workflow: { id, kind, type, createdAt, owner },
      step: step === null ? null : { id: step.id, role: step.role, taskId: step.taskId },
      event,
    })
  }
  parts.observeChange?.(decision)
  parts.followers.advance(id, seq, { status, events, texts })
  parts.hints.tell(id)
  if (state.webhookEvents !== null) parts.wakeWebhooks?.()
}
