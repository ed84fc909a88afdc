import type { Agents } from '../agents/agent.ts'
import type { InputFault } from '../errors.ts'
import { spentBudgets } from './budget.ts'
import type { Spending } from './budget.ts'
import type { WorkflowOptions } from './requests.ts'
import type { RunOptions, StepDefinition, WorkflowState } from './workflow.ts'

/** What is known of prices before a model is asked. */
export interface Pricing {
  /** Any model has one. */
  readonly hasPrices: boolean
  readonly hasPrice: (model: string) => boolean
  /** Models that answer where nobody names one; empty while that is not known. */
  readonly defaultModels: () => readonly string[]
}

interface PricedSteps {
  readonly options: WorkflowOptions | RunOptions | undefined
  readonly steps: readonly StepDefinition[]
}

/** A limit of the cost for models whose calls have no price. */
export function priceFaults(
  { agents, pricing }: { readonly agents: Agents; readonly pricing: Pricing },
  { options = {}, steps }: PricedSteps,
): readonly InputFault[] {
  if (!limitsCost(options.budget)) return []
  const pointer = '/options/budget/max_cost_usd'
  if (!pricing.hasPrices) return [{ pointer, detail: 'needs prices (LLM_PRICES), and there are none here' }]
  const named = steps.map(({ role, options: own }) => own.model ?? options.model ?? agents.profile(role)?.model ?? null)
  const models = new Set(named.flatMap((model) => (model === null ? pricing.defaultModels() : [model])))
  const unpriced = [...models].filter((model) => !pricing.hasPrice(model))
  if (unpriced.length === 0) return []
  const names = unpriced.map((model) => `"${model}"`).join(', ')
  return [{ pointer, detail: `needs a price (LLM_PRICES) of ${names}` }]
}

function limitsCost(budget: WorkflowOptions['budget'] | RunOptions['budget']): boolean {
  if (budget === undefined) return false
  return 'max_cost_usd' in budget || 'maxCostUsd' in budget
}

/** Budgets of which nothing is left: whoever goes on has to raise them. */
export function spentFaults(options: RunOptions, spent: Spending, { runningMs }: WorkflowState): readonly InputFault[] {
  return spentBudgets(options.budget ?? {}, spent, runningMs).map(({ budget, most, used }) => ({
    pointer: `/options/budget/${budget}`,
    detail: `the budget is spent: ${used} of ${most}; raise ${budget} to go on`,
  }))
}
