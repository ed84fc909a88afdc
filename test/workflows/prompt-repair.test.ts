import { describe, expect, onTestFinished } from 'vitest'
import { createCostOf } from '../../src/llm/prices.ts'
import { customSteps, endpointAt, test } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import type { Behaviour } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { FollowedEvents } from '../support/followed-events.ts'
import { answerSteps, promptOf, workOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

const well = workOf('a')
const oneTry: NonNullable<EngineBenchOptions['run']> = {
  limits: { maxRetries: 0, maxRestarts: 0, timeoutMs: 20_000 },
}
const unknownWindow = { contextWindow: null } as const

function tooLong(window: number): Behaviour {
  const error = {
    code: 400,
    message: 'the request exceeds the available context size, try increasing it',
    type: 'exceed_context_size_error',
    n_prompt_tokens: 30_000,
    n_ctx: window,
  }
  return { status: 400, body: { error } }
}

/** Material of about 60 000 tokens, of which something can be cut. */
const files = [
  { path: 'big.txt', content: 'A line of text.\n'.repeat(10_000) },
  { path: 'small.txt', content: 'Keep this small file.\n' },
]

async function runLargeStep(bench: EngineBench): Promise<FollowedEvents & { readonly id: string }> {
  await bench.engine.start()
  const id = await bench.start({ ...customSteps('a'), files })
  const followed = await bench.toEnd(id)
  expectLawful(followed.events)
  return Object.assign(followed, { id })
}

const sizes = ({ server }: EngineBench) => server.calls.map((call) => promptOf(call).length)

describe('a prompt that a server finds too long', () => {
  test('is cut once and sent again, without using a try', async ({ openBench }) => {
    const bench = await openBench({ llm: unknownWindow, run: oneTry })
    bench.server.answerWith(answerSteps({ a: [tooLong(8192), well] }))
    const { id, names, of } = await runLargeStep(bench)
    expect(of('step.retrying')).toMatchObject([{ delay_ms: 0, error: { code: 'context_overflow' } }])
    expect(names()).toContain('step.completed a@2')
    const [before = 0, after = 0] = sizes(bench)
    expect(before).toBeGreaterThan(160_000)
    expect(after).toBeLessThan(before / 3)
    const cutPrompt = promptOf(bench.server.calls[1] ?? { messages: [] })
    expect(cutPrompt).toContain('Keep this small file.')
    expect(cutPrompt).toContain('Do a.')
    expect(cutPrompt).toContain('characters are left out here')
    expect((await bench.service.step(id, 'a')).truncated_input).toBe(true)
    // what was learned holds for whoever asks this model next
    const [target] = await bench.llm.targets(null, AbortSignal.timeout(1000))
    expect(target?.contextWindow).toBe(8192)
  })

  test('that is still too long afterwards fails the step, and says so', async ({ openBench }) => {
    const bench = await openBench({ llm: unknownWindow })
    bench.server.answerWith(answerSteps({ a: [tooLong(8192)] }))
    const { of } = await runLargeStep(bench)
    expect(of('step.failed')).toMatchObject([{ error: { code: 'context_overflow', retryable: false, attempts: 1 } }])
    expect(bench.server.calls).toHaveLength(2)
  })

  test('is not cut where that is switched off', async ({ openBench }) => {
    const promptRepair = { fallbackModel: null, mayCut: false }
    const bench = await openBench({ llm: unknownWindow, run: { promptRepair } })
    bench.server.answerWith(answerSteps({ a: [tooLong(8192)] }))
    const { of } = await runLargeStep(bench)
    expect(of('step.failed')).toMatchObject([{ error: { code: 'context_overflow' } }])
    expect(bench.server.calls).toHaveLength(1)
  })

  test.for<[string, Behaviour]>([
    ['says so without numbers', { status: 400, body: { error: { code: 'context_length_exceeded', message: 'no' } } }],
    ['refuses the size of the body', { status: 413, body: 'Request Entity Too Large' }],
    ['answers with nothing at all', { text: '', chunks: [], finishReason: null, usage: null }],
  ])('of a server that %s is halved', async ([, answer], { openBench }) => {
    const bench = await openBench({ llm: unknownWindow, run: oneTry })
    bench.server.answerWith(answerSteps({ a: [answer, well] }))
    const { names } = await runLargeStep(bench)
    expect(names()).toContain('step.completed a@2')
    const [before = 0, after = 0] = sizes(bench)
    expect(after / before).toBeGreaterThan(0.4)
    expect(after / before).toBeLessThan(0.55)
  })

  test('of a server that cut it silently is cut by us, where it does least harm', async ({ openBench }) => {
    const bench = await openBench({ llm: unknownWindow, run: oneTry })
    const silentlyCut = { text: 'nonsense', usage: { prompt_tokens: 4096, completion_tokens: 1 } }
    bench.server.answerWith(answerSteps({ a: [silentlyCut, well] }))
    const { id, of } = await runLargeStep(bench)
    expect(of('step.retrying')).toMatchObject([{ error: { code: 'context_overflow' } }])
    expect(sizes(bench)[1]).toBeLessThan(4096 * 4)
    expect((await bench.service.step(id, 'a')).output).toBe(well)
  })
})

describe('a fallback model', () => {
  const promptRepair = { fallbackModel: 'long-model', mayCut: true }

  test('takes a prompt that the model refused, uncut', async ({ openBench }) => {
    const bench = await openBench({ llm: unknownWindow, run: { ...oneTry, promptRepair } })
    bench.server.answerWith(answerSteps({ a: [tooLong(8192), well] }))
    const { of } = await runLargeStep(bench)
    expect(of('step.started').map(({ model }) => model)).toEqual(['test-model', 'long-model'])
    const [before, after] = sizes(bench)
    expect(after).toBe(before)
  })

  test('is asked at once where the window is known to be too small', async ({ openBench }) => {
    const models = [
      { id: 'test-model', max_model_len: 8192 },
      { id: 'long-model', max_model_len: 200_000 },
    ]
    const server = await startModelServer({ models, answer: answerSteps() })
    onTestFinished(() => server.close())
    const endpoints = [endpointAt(server.url)]
    const bench = await openBench({ server, llm: { ...unknownWindow, endpoints }, run: { ...oneTry, promptRepair } })
    const { id, of } = await runLargeStep(bench)
    expect(of('step.started').map(({ model }) => model)).toEqual(['long-model'])
    expect((await bench.service.step(id, 'a')).truncated_input).toBe(false)
    expect(server.calls).toHaveLength(1)
  })

  test('that refuses it too gets it cut', async ({ openBench }) => {
    const bench = await openBench({ llm: unknownWindow, run: { ...oneTry, promptRepair } })
    bench.server.answerWith(answerSteps({ a: [tooLong(8192), tooLong(16_384), well] }))
    const { names, of } = await runLargeStep(bench)
    expect(of('step.started').map(({ model }) => model)).toEqual(['test-model', 'long-model', 'long-model'])
    expect(names()).toContain('step.completed a@3')
  })
})

describe('prices', () => {
  const costOf = createCostOf({ 'test-model': { input: 2, cachedInput: 0.5, output: 10 } })
  const usage = { prompt_tokens: 1000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 400 } }
  const cost = (600 * 2 + 400 * 0.5 + 100 * 10) / 1e6

  test('make the cost of a step, failed tries included', async ({ openBench }) => {
    const bench = await openBench({ run: { costOf } })
    const empty = { text: '', usage }
    bench.server.answerWith(answerSteps({ a: [empty, { text: well, usage }] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    const { of } = await bench.toEnd(id)
    expect(of('step.completed')).toMatchObject([{ usage: { llm_calls: 2 } }])
    const stored = await bench.service.step(id, 'a')
    expect(stored.usage.cost_usd).toBeCloseTo(2 * cost, 12)
    expect(of('step.completed')[0]?.usage).toMatchObject({ cost_usd: stored.usage.cost_usd })
  })

  test('nobody knows make no cost, not a cost of nothing', async ({ openBench }) => {
    const bench = await openBench({ run: { costOf: createCostOf({ other: { input: 1, cachedInput: 1, output: 1 } }) } })
    await bench.engine.start()
    bench.server.answerWith(answerSteps())
    const id = await bench.start(customSteps('a'))
    await bench.toEnd(id)
    expect((await bench.service.step(id, 'a')).usage.cost_usd).toBeNull()
  })
})
