import { commitForSure, sameClaim, untilAvailable } from './committer.ts'
import type { Decision } from './draft.ts'
import { publish, toChange } from './held-workflow.ts'
import type { HeldWorkflowParts } from './held-workflow.ts'
import type { ActivationJob } from './queue.ts'
import { decide } from './transitions.ts'
import type { Claim, WorkflowState } from './workflow.ts'

type TakeParts = Pick<HeldWorkflowParts, 'store' | 'clock' | 'observe' | 'followers' | 'hints' | 'abandoned'> & {
  readonly maxWorkerLosses: number
}

export interface TakenWorkflow {
  readonly state: WorkflowState
  readonly claim: Claim
}

/**
 * Takes the claim that a fetched job gives: the workflow is active, of the job's activation, and nobody newer has it.
 * null: it is not ours to run, the job is a left-over. What a lost predecessor left running starts again.
 */
export async function takeWorkflow(parts: TakeParts, job: ActivationJob): Promise<TakenWorkflow | null> {
  const { store, clock, maxWorkerLosses, abandoned } = parts
  const claim = { activation: job.activation, retry: job.retry }
  for (;;) {
    const state = await untilAvailable(() => store.load(job.workflowId), abandoned)
    if (state === null || !state.active || state.activation !== claim.activation) return null
    if (sameClaim(state.claim, claim)) return { state, claim }
    if (isNewer(state.claim, claim)) return null
    const decision = decide(state, { type: 'taken', claim, maxWorkerLosses }, { now: clock.now() })
    if (decision === null) return null
    const written = await commitForSure(store, takeChange(state, decision, claim), abandoned)
    if (!written) continue
    publish(parts, decision)
    return decision.state.active ? { state: decision.state, claim } : null
  }
}

function takeChange(state: WorkflowState, decision: Decision, claim: Claim) {
  const happening = { type: 'adopted', claim } as const
  return toChange(decision, { happening }, { seen: state.seq, guard: { kind: 'take', claim } })
}

function isNewer(a: Claim | null, b: Claim): boolean {
  return a !== null && (a.activation > b.activation || (a.activation === b.activation && a.retry > b.retry))
}
