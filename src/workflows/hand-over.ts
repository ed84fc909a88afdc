import { randomUUID } from 'node:crypto'
import { commitForSure, sameClaim, untilAvailable } from './committer.ts'
import type { HeldWorkflowParts } from './held-workflow.ts'
import { toChange } from './planned-change.ts'
import { publishChange } from './publish-change.ts'
import { decide } from './transitions.ts'
import type { Claim } from './workflow.ts'

type HandOverParts = Pick<
  HeldWorkflowParts,
  'store' | 'clock' | 'observe' | 'observeChange' | 'followers' | 'hints' | 'abandoned'
> & {
  readonly maxWorkerLosses: number
}

/**
 * Raises the activation of a workflow whose process is lost, and sends it a new job. Does nothing when it is not active,
 * or when its claim is no longer `lostClaim` (if that is known): somebody alive has taken it since.
 */
export async function handOverLost(parts: HandOverParts, id: string, lostClaim?: Claim | null): Promise<void> {
  const { store, clock, maxWorkerLosses, abandoned } = parts
  for (;;) {
    const state = await untilAvailable(() => store.load(id), abandoned)
    if (state === null || (lostClaim !== undefined && !sameClaim(state.claim, lostClaim))) return
    const happening = { type: 'handed_over', code: 'worker_lost', jobId: randomUUID(), maxWorkerLosses } as const
    const decision = decide(state, happening, { now: clock.now() })
    if (decision === null) return
    const change = toChange(decision, {}, { seen: state.seq, guard: { kind: 'verb' } })
    if (!(await commitForSure(store, change, abandoned))) continue
    publishChange(parts, decision)
    return
  }
}
