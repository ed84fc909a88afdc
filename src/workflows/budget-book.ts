import { AppError } from '../errors.ts'
import { addSpending, judgeCall, nothingSpent, spendingOf } from './budget.ts'
import type { Budget, BudgetedCall, Spending } from './budget.ts'
import type { WorkflowStore } from './store.ts'

/** The answer to a call that somebody wants to make. */
export type Grant =
  | { readonly kind: 'granted'; readonly maxTokens: number; readonly reserved: Spending }
  /** Resolves when there may be more to spend. */
  | { readonly kind: 'later'; readonly freed: Promise<void> }
  | { readonly kind: 'refused'; readonly error: AppError }

/**
 * What a held workflow spends. Only its holder makes calls, and their rows are stored under its claim, so the book of
 * the holder is exact; what was spent before is read from the ledger, where a call whose process was lost counts as
 * the most that it may have cost.
 */
export interface BudgetBook {
  /** Reserves for a call, by its id: asking again takes the place of the answer before. */
  reserve(call: BudgetedCall & { readonly id: string }): Promise<Grant>
  /** The call has ended, and cost so much. */
  settle(id: string, cost: Omit<Spending, 'calls'>): void
  /** The call is not made, and has no row. */
  release(id: string): void
}

interface Entry {
  readonly open: boolean
  readonly spending: Spending
}

/** Opens the book of a workflow. `budget` is asked each time; null: it has none, and nothing is read. */
export function openBudgetBook(
  store: Pick<WorkflowStore, 'spent'>,
  { id, budget }: { readonly id: string; readonly budget: () => Budget | null },
): BudgetBook {
  const mine = new Map<string, Entry>()
  let before: Spending | null = null
  let freed = Promise.withResolvers<void>()

  const sum = (open: boolean): Spending =>
    [...mine.values()].reduce((total, entry) => (entry.open === open ? addSpending(total, entry.spending) : total), {
      ...nothingSpent,
    })
  const readBefore = async (): Promise<Spending> => {
    before = await store.spent(id, [...mine.keys()])
    return before
  }
  const wake = () => {
    freed.resolve()
    freed = Promise.withResolvers()
  }

  return {
    async reserve(call) {
      mine.delete(call.id)
      const limits = budget()
      if (limits === null)
        return { kind: 'granted', maxTokens: call.maxTokens, reserved: spendingOf(call, call.maxTokens) }
      const judge = (earlier: Spending) =>
        judgeCall(limits, { spent: addSpending(earlier, sum(false)), reserved: sum(true) }, call)
      let verdict = judge(before ?? (await readBefore()))
      // Calls of a former holder may have been settled since, for less than they were counted.
      if (verdict.kind === 'refused') verdict = judge(await readBefore())
      if (verdict.kind === 'later') return { kind: 'later', freed: freed.promise }
      if (verdict.kind === 'refused') {
        const { message, budget: name } = verdict
        return { kind: 'refused', error: new AppError('budget_exhausted', message, { retryable: true, budget: name }) }
      }
      const reserved = spendingOf(call, verdict.maxTokens)
      mine.set(call.id, { open: true, spending: reserved })
      return { kind: 'granted', maxTokens: verdict.maxTokens, reserved }
    },
    settle(callId, { tokens, costUsd }) {
      if (!mine.has(callId)) return
      mine.set(callId, { open: false, spending: { calls: 1, tokens, costUsd } })
      wake()
    },
    release(callId) {
      if (mine.delete(callId)) wake()
    },
  }
}
