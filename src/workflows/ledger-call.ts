import type { CallEstimate } from '../agents/agent.ts'
import type { AppError } from '../errors.ts'
import type { Target } from '../llm/model.ts'
import type { CostOf } from '../llm/prices.ts'
import type { BudgetedCall } from './budget.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { newId } from './ids.ts'
import type { NewCall } from './store.ts'

/** What comes of asking for a call's place in the budget. */
export type Reserved =
  | { readonly kind: 'granted'; readonly call: NewCall }
  | { readonly kind: 'later'; readonly freed: Promise<void> }
  | { readonly kind: 'refused'; readonly error: AppError }

/** A call that is planned: to be reserved in the turn in which its row is stored, as often as that turn comes. */
export interface LedgerCall {
  /** The row is of the attempt that is open then, or of the next one. */
  reserve(which?: 'next_attempt'): Promise<Reserved>
  /** It is not made after all, and has no row. */
  release(): void
}

/** Plans a call of a step's agent. */
export function planCall(
  costOf: CostOf,
  { hold, index, target }: { readonly hold: HeldWorkflow; readonly index: number; readonly target: Target },
  estimate: CallEstimate,
): LedgerCall {
  const id = newId('call')
  const { endpoint, model } = target
  const price = priceOf(costOf, model, estimate)
  return {
    async reserve(which) {
      const grant = await hold.book.reserve({ id, ...estimate, price })
      if (grant.kind !== 'granted') return grant
      const call: NewCall = {
        id,
        workflowId: hold.state().id,
        stepIndex: index,
        attempt: hold.step(index).attempt + (which === undefined ? 0 : 1),
        endpoint,
        model,
        estimatedInputTokens: estimate.inputTokens,
        maxTokens: grant.maxTokens,
        costUsd: price?.inputUsd ?? null,
        reservedCostUsd: price === null ? null : grant.reserved.costUsd,
      }
      return { kind: 'granted', call }
    },
    release: () => hold.book.release(id),
  }
}

function priceOf(costOf: CostOf, model: string, { inputTokens }: CallEstimate): BudgetedCall['price'] {
  const inputUsd = costOf(model, { inputTokens, cachedTokens: 0, outputTokens: 0 })
  const perOutputTokenUsd = costOf(model, { inputTokens: 0, cachedTokens: 0, outputTokens: 1 })
  return inputUsd === null || perOutputTokenUsd === null ? null : { inputUsd, perOutputTokenUsd }
}
