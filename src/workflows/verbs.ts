import { randomUUID } from 'node:crypto'
import { toChange } from './planned-change.ts'
import type { PlannedChange } from './planned-change.ts'
import { publishChange } from './publish-change.ts'
import type { PublishParts } from './publish-change.ts'
import { findRecord, findState, viewEither } from './find-workflow.ts'
import type { FindParts } from './find-workflow.ts'
import type { Outcome, WorkflowRef } from './service.ts'
import type { Clock } from './queue.ts'
import type { TaskResource, WorkflowResource } from './resources.ts'
import { decide } from './transitions.ts'
import type { WorkflowState } from './workflow.ts'

export interface VerbParts extends PublishParts, FindParts {
  readonly clock: Clock
  /** Told of every change. */
  readonly engine: { wake(workflowId: string): void }
}

/** A change that a verb plans; what is wrong with the request is told only where the state would have allowed it. */
export interface VerbChange extends PlannedChange {
  /** Throws what the request is refused with. */
  readonly check?: () => Promise<void>
}

/** A change that a verb plans on the state that it finds. */
export type VerbPlan = (state: WorkflowState) => VerbChange | null | Promise<VerbChange | null>

/** What came of a verb: a change with the number before it, or the state that did not allow one. */
export type VerbResult =
  | { readonly changed: true; readonly seen: number }
  | { readonly changed: false; readonly state: WorkflowState }

/**
 * Makes a change under the row's lock, on whatever state it finds: planned anew whenever somebody else was first.
 * Refused when the plan is null, or the state does not allow it. Whoever runs the workflow is told of a change.
 */
export async function changeByVerb(
  parts: VerbParts,
  { ref, correlationId }: { readonly ref: WorkflowRef; readonly correlationId?: string },
  plan: VerbPlan,
): Promise<VerbResult> {
  const { store, clock, engine } = parts
  for (;;) {
    const state = await findState(parts, ref)
    const planned = await plan(state)
    const moment = { now: clock.now(), jobId: randomUUID(), ...(correlationId === undefined ? {} : { correlationId }) }
    const decision = planned === null ? null : decide(state, planned.happening, moment)
    if (planned === null || decision === null) return { changed: false, state }
    const { happening: _happening, check, ...writes } = planned
    await check?.()
    const change = toChange(decision, writes, { seen: state.seq, guard: { kind: 'verb' } })
    if (!(await store.commit(change))) continue
    publishChange(parts, decision)
    engine.wake(state.id)
    return { changed: true, seen: state.seq }
  }
}

/** What a verb answers: the resource as it is now. */
export async function outcomeOf(
  parts: FindParts & Pick<VerbParts, 'clock'>,
  ref: WorkflowRef,
  about: { readonly changed: boolean; readonly cursor?: string },
): Promise<Outcome<WorkflowResource | TaskResource>> {
  const resource = viewEither(await findRecord(parts, ref), parts.clock.now())
  return { resource, changed: about.changed, replayed: false, cursor: about.cursor ?? null }
}
