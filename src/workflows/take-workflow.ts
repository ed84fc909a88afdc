import { untilAvailable } from './committer.ts'
import type { RunnableWorkflow, WorkflowStore } from './store.ts'
import type { Claim, WorkflowState } from './workflow.ts'

/** The workflow is active, of the claim's activation, and nobody newer has it. */
export function mayTake(state: WorkflowState, claim: Claim): boolean {
  return state.active && state.activation === claim.activation && !isNewer(state.claim, claim)
}

function isNewer(a: Claim | null, b: Claim): boolean {
  return a !== null && (a.activation > b.activation || (a.activation === b.activation && a.retry > b.retry))
}

/** Workflows with what their steps are made from, by id. */
export type RunnableWorkflows = ReadonlyMap<string, RunnableWorkflow>

/** Those of the ids that exist. */
export async function readRunnable(
  { store, abandoned }: { readonly store: WorkflowStore; readonly abandoned: AbortSignal },
  ids: readonly string[],
): Promise<RunnableWorkflows> {
  const found = ids.length === 0 ? [] : await untilAvailable(() => store.loadRunnable(ids), abandoned)
  return new Map(found.map((workflow) => [workflow.state.id, workflow]))
}
