import { randomUUID } from 'node:crypto'
import type { Decision } from './draft.ts'
import { toChange } from './planned-change.ts'
import type { PlannedChange } from './planned-change.ts'
import { publishChange } from './publish-change.ts'
import type { PublishParts } from './publish-change.ts'
import { findRecord, findState, viewEither } from './find-workflow.ts'
import type { Outcome, WorkflowRef } from './service.ts'
import type { WorkflowStore } from './store.ts'
import type { Clock } from './queue.ts'
import type { TaskResource, WorkflowResource } from './resources.ts'
import { decide } from './transitions.ts'
import type { WorkflowState } from './workflow.ts'

export interface VerbParts extends PublishParts {
  readonly store: WorkflowStore
  readonly clock: Clock
  /** Told of every change. */
  readonly engine: { wake(workflowId: string): void }
}

/** A change that a verb plans on the state that it finds. */
export type VerbPlan = (state: WorkflowState) => PlannedChange | null | Promise<PlannedChange | null>

/**
 * Makes a change under the row's lock, on whatever state it finds: planned anew whenever somebody else was first.
 * null: the plan, or the state, does not allow it. Whoever runs the workflow is told afterwards.
 */
export async function changeByVerb(
  parts: VerbParts,
  { ref, correlationId }: { readonly ref: WorkflowRef; readonly correlationId?: string },
  plan: VerbPlan,
): Promise<{ readonly decision: Decision; readonly seen: number } | null> {
  const { store, clock, engine } = parts
  for (;;) {
    const state = await findState(store, ref)
    const planned = await plan(state)
    const moment = { now: clock.now(), jobId: randomUUID(), ...(correlationId === undefined ? {} : { correlationId }) }
    const decision = planned === null ? null : decide(state, planned.happening, moment)
    if (planned === null || decision === null) return null
    const change = toChange(decision, planned, { seen: state.seq, guard: { kind: 'verb' } })
    if (!(await store.commit(change))) continue
    publishChange(parts, decision)
    engine.wake(state.id)
    return { decision, seen: state.seq }
  }
}

/** What a verb answers: the resource as it is now. */
export async function outcomeOf(
  { store, clock }: Pick<VerbParts, 'store' | 'clock'>,
  ref: WorkflowRef,
  about: { readonly changed: boolean; readonly cursor?: string },
): Promise<Outcome<WorkflowResource | TaskResource>> {
  const resource = viewEither(await findRecord(store, ref), clock.now())
  return { resource, changed: about.changed, replayed: false, cursor: about.cursor ?? null }
}
