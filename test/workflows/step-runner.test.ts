import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect } from 'vitest'

import { customStep, customSteps, test } from '../support/engine-fixture.ts'
import type { Behaviour } from '../support/fault-answers.ts'
import { answerSteps, promptOf, stepOf, workOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

const broken: Behaviour = { status: 500, body: { error: { message: 'out of order' } } }
const cut = (text: string): Behaviour => ({ text, ending: 'cut' })
const limited = (text: string): Behaviour => ({ text, finishReason: 'length' })
const never = new Promise<never>(() => undefined)

describe('tries', () => {
  test('a failed one is void and followed by another attempt', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [broken, cut('void words that '), workOf('a')] }))
    await bench.engine.start()
    const { events, names, of, joined } = await bench.toEnd(await bench.start(customSteps('a', 'b < a')))
    expectLawful(events)
    expect(names().filter((name) => name.includes(' a@'))).toEqual([
      'step.queued a@0',
      'step.started a@1',
      'step.retrying a@1',
      'step.started a@2',
      'step.retrying a@2',
      'step.started a@3',
      'artifact.created a@3',
      'step.completed a@3',
    ])
    expect(of('step.retrying').map(({ error, delay_ms }) => [error?.code, delay_ms])).toEqual([
      ['llm_error', 1],
      ['llm_truncated', 1],
    ])
    expect(joined('a', 3)).toBe(workOf('a'))
    const last = bench.server.calls.at(-1)
    expect(last && promptOf(last)).not.toContain('void words')
    expect(of('step.completed', 'a')[0]?.usage).toMatchObject({ llm_calls: 3, estimated: true })
    expect(bench.defects).toEqual([])
  })

  test('the text of a void one is in no later reading and in no resource', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [cut('void words'), workOf('a')] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await bench.toEnd(id)
    expect(JSON.stringify((await bench.toEnd(id)).events)).not.toContain('void words')
    const { attempts, output } = await bench.service.step(id, 'a')
    expect(output).toBe(workOf('a'))
    expect(attempts.map(({ attempt, status, output: text }) => [attempt, status, text])).toEqual([
      [1, 'void', null],
      [2, 'kept', workOf('a')],
    ])
  })

  test('with none left the step fails, what depends on it is skipped, the rest goes on', async ({ openBench }) => {
    const bench = await openBench({ run: { limits: { maxRetries: 2, maxRestarts: 1, timeoutMs: 20_000 } } })
    bench.server.answerWith(answerSteps({ a: [broken] }))
    await bench.engine.start()
    const { events, of, names } = await bench.toEnd(await bench.start(customSteps('a', 'b < a', 'x', 'y < x')))
    expectLawful(events)
    expect(of('step.started', 'a')).toHaveLength(3)
    expect(of('step.failed', 'a')[0]).toMatchObject({
      attempt: 3,
      error: { code: 'llm_error', attempts: 3, status: 500 },
    })
    expect(of('step.skipped', 'b')).toHaveLength(1)
    expect(names()).toContain('step.completed y@1')
    expect(events.at(-1)).toMatchObject({
      type: 'workflow.failed',
      reason: 'step_failed',
      error: { code: 'llm_error', attempts: 3 },
    })
  })

  test('the server says when the next one may be', async ({ openBench }) => {
    const bench = await openBench()
    const busy: Behaviour = { status: 503, headers: { 'retry-after-ms': '40' }, body: {} }
    bench.server.answerWith(answerSteps({ a: [busy, workOf('a')] }))
    await bench.engine.start()
    const { of } = await bench.toEnd(await bench.start(customSteps('a')))
    expect(of('step.retrying')[0]?.delay_ms).toBe(40)
    const [first, second] = of('step.started').map((event) => Date.parse(String(event['at'])))
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(40)
  })

  test('a wait between two gives its place to others', async ({ openBench }) => {
    const bench = await openBench({ engine: { maxConcurrentAgents: 1 } })
    const busy: Behaviour = { status: 503, headers: { 'retry-after-ms': '300' }, body: {} }
    bench.server.answerWith(answerSteps({ a: [busy, workOf('a')] }))
    await bench.engine.start()
    await bench.toEnd(await bench.start(customSteps('a', 'b')))
    expect(bench.server.calls.map(stepOf)).toEqual(['a', 'b', 'a'])
  })

  test.for<[what: string, answer: Behaviour, code: string]>([
    ['a content filter', { text: 'I had', finishReason: 'content_filter' }, 'content_filtered'],
    ['a refusal', { status: 400, body: { error: { message: 'bad request' } } }, 'llm_rejected'],
    ['a wrong key', { status: 401, body: {} }, 'llm_unauthorized'],
  ])('%s is not tried again', async ([, answer, code], { openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [answer] }))
    await bench.engine.start()
    const { events, of } = await bench.toEnd(await bench.start(customSteps('a')))
    expectLawful(events)
    expect(of('step.failed')[0]?.error).toMatchObject({ code, attempts: 1 })
    expect(bench.server.calls).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'workflow.failed', error: { code } })
  })

  test('no end without a reason is ever called complete', async ({ openBench }) => {
    const bench = await openBench({ run: { limits: { maxRetries: 1, maxRestarts: 0, timeoutMs: 20_000 } } })
    bench.server.answerWith(answerSteps({ a: [{ text: 'half an', ending: 'eof' }] }))
    await bench.engine.start()
    const { of } = await bench.toEnd(await bench.start(customSteps('a')))
    expect(of('step.failed')[0]?.error?.code).toBe('llm_truncated')
  })
})

describe('the output limit', () => {
  test('is followed by a continuation in the same attempt', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [limited('The first half, and '), 'then the second half.'] }))
    await bench.engine.start()
    const { events, of, joined, names } = await bench.toEnd(await bench.start(customSteps('a')))
    expectLawful(events)
    expect(of('step.continued')).toMatchObject([{ step: 'a', attempt: 1, n: 1 }])
    expect(joined('a', 1)).toBe('The first half, and then the second half.')
    expect(of('step.completed')[0]).toMatchObject({ finish_reason: 'stop', usage: { llm_calls: 2 } })
    expect(names().filter((name) => name.startsWith('step.started'))).toHaveLength(1)
  })

  test('leaves the step incomplete after the last continuation', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [limited('One, '), limited('two, '), limited('three, ')] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    const { events, of } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('step.incomplete')[0]).toMatchObject({
      output: 'One, two, three, ',
      finish_reason: 'length',
      error: { code: 'output_limit' },
    })
    expect(of('step.continued').map((event) => event['n'])).toEqual([1, 2])
    expect(of('step.skipped', 'b')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'workflow.failed', error: { code: 'output_limit' } })
    expect(bench.server.calls).toHaveLength(3)
  })

  test('text of whole calls opens the next attempt and is not paid for again', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [limited('Paid for. '), cut('lost wor'), 'And the rest.'] }))
    await bench.engine.start()
    const { events, of, joined } = await bench.toEnd(await bench.start(customSteps('a')))
    expectLawful(events)
    expect(joined('a', 2)).toBe('Paid for. And the rest.')
    expect(of('step.completed')[0]).toMatchObject({ attempt: 2, output: 'Paid for. And the rest.' })
    expect(bench.server.calls).toHaveLength(3)
    expect(bench.server.calls[2]?.messages.at(-2)).toEqual({ role: 'assistant', content: 'Paid for. ' })
  })

  test('a continuation with no try left leaves what was delivered, incomplete', async ({ openBench }) => {
    const bench = await openBench({ run: { limits: { maxRetries: 0, maxRestarts: 0, timeoutMs: 20_000 } } })
    bench.server.answerWith(answerSteps({ a: [limited('Paid for. '), cut('and a bit ')] }))
    await bench.engine.start()
    const { events, of, joined } = await bench.toEnd(await bench.start(customSteps('a')))
    expectLawful(events)
    const [incomplete] = of('step.incomplete')
    expect(incomplete?.error?.code).toBe('llm_truncated')
    expect(incomplete?.output).toBe(joined('a', 1))
    expect(incomplete?.output?.startsWith('Paid for. ')).toBe(true)
  })
})

describe('time', () => {
  test('a start that takes too long is made again, and at last fails', async ({ openBench }) => {
    const bench = await openBench({ run: { limits: { maxRetries: 3, maxRestarts: 1, timeoutMs: 500 } } })
    bench.server.answerWith(answerSteps({ a: [never] }))
    await bench.engine.start()
    const { events, of } = await bench.toEnd(await bench.start(customSteps('a', 'b < a')))
    expectLawful(events)
    expect(of('step.retrying').map((event) => [event.attempt, event.error?.code])).toEqual([[1, 'task_timeout']])
    expect(of('step.failed')[0]).toMatchObject({ attempt: 2, error: { code: 'task_timeout' } })
    expect(events.at(-1)).toMatchObject({ type: 'workflow.failed', error: { code: 'task_timeout' } })
    await Promise.all(bench.server.calls.map((call) => call.ended))
    expect(bench.server.calls.map((call) => call.aborted)).toEqual([true, true])
  })

  test('a step has its own, and it goes on over its tries', async ({ openBench }) => {
    const bench = await openBench({ run: { limits: { maxRetries: 50, maxRestarts: 0, timeoutMs: 20_000 } } })
    const slow: Behaviour = { status: 503, headers: { 'retry-after-ms': '60' }, body: {} }
    bench.server.answerWith(answerSteps({ a: [slow] }))
    await bench.engine.start()
    const id = await bench.start({ steps: [customStep('a', { options: { timeout_seconds: 0.2 } })] })
    const { of } = await bench.toEnd(id)
    expect(of('step.started').length).toBeLessThanOrEqual(4)
    expect(of('step.failed')).toHaveLength(1)
  })

  test('waiting for a place is not counted', async ({ openBench }) => {
    const bench = await openBench({ engine: { maxConcurrentAgents: 1 } })
    const slow: Behaviour = { text: workOf('a'), before: (delta) => (delta === 0 ? delay(300) : undefined) }
    bench.server.answerWith(answerSteps({ a: [slow] }))
    await bench.engine.start()
    const steps = [customStep('a'), customStep('b', { options: { timeout_seconds: 0.2 } })]
    const id = await bench.start({ steps })
    const { events, names } = await bench.toEnd(id)
    expectLawful(events)
    expect(names().filter((name) => name.includes('started') && name.includes('@'))).toEqual([
      'step.started a@1',
      'step.started b@1',
    ])
    expect(events.at(-1)?.type).toBe('workflow.completed')
  })

  test('a workflow whose time is up ends: what runs and waits has failed, the rest is skipped', async ({
    openBench,
  }) => {
    const bench = await openBench({ run: { workflowTimeoutMs: 250 } })
    bench.server.answerWith(answerSteps({ b: [never] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b', 'c < b'))
    const { events, of, names } = await bench.toEnd(id)
    expectLawful(events)
    expect(names()).toContain('step.completed a@1')
    expect(of('step.failed', 'b')[0]?.error).toMatchObject({
      code: 'budget_exhausted',
      budget: 'max_duration_seconds',
    })
    expect(of('step.skipped', 'c')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'workflow.failed', reason: 'budget_exhausted' })
    await bench.server.calls.find((call) => stepOf(call) === 'b')?.ended
    expect(bench.server.running).toBe(0)
  })
})

describe('an open breaker', () => {
  const llm = { breaker: { threshold: 2, openMs: 400, halfOpen: 1 } }

  test('keeps steps queued without an attempt, and lets them go on when it closes', async ({ openBench }) => {
    const bench = await openBench({ llm })
    bench.server.answerWith(answerSteps({ a: [broken, broken, workOf('a')] }))
    await bench.engine.start()
    const first = await bench.start(customSteps('a'))
    const followed = await bench.follow(first)
    await followed.until('step.retrying')
    await bench.server.called(2)
    const second = await bench.start(customSteps('b'))
    await Promise.all([followed.toEnd(), bench.toEnd(second)])
    const { events: waited, names } = await bench.toEnd(second)
    expectLawful(waited)
    expect(names().filter((name) => name.startsWith('step.st') || name.includes('retrying'))).toEqual([
      'step.started b@1',
    ])
    expectLawful(followed.events)
    const delays = followed.of('step.retrying').map((event) => event.delay_ms ?? 0)
    expect(delays[0]).toBe(1)
    expect(delays[1]).toBeGreaterThan(200)
    expect(bench.server.calls.filter((call) => stepOf(call) === 'a')).toHaveLength(3)
  })

  test('is waited for until the time of the step is over; it is not started again', async ({ openBench }) => {
    const bench = await openBench({
      llm: { breaker: { threshold: 1, openMs: 60_000, halfOpen: 1 } },
      run: { limits: { maxRetries: 3, maxRestarts: 2, timeoutMs: 200 } },
    })
    bench.server.answerWith(answerSteps({ a: [broken] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    const { events, of } = await bench.toEnd(id)
    expectLawful(events)
    const [failed] = of('step.failed')
    expect(failed?.error?.code).toBe('circuit_open')
    expect(failed?.error?.message).toContain('Circuit breaker is OPEN')
    expect(of('step.started')).toHaveLength(1)
    expect(bench.server.calls).toHaveLength(1)
  })
})
