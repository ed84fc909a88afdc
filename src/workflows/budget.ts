/** What a workflow may spend; what is left out has no limit. */
export interface Budget {
  /** Input and output together. */
  readonly maxTokens?: number
  readonly maxLlmCalls?: number
  /** Milliseconds that it may spend running. */
  readonly maxDurationMs?: number
  readonly maxCostUsd?: number
}

/** What calls have cost, or may have cost at most. */
export interface Spending {
  readonly calls: number
  readonly tokens: number
  readonly costUsd: number
}

export const nothingSpent: Spending = { calls: 0, tokens: 0, costUsd: 0 }

/** A call that is to be made. */
export interface BudgetedCall {
  /** Tokens of the prompt, by estimate. */
  readonly inputTokens: number
  /** Output limit that is wished for. */
  readonly maxTokens: number
  /** null: its model has no price. */
  readonly price: { readonly inputUsd: number; readonly perOutputTokenUsd: number } | null
}

/** Name of a budget as clients write it. */
export type BudgetName = 'max_tokens' | 'max_llm_calls' | 'max_duration_seconds' | 'max_cost_usd'

export type Verdict =
  /** The call may be made, with at most so much output. */
  | { readonly kind: 'granted'; readonly maxTokens: number }
  /** It does not fit beside the calls that are being made, but may when they have cost less than they could. */
  | { readonly kind: 'later' }
  | { readonly kind: 'refused'; readonly budget: BudgetName; readonly message: string }

/** A shorter answer is of no use to anybody. */
const leastOutput = 256

/** Sum of two spendings. */
export function addSpending(a: Spending, b: Spending): Spending {
  return { calls: a.calls + b.calls, tokens: a.tokens + b.tokens, costUsd: a.costUsd + b.costUsd }
}

/** What a call may cost at most: its estimated prompt with `maxTokens` of output. */
export function spendingOf({ inputTokens, price }: BudgetedCall, maxTokens: number): Spending {
  const costUsd = price === null ? 0 : price.inputUsd + maxTokens * price.perOutputTokenUsd
  return { calls: 1, tokens: inputTokens + maxTokens, costUsd }
}

/**
 * Whether a call may be made beside what is spent and what the calls on their way have reserved. The number of calls is
 * exact. Output is cut to what is unspent when nobody else holds a reservation, never below the smaller of 256 tokens
 * and what is wished for.
 */
export function judgeCall(
  budget: Budget,
  { spent, reserved }: { readonly spent: Spending; readonly reserved: Spending },
  call: BudgetedCall,
): Verdict {
  const { maxLlmCalls = Infinity } = budget
  if (spent.calls + reserved.calls >= maxLlmCalls) {
    return refused('max_llm_calls', `All calls that its budget allows, ${maxLlmCalls}, have been made (max_llm_calls).`)
  }
  const least = Math.min(leastOutput, call.maxTokens)
  const limits = [tokenLimit(budget, call), costLimit(budget, call)].filter((limit) => limit !== null)
  const alone = limits.find(({ most }) => most(spent) < least)
  if (alone !== undefined) return refused(alone.budget, alone.message(spent))
  const beside = Math.min(call.maxTokens, ...limits.map(({ most }) => most(addSpending(spent, reserved))))
  if (beside === call.maxTokens) return { kind: 'granted', maxTokens: beside }
  return reserved.calls > 0 ? { kind: 'later' } : { kind: 'granted', maxTokens: beside }
}

interface Limit {
  readonly budget: BudgetName
  /** Most output that fits beside what is taken. */
  readonly most: (taken: Spending) => number
  readonly message: (spent: Spending) => string
}

function tokenLimit({ maxTokens }: Budget, { inputTokens }: BudgetedCall): Limit | null {
  if (maxTokens === undefined) return null
  return {
    budget: 'max_tokens',
    most: ({ tokens }) => maxTokens - tokens - inputTokens,
    message: ({ tokens }) =>
      `Of the ${maxTokens} tokens of its budget ${tokens} are spent, and its prompt has about ${inputTokens} (max_tokens).`,
  }
}

function costLimit({ maxCostUsd }: Budget, { price }: BudgetedCall): Limit | null {
  if (maxCostUsd === undefined) return null
  return {
    budget: 'max_cost_usd',
    most: ({ costUsd }) => {
      if (price === null) return -Infinity
      const left = maxCostUsd - costUsd - price.inputUsd
      if (left < 0 || price.perOutputTokenUsd === 0) return left < 0 ? -Infinity : Infinity
      return Math.floor(left / price.perOutputTokenUsd)
    },
    message: ({ costUsd }) => {
      if (price === null) return 'Its model has no price, so what it costs cannot be held to a budget (max_cost_usd).'
      return `Of the ${maxCostUsd} USD of its budget ${rounded(costUsd)} are spent (max_cost_usd).`
    },
  }
}

function refused(budget: BudgetName, message: string): Verdict {
  return { kind: 'refused', budget, message: `The step cannot go on: ${message}` }
}

function rounded(usd: number): number {
  return Number(usd.toPrecision(4))
}

/** Budgets that leave nothing to spend, with how much of them is spent; `runningMs`: time spent running. */
export function spentBudgets(budget: Budget, spent: Spending, runningMs: number) {
  const rows: readonly (readonly [BudgetName, number | undefined, number])[] = [
    ['max_tokens', budget.maxTokens, spent.tokens],
    ['max_llm_calls', budget.maxLlmCalls, spent.calls],
    ['max_duration_seconds', inSeconds(budget.maxDurationMs), runningMs / 1000],
    ['max_cost_usd', budget.maxCostUsd, spent.costUsd],
  ]
  return rows.flatMap(([name, most, used]) =>
    most !== undefined && used >= most ? [{ budget: name, most, used: rounded(used) }] : [],
  )
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
