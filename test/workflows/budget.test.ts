import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBudgetBook } from '../../src/workflows/budget-book.ts'
import { judgeCall, nothingSpent, spendingOf, spentBudgets } from '../../src/workflows/budget.ts'
import type { Budget, BudgetedCall, Spending } from '../../src/workflows/budget.ts'

const call: BudgetedCall = { inputTokens: 100, maxTokens: 1000, price: null }
const spending = (changes: Partial<Spending>): Spending => ({ ...nothingSpent, ...changes })

function judged(budget: Budget, changes: { spent?: Partial<Spending>; reserved?: Partial<Spending> } = {}, of = call) {
  const beside = { spent: spending(changes.spent ?? {}), reserved: spending(changes.reserved ?? {}) }
  const verdict = judgeCall(budget, beside, of)
  return verdict.kind === 'refused' ? verdict.budget : verdict.kind === 'granted' ? verdict.maxTokens : verdict.kind
}

describe('a call', () => {
  it('is granted what it asks for when that fits', () => {
    expect(judged({})).toBe(1000)
    expect(judged({ maxTokens: 1100 })).toBe(1000)
    expect(judged({ maxTokens: 2200 }, { reserved: { calls: 1, tokens: 1100 } })).toBe(1000)
  })

  it('is cut to what is unspent when nobody else holds a reservation, but not below 256 tokens', () => {
    expect(judged({ maxTokens: 1099 })).toBe(999)
    expect(judged({ maxTokens: 356 })).toBe(256)
    expect(judged({ maxTokens: 355 })).toBe('max_tokens')
    expect(judged({ maxTokens: 120 }, {}, { ...call, maxTokens: 20 })).toBe(20)
    expect(judged({ maxTokens: 119 }, {}, { ...call, maxTokens: 20 })).toBe('max_tokens')
  })

  it('waits beside the reservations of others, unless it would not fit alone either', () => {
    expect(judged({ maxTokens: 1100 }, { reserved: { calls: 1, tokens: 1 } })).toBe('later')
    expect(judged({ maxTokens: 1100 }, { spent: { tokens: 745 }, reserved: { calls: 1, tokens: 1 } })).toBe(
      'max_tokens',
    )
  })

  it('is one of an exact number', () => {
    expect(judged({ maxLlmCalls: 3 }, { spent: { calls: 1 }, reserved: { calls: 1 } })).toBe(1000)
    expect(judged({ maxLlmCalls: 3 }, { spent: { calls: 2 }, reserved: { calls: 1 } })).toBe('max_llm_calls')
  })

  it('costs what its prompt and its longest answer cost', () => {
    const priced = { ...call, price: { inputUsd: 0.5, perOutputTokenUsd: 0.001 } }
    expect(judged({ maxCostUsd: 1.5 }, {}, priced)).toBe(1000)
    expect(judged({ maxCostUsd: 1 }, {}, priced)).toBe(500)
    expect(judged({ maxCostUsd: 0.75 }, {}, priced)).toBe('max_cost_usd')
    expect(judged({ maxCostUsd: 1.5 }, { reserved: { calls: 1, costUsd: 0.1 } }, priced)).toBe('later')
    const free = { ...call, price: { inputUsd: 0.5, perOutputTokenUsd: 0 } }
    expect(judged({ maxCostUsd: 0.5 }, {}, free)).toBe(1000)
    expect(judged({ maxCostUsd: 5 })).toBe('max_cost_usd')
  })

  it('never takes more than is there', () => {
    const amount = fc.integer({ min: 0, max: 3000 })
    const asked = fc.record({
      inputTokens: amount,
      maxTokens: fc.integer({ min: 1, max: 3000 }),
      price: fc.constant(null),
    })
    const taken = fc.record({ maxTokens: amount, spent: amount, held: amount })
    fc.assert(
      fc.property(asked, taken, (of, { maxTokens, spent, held }) => {
        const reserved = spending({ calls: held > 0 ? 1 : 0, tokens: held })
        const verdict = judgeCall({ maxTokens }, { spent: spending({ tokens: spent }), reserved }, of)
        if (verdict.kind !== 'granted') return
        expect(spent + held + spendingOf(of, verdict.maxTokens).tokens).toBeLessThanOrEqual(maxTokens)
        expect(verdict.maxTokens).toBeGreaterThanOrEqual(Math.min(256, of.maxTokens))
      }),
    )
  })
})

describe('the book', () => {
  const open = (budget: Budget | null, before: Spending = nothingSpent) => {
    const asked: (readonly string[])[] = []
    const store = {
      async spent(_id: string, without: readonly string[]) {
        asked.push(without)
        return before
      },
    }
    return { book: openBudgetBook(store, { id: 'wf', budget: () => budget }), asked }
  }

  it('reads nothing without a budget', async () => {
    const { book, asked } = open(null)
    expect(await book.reserve({ id: 'a', ...call })).toMatchObject({ kind: 'granted', maxTokens: 1000 })
    expect(asked).toEqual([])
  })

  it('wakes who waits when a call has ended, for what it has really cost', async () => {
    const { book } = open({ maxTokens: 1200 })
    expect((await book.reserve({ id: 'a', ...call })).kind).toBe('granted')
    const later = await book.reserve({ id: 'b', ...call })
    if (later.kind !== 'later') throw new Error('it did not have to wait')
    book.settle('a', { tokens: 150, costUsd: 0 })
    await later.freed
    expect(await book.reserve({ id: 'b', ...call })).toMatchObject({ kind: 'granted', maxTokens: 950 })
  })

  it('forgets a call that was not made, and answers the same call anew', async () => {
    const { book } = open({ maxLlmCalls: 1 })
    expect((await book.reserve({ id: 'a', ...call })).kind).toBe('granted')
    expect((await book.reserve({ id: 'a', ...call })).kind).toBe('granted')
    expect((await book.reserve({ id: 'b', ...call })).kind).toBe('refused')
    book.release('a')
    expect((await book.reserve({ id: 'b', ...call })).kind).toBe('granted')
  })

  it('looks at the ledger again before it refuses', async () => {
    const before = { ...nothingSpent, tokens: 900 }
    const store = { spent: async () => ({ ...before }) }
    const book = openBudgetBook(store, { id: 'wf', budget: () => ({ maxTokens: 2000 }) })
    expect((await book.reserve({ id: 'a', ...call })).kind).toBe('granted')
    book.settle('a', { tokens: 1000, costUsd: 0 })
    expect((await book.reserve({ id: 'b', ...call })).kind).toBe('refused')
    before.tokens = 100
    expect(await book.reserve({ id: 'b', ...call })).toMatchObject({ kind: 'granted', maxTokens: 800 })
  })
})

it('budgets are spent when nothing of them is left', () => {
  const budget = { maxTokens: 10, maxLlmCalls: 2, maxDurationMs: 1500, maxCostUsd: 1 }
  expect(spentBudgets(budget, { calls: 1, tokens: 9, costUsd: 0.9 }, 1499)).toEqual([])
  expect(spentBudgets(budget, { calls: 2, tokens: 10, costUsd: 1 }, 1500).map((one) => one.budget)).toEqual([
    'max_tokens',
    'max_llm_calls',
    'max_duration_seconds',
    'max_cost_usd',
  ])
})
