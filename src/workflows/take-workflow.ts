import { untilAvailable } from './committer.ts'
import type { ActivationJob } from './queue.ts'
import type { RunnableWorkflow, WorkflowStore } from './store.ts'
import type { Claim, WorkflowState } from './workflow.ts'

/** The workflow is active, of the claim's activation, and nobody newer has it. */
export function mayTake(state: WorkflowState, claim: Claim): boolean {
  return state.active && state.activation === claim.activation && !isNewer(state.claim, claim)
}

function isNewer(a: Claim | null, b: Claim): boolean {
  return a !== null && (a.activation > b.activation || (a.activation === b.activation && a.retry > b.retry))
}

/**
 * The workflow to which a fetched job gives the claim, with what its steps are made from.
 * null: it is not ours to run, the job is a left-over.
 */
export async function findTakeable(
  { store, abandoned }: { readonly store: WorkflowStore; readonly abandoned: AbortSignal },
  { workflowId, activation, retry }: ActivationJob,
): Promise<RunnableWorkflow | null> {
  const found = await untilAvailable(() => store.loadRunnable(workflowId), abandoned)
  return found !== null && mayTake(found.state, { activation, retry }) ? found : null
}
