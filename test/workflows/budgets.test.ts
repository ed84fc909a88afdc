import { describe, expect } from 'vitest'
import type { TaskResource, WorkflowResource } from '../../src/workflows/resources.ts'
import { caller, customStep, customSteps, test } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import { noPrices } from '../support/no-prices.ts'
import { answerSteps, createLatch, heldAnswer } from '../support/scripted-steps.ts'

/** What the double reports of each call. */
const usage = { prompt_tokens: 300, completion_tokens: 100, total_tokens: 400 }

async function resourceOf(bench: EngineBench, id: string): Promise<WorkflowResource> {
  return (await bench.service.get({ kind: 'workflow', id })).resource as WorkflowResource
}

function exhausted(budget: string) {
  return { code: 'budget_exhausted', budget, retryable: true }
}

describe('max_llm_calls', () => {
  test('is never exceeded; what is done stays, and a resume goes on with more', async ({ openBench }) => {
    const bench = await openBench()
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a', 'b', 'c'), options: { budget: { max_llm_calls: 2 } } })
    await bench.toEnd(id)
    const failed = await resourceOf(bench, id)
    expect(failed).toMatchObject({ status: 'failed', reason: 'budget_exhausted', error: exhausted('max_llm_calls') })
    expect(failed.steps.filter(({ status }) => status === 'completed')).toHaveLength(2)
    expect(failed.steps.filter(({ status }) => status === 'failed')).toMatchObject([
      { error: exhausted('max_llm_calls'), attempt: 0 },
    ])
    expect(failed.usage.llm_calls).toBe(2)
    expect(bench.server.calls).toHaveLength(2)
    const ref = { kind: 'workflow', id } as const
    const spent = { details: { faults: [{ pointer: '/options/budget/max_llm_calls' }] } }
    await expect(bench.service.resume(ref, {}, caller)).rejects.toMatchObject({ code: 'invalid-workflow', ...spent })
    const lower = { options: { budget: { max_llm_calls: 1 } } }
    await expect(bench.service.resume(ref, lower, caller)).rejects.toMatchObject({ code: 'invalid-workflow', ...spent })
    const step = failed.steps.find(({ status }) => status === 'completed')?.id ?? ''
    await expect(bench.service.rerun({ id, step }, {}, caller)).rejects.toMatchObject(spent)
    await bench.service.resume(ref, { options: { budget: { max_llm_calls: 3 } } }, caller)
    await bench.toEnd(id)
    expect(await resourceOf(bench, id)).toMatchObject({
      status: 'completed',
      options: { budget: { max_llm_calls: 3 } },
      usage: { llm_calls: 3 },
    })
    expect(bench.server.calls).toHaveLength(3)
  })

  test('counts failed tries', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(() => ({ status: 500, body: {} }))
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a'), options: { budget: { max_llm_calls: 3 } } })
    await bench.toEnd(id)
    expect(await resourceOf(bench, id)).toMatchObject({ error: exhausted('max_llm_calls'), usage: { llm_calls: 3 } })
    expect(bench.server.calls).toHaveLength(3)
  })

  test('counts the call of a lost process', async ({ openBench }) => {
    const dying = await openBench()
    const latch = createLatch()
    dying.server.answerWith(answerSteps({ a: [heldAnswer('a', latch), 'a'] }))
    await dying.engine.start()
    const id = await dying.start({ ...customSteps('a', 'b < a'), options: { budget: { max_llm_calls: 2 } } })
    await (await dying.follow(id)).until('step.delta', 'a')
    await dying.kill()
    const next = await openBench({ server: dying.server })
    await next.engine.start()
    await next.toEnd(id)
    latch.open()
    expect(await resourceOf(next, id)).toMatchObject({
      status: 'failed',
      steps: [{ status: 'completed' }, { status: 'failed', error: exhausted('max_llm_calls') }],
    })
    expect(dying.server.calls).toHaveLength(2)
  })

  test('makes a refused continuation an incomplete step', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(() => ({ text: 'and so on', finishReason: 'length' }))
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a'), options: { budget: { max_llm_calls: 1 } } })
    const { names } = await bench.toEnd(id)
    expect(names()).not.toContain('step.continued a@1')
    expect(await resourceOf(bench, id)).toMatchObject({
      status: 'failed',
      reason: 'budget_exhausted',
      steps: [{ status: 'incomplete', output: 'and so on', error: exhausted('max_llm_calls') }],
    })
    expect(bench.server.calls).toHaveLength(1)
  })
})

describe('max_tokens', () => {
  test('cuts the output limit of a call to what is unspent', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(() => ({ text: 'done', usage }))
    await bench.engine.start()
    const steps = [customStep('a'), customStep('b < a'), customStep('c < b')]
    const options = { max_tokens: 5000, budget: { max_tokens: 4000 } }
    const id = await bench.start({ type: 'custom', steps, options })
    await bench.toEnd(id)
    const [first = 0, second = 0] = bench.server.calls.map(({ body }) => Number(body['max_tokens']))
    expect(first).toBeLessThan(4000)
    expect(second).toBeLessThan(4000 - 400)
    expect((await resourceOf(bench, id)).status).toBe('completed')
  })

  test('lets a call wait for what others have reserved, without an event', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    const held = { text: 'a b', before: (delta: number) => (delta === 1 ? latch.opened : undefined), usage }
    bench.server.answerWith((call) => (bench.server.calls.length === 1 ? held : { text: call.model, usage }))
    await bench.engine.start()
    const options = { max_tokens: 1000, budget: { max_tokens: 3000 } }
    const id = await bench.start({ ...customSteps('a', 'b', 'c', 'd'), options })
    const events = await bench.follow(id)
    await events.until('step.delta')
    expect(events.of('step.started')).toHaveLength(1)
    latch.open()
    await events.toEnd()
    expect((await resourceOf(bench, id)).status).toBe('completed')
    expect(events.of('step.retrying')).toEqual([])
  })

  test('refuses what would not fit alone either', async ({ openBench }) => {
    const bench = await openBench()
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a'), options: { budget: { max_tokens: 20 } } })
    await bench.toEnd(id)
    expect(await resourceOf(bench, id)).toMatchObject({ error: exhausted('max_tokens'), usage: { llm_calls: 0 } })
    expect(bench.server.calls).toEqual([])
  })
})

describe('max_cost_usd', () => {
  const costOf = (_model: string, used: { inputTokens: number; outputTokens: number }) =>
    used.inputTokens * 0.001 + used.outputTokens * 0.001

  test('is held with prices', async ({ openBench }) => {
    const bench = await openBench({ run: { costOf } })
    bench.server.answerWith(() => ({ text: 'done', usage: { prompt_tokens: 500, completion_tokens: 900 } }))
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a', 'b < a', 'c < b'), options: { budget: { max_cost_usd: 3 } } })
    await bench.toEnd(id)
    const { error, usage: used } = await resourceOf(bench, id)
    expect(error).toMatchObject(exhausted('max_cost_usd'))
    expect(used.cost_usd).toBeCloseTo(2.8)
  })

  test('is refused for models without a price, and where there are no prices', async ({ openBench }) => {
    const options = { budget: { max_cost_usd: 3 } }
    const none = await openBench({ pricing: noPrices })
    const refusal = { code: 'invalid-workflow', details: { faults: [{ pointer: '/options/budget/max_cost_usd' }] } }
    await expect(none.start({ ...customSteps('a'), options })).rejects.toMatchObject(refusal)
    const hasPrice = (model: string) => model === 'priced'
    const some = await openBench({ pricing: { hasPrices: true, hasPrice, defaultModels: () => ['test-model'] } })
    await expect(some.start({ ...customSteps('a'), options })).rejects.toMatchObject(refusal)
    await expect(some.startTask('developer', { task: 'Do it.', options })).rejects.toMatchObject(refusal)
  })

  test('refuses a call whose price turns out to be unknown', async ({ openBench }) => {
    const bench = await openBench({ run: { costOf: () => null } })
    await bench.engine.start()
    const id = await bench.start({ ...customSteps('a'), options: { budget: { max_cost_usd: 3 } } })
    await bench.toEnd(id)
    expect((await resourceOf(bench, id)).error).toMatchObject(exhausted('max_cost_usd'))
    expect(bench.server.calls).toEqual([])
  })
})

test('max_duration_seconds bounds the time spent running, over resumes', async ({ openBench }) => {
  const bench = await openBench()
  bench.server.answerWith(() => ({ text: 'never', ending: 'stall' }))
  await bench.engine.start()
  const id = await bench.start({ ...customSteps('a', 'b < a'), options: { budget: { max_duration_seconds: 0.4 } } })
  await bench.toEnd(id)
  expect(await resourceOf(bench, id)).toMatchObject({
    reason: 'budget_exhausted',
    steps: [{ status: 'failed', error: exhausted('max_duration_seconds') }, { status: 'skipped' }],
  })
  const ref = { kind: 'workflow', id } as const
  const more = { options: { budget: { max_duration_seconds: 60 } } }
  await expect(bench.service.resume(ref, {}, caller)).rejects.toMatchObject({ code: 'invalid-workflow' })
  bench.server.answerWith(() => 'done')
  await bench.service.resume(ref, more, caller)
  await bench.toEnd(id)
  expect((await resourceOf(bench, id)).status).toBe('completed')
})

test('a direct task has a budget too', async ({ openBench }) => {
  const bench = await openBench()
  bench.server.answerWith(() => ({ text: 'and so on', finishReason: 'length' }))
  await bench.engine.start()
  const ref = await bench.startTask('developer', { task: 'Do it.', options: { budget: { max_llm_calls: 2 } } })
  await bench.toEnd(ref)
  const { resource } = await bench.service.get(ref)
  expect(resource as TaskResource).toMatchObject({ status: 'incomplete', error: exhausted('max_llm_calls') })
  expect(bench.server.calls).toHaveLength(2)
})
