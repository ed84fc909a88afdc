import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import type { CustomStep, WorkflowOptions } from '../../src/workflows/requests.ts'
import { hasEnded } from '../../src/workflows/workflow.ts'
import { caller, customStep } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import type { SeenCall } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'
import { newCorrelation } from './engine-site.ts'
import type { EngineSite } from './engine-site.ts'

const rounds = 3
const workflowsPerRound = 6
/** So few that the retry budget of the endpoint holds up none of them. */
const mostFailures = 8

type Budget = NonNullable<WorkflowOptions['budget']>

interface Plan {
  readonly steps: readonly CustomStep[]
  readonly budget: Budget
  readonly maxTokens: number
  /** Cancelled after so many of the round's calls; 0: not. */
  readonly cancelAfter: number
}

const shapes = [
  ['a', 'b', 'c', 'd'],
  ['a', 'b < a', 'c < a', 'd < b c'],
  ['a', 'b < a', 'c < b'],
]

const plans: fc.Arbitrary<readonly Plan[]> = fc.array(
  fc.record({
    steps: fc.constantFrom(...shapes).map((lines) => lines.map((line) => customStep(line))),
    budget: fc.record(
      { max_llm_calls: fc.integer({ min: 1, max: 9 }), max_tokens: fc.integer({ min: 2500, max: 30_000 }) },
      { requiredKeys: [] },
    ),
    maxTokens: fc.integer({ min: 100, max: 3000 }),
    cancelAfter: fc.integer({ min: 0, max: 12 }),
  }),
  { minLength: workflowsPerRound, maxLength: workflowsPerRound },
)

/** Answers of every sort, each of which costs as much as it is allowed to, or less. */
function createSpender(draw: () => number) {
  const asked = new Map<string, number>()
  let failures = 0
  const answer = (call: SeenCall) => {
    const of = String(call.headers['x-correlation-id'])
    asked.set(of, (asked.get(of) ?? 0) + 1)
    const most = Number(call.body['max_tokens'])
    const usage = { prompt_tokens: 50 + Math.floor(draw() * 200), completion_tokens: Math.ceil(draw() * most) }
    const kind = draw()
    if (kind < 0.2 && failures < mostFailures) {
      failures += 1
      return { status: 500, body: {} }
    }
    return { text: 'a b c', usage, finishReason: kind < 0.4 ? 'length' : 'stop' }
  }
  return { answer, asked: (correlationId: string) => asked.get(correlationId) ?? 0 }
}

interface CallRow {
  readonly estimated_input_tokens: number
  readonly max_tokens: number
  readonly settled: boolean
  readonly input_tokens: number | null
  readonly output_tokens: number | null
}

const callRows = `SELECT estimated_input_tokens, max_tokens, settled_at IS NOT NULL AS settled, input_tokens, output_tokens
  FROM agents.calls WHERE workflow_id = $1`

/** What calls have cost, or may have cost at most. Here every prompt is shorter than its estimate, which leaves no slack. */
function tokensOf(rows: readonly CallRow[]): number {
  const each = rows.map((row) =>
    row.settled ? (row.input_tokens ?? 0) + (row.output_tokens ?? 0) : row.estimated_input_tokens + row.max_tokens,
  )
  return each.reduce((sum, tokens) => sum + tokens, 0)
}

async function ignoreRefusal(verb: Promise<unknown>): Promise<void> {
  await verb.catch((error: unknown) => {
    if (!(error instanceof AppError) || !['conflict', 'unavailable', 'invalid-workflow'].includes(error.code))
      throw error
  })
}

async function untilAllEnded(site: EngineSite, ids: readonly string[], nudge: () => Promise<void>): Promise<void> {
  const open = async () => {
    const states = await Promise.all(ids.map((id) => site.storage(site.shared ? 1 : 0).store.load(id)))
    const left = states.filter((state) => state !== null && !hasEnded(state.status)).length
    if (left > 0) await nudge()
    return left
  }
  await expect.poll(open, { timeout: 30_000, interval: 200 }).toBe(0)
}

/** Workflows with budgets while one process dies and some are cancelled and resumed; all that was spent. */
async function spendOnce(site: EngineSite, all: readonly Plan[], draw: () => number): Promise<void> {
  const spender = createSpender(draw)
  const server = await startModelServer({ answer: spender.answer })
  const dying = await site.openBench({ server })
  const survivor = await site.openBench({ server }, site.shared ? 1 : 0)
  await dying.engine.start()
  if (site.shared) await survivor.engine.start()
  const started = await Promise.all(all.map((plan) => startPlan(dying, plan)))
  await server.called(3 + Math.floor(draw() * 5))
  await dying.kill()
  if (!site.shared) await survivor.engine.start()
  const nudge = async () => {
    if (site.shared) await site.lapseJobs()
    const due = started.filter(({ plan }) => plan.cancelAfter > 0 && server.calls.length >= plan.cancelAfter)
    for (const { id } of due) await ignoreRefusal(survivor.service.cancel({ kind: 'workflow', id }, caller))
  }
  const ids = started.map(({ id }) => id)
  await untilAllEnded(site, ids, nudge)
  for (const { id } of started) await ignoreRefusal(survivor.service.resume({ kind: 'workflow', id }, {}, caller))
  await untilAllEnded(site, ids, async () => (site.shared ? site.lapseJobs() : undefined))
  await survivor.engine.drain(5000)
  for (const { id, plan, correlationId } of started) {
    const { rows } = await site.query<CallRow & Record<string, unknown>>(callRows, [id])
    const { max_llm_calls: calls = Infinity, max_tokens: tokens = Infinity } = plan.budget
    expect(rows.length).toBeLessThanOrEqual(calls)
    expect(spender.asked(correlationId)).toBeLessThanOrEqual(rows.length)
    expect(tokensOf(rows)).toBeLessThanOrEqual(tokens)
    // Only what the dead one had begun is nobody's to settle.
    const open = rows.filter(({ settled }) => !settled).length
    expect(open).toBeLessThanOrEqual(plan.steps.length)
  }
  const { rows: late } = await site.query<{ open: number }>(
    `SELECT count(*)::integer AS open FROM agents.calls WHERE settled_at IS NULL AND workflow_id = ANY ($1)
       AND created_at > (SELECT min(at) FROM agents.events WHERE workflow_id = ANY ($1) AND type = 'workflow.resumed')`,
    [ids],
  )
  expect(late[0]?.open ?? 0).toBe(0)
  expect([...dying.defects, ...survivor.defects]).toEqual([])
  await server.close()
}

async function startPlan(bench: EngineBench, plan: Plan) {
  const correlationId = newCorrelation()
  const options = { max_tokens: plan.maxTokens, budget: plan.budget }
  const request = { type: 'custom', requirement: 'Build it.', steps: [...plan.steps], options }
  const { resource } = await bench.service.start(request, { ...caller, correlationId })
  return { id: resource.id, plan, correlationId }
}

/** Budgets hold over parallel steps, failed tries, continuations, deaths, cancels and resumes. */
export function describeBudgets(site: EngineSite): void {
  describe('budgets', () => {
    it('are held whatever happens, and nothing stays reserved', async () => {
      const seed = Number(process.env['BUDGET_SEED'] ?? Math.floor(Math.random() * 1_000_000))
      for (let round = 0; round < rounds; round += 1) {
        const [all = []] = fc.sample(plans, { seed: seed + round, numRuns: 1 })
        const draws = fc.sample(fc.double({ min: 0, max: 0.999, noNaN: true }), { seed: seed + round, numRuns: 2000 })
        let next = 0
        const draw = () => draws[next++ % draws.length] ?? 0
        await spendOnce(site, all, draw).catch((error: unknown) => {
          throw new Error(`with BUDGET_SEED=${seed} in round ${round}`, { cause: error })
        })
      }
    }, 120_000)
  })
}
