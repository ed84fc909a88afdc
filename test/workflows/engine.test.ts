import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect } from 'vitest'

import { ancestors } from '../../src/workflows/dag.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'
import { caller, customStep, customSteps, test } from '../support/engine-fixture.ts'
import { answerSteps, createLatch, heldAnswer, promptOf, stepOf, workOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

/** Steps that the contract says run at the same time. */
const parallel: Readonly<Record<string, readonly string[]>> = {
  feature_development: ['qa_testing', 'infrastructure'],
  analysis: ['technical_feasibility', 'infrastructure_assessment'],
}

describe('templates', () => {
  test.for(builtInTemplates.map(({ type, steps }) => ({ type, steps })))(
    '$type completes in its order, and each step gets what came before it',
    async ({ type, steps }, { openBench }) => {
      const bench = await openBench()
      const both = createLatch()
      const pair = parallel[type] ?? []
      bench.server.answerWith(async (call) => {
        const step = stepOf(call)
        const running = new Set(bench.server.calls.filter((other) => other.running).map(stepOf))
        if (pair.every((one) => running.has(one))) both.open()
        if (pair.includes(step)) await both.opened
        return workOf(step)
      })
      await bench.engine.start()
      const id = await bench.start({
        type,
        requirement: 'A requirement of its own.',
        context: { bug_description: 'It blinks.', language: 'cobol' },
        files: [{ path: 'given/by-user.txt', content: 'content-of-the-user' }],
      })
      const { events } = await bench.toEnd(id)

      expectLawful(events)
      expect(events.at(-1)).toMatchObject({ type: 'workflow.completed', status: 'completed', reason: null })
      expect(bench.server.calls.map(stepOf).toSorted()).toEqual(steps.map((step) => step.id).toSorted())
      for (const call of bench.server.calls) {
        const prompt = promptOf(call)
        const before = ancestors(steps, stepOf(call))
        for (const part of [
          'A requirement of its own.',
          'It blinks.',
          'cobol',
          'given/by-user.txt',
          'content-of-the-user',
        ])
          expect(prompt).toContain(part)
        const named = (mark: string) =>
          steps.map((step) => step.id).filter((step) => prompt.includes(`${mark}${step} `))
        const filed = steps.map((step) => step.id).filter((step) => prompt.includes(`file-of-${step}\n`))
        expect(named('said-by-').toSorted()).toEqual([...before].toSorted())
        expect(filed.toSorted()).toEqual([...before].toSorted())
      }
      const { resource } = await bench.service.get({ kind: 'workflow', id })
      expect(resource).toMatchObject({
        status: 'completed',
        progress: { completed: steps.length, total: steps.length },
      })
      expect(resource.usage).toMatchObject({ llm_calls: steps.length, estimated: false })
      const files = await bench.service.artifacts({ kind: 'workflow', id })
      expect(files.map((file) => `${file.step}: ${file.path}`).toSorted()).toEqual(
        steps.map((step) => `${step.id}: ${step.id}.txt`).toSorted(),
      )
      for (const step of steps) {
        const output = events.find((event) => event.type === 'step.completed' && event.step === step.id)?.output
        expect(output).toBe(workOf(step.id))
      }
      expect(bench.defects).toEqual([])
      expect(bench.observed.map(({ event }) => event.seq)).toEqual(events.flatMap((event) => event.seq ?? []))
    },
  )
})

describe('custom workflows', () => {
  const refused = { status: 404, body: { error: { message: 'no such model' } } }

  test('what is allowed to fail stops nobody, and who comes after it is told', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ weak: [refused] }))
    await bench.engine.start()
    const weak = customStep('weak', { on_failure: 'continue' })
    const id = await bench.start({ steps: [weak, customStep('strong'), customStep('last < weak strong')] })
    const { events, of } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('step.failed', 'weak')[0]?.error).toMatchObject({ code: 'llm_rejected', attempts: 1, status: 404 })
    expect(events.at(-1)).toMatchObject({ type: 'workflow.completed', reason: 'with_failures' })
    const last = bench.server.calls.find((call) => stepOf(call) === 'last')
    expect(last && promptOf(last)).toContain('said-by-strong')
    expect(last && promptOf(last)).toMatch(/step="weak"[^>]*status="failed/)
  })

  test('what may not fail takes its branch with it; the other runs to its end', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [refused] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a', 'c < b', 'x', 'y < x'))
    const { events, of, names } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('step.skipped').map(({ step, reason, dependency }) => [step, reason, dependency])).toEqual([
      ['b', 'dependency_failed', 'a'],
      ['c', 'dependency_failed', 'b'],
    ])
    expect(names()).toContain('step.completed y@1')
    expect(events.at(-1)).toMatchObject({
      type: 'workflow.failed',
      reason: 'step_failed',
      error: { code: 'llm_rejected' },
    })
    expect(bench.server.calls.map(stepOf).toSorted()).toEqual(['a', 'x', 'y'])
  })
})

test('a direct task is a workflow of one step behind its own door', async ({ openBench }) => {
  const bench = await openBench()
  await bench.engine.start()
  const request = { task: 'Say hello.', context: { tone: 'kind' }, files: [{ path: 'a.txt', content: 'a-content' }] }
  const ref = await bench.startTask('qa_engineer', request)
  const { events } = await bench.toEnd(ref)
  expectLawful(events)
  expect(new Set(events.map((event) => event['workflow_id']))).toEqual(new Set([ref.id]))
  expect(new Set(events.flatMap((event) => event.step ?? []))).toEqual(new Set(['task']))
  const [call] = bench.server.calls
  for (const part of ['Say hello.', 'kind', 'a-content']) expect(call && promptOf(call)).toContain(part)
  expect((await bench.service.get(ref)).resource).toMatchObject({
    role: 'qa_engineer',
    status: 'completed',
    output: 'ok',
  })
  await expect(bench.service.get({ kind: 'workflow', id: ref.id })).rejects.toMatchObject({ code: 'not-found' })
  await expect(bench.service.get({ ...ref, role: 'developer' })).rejects.toMatchObject({ code: 'not-found' })
})

describe('cancel', () => {
  test('in the middle ends it at once and closes the calls', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)], b: [heldAnswer('b', latch)] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b', 'c < a b'))
    const [first, second] = [await bench.server.called(1), await bench.server.called(2)]
    const watched = await bench.follow(id)
    await watched.until('step.delta', 'a')
    await watched.until('step.delta', 'b')

    const ref = { kind: 'workflow', id } as const
    const { changed, resource } = await bench.service.cancel(ref, { ...caller, correlationId: 'request-2' })
    expect(changed).toBe(true)
    expect(resource).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client', error: null })
    await Promise.all([first.ended, second.ended])
    expect([first.aborted, second.aborted]).toEqual([true, true])

    await watched.toEnd()
    expectLawful(watched.events)
    expect(watched.names().slice(-4)).toEqual([
      'step.cancelled a@1',
      'step.cancelled b@1',
      'step.cancelled c@0',
      'workflow.cancelled',
    ])
    expect(watched.events.slice(-4).map((event) => event['correlation_id'])).toEqual(Array(4).fill('request-2'))
    const again = await bench.service.cancel(ref, caller)
    expect(again.changed).toBe(false)
    expect((await bench.toEnd(id)).events.filter((event) => event.type === 'step.delta')).toEqual([])
    expect(bench.defects).toEqual([])
  })

  test('of a queued one ends it without a call', async ({ openBench }) => {
    const bench = await openBench()
    const id = await bench.start(customSteps('a', 'b < a'))
    expect((await bench.service.cancel({ kind: 'workflow', id }, caller)).changed).toBe(true)
    await bench.engine.start()
    await bench.toEnd(await bench.start())
    const { events, names } = await bench.toEnd(id)
    expectLawful(events)
    expect(names()).toEqual([
      'workflow.queued',
      'step.queued a@0',
      'step.cancelled a@0',
      'step.cancelled b@0',
      'workflow.cancelled',
    ])
    expect(bench.server.calls.map(stepOf)).toEqual(['only'])
    expect(await bench.store.strandedIds()).toEqual([])
  })
})

describe('places', () => {
  test('no more tasks than allowed run at once, however many workflows there are', async ({ openBench }) => {
    const bench = await openBench({ engine: { maxConcurrentAgents: 3 } })
    bench.server.answerWith(async (call) => {
      // All places are taken once, so that the bound is seen to be reached.
      if (call.index < 3) await bench.server.called(3)
      // Slow enough for calls to meet.
      return { text: workOf(stepOf(call)), before: (delta) => (delta === 0 ? delay(15) : undefined) }
    })
    await bench.engine.start()
    const ids = await Promise.all(Array.from({ length: 20 }, () => bench.start(customSteps('a', 'b', 'c < a b'))))
    const seen = await Promise.all(ids.map((id) => bench.toEnd(id)))
    for (const { events } of seen) {
      expectLawful(events)
      expect(events.at(-1)?.type).toBe('workflow.completed')
    }
    expect(bench.server.maxConcurrent).toBe(3)
    expect(bench.server.calls).toHaveLength(60)
    expect(bench.defects).toEqual([])
  })

  test('go to higher priority first, then to age', async ({ openBench }) => {
    const bench = await openBench({ engine: { maxConcurrentAgents: 1 } })
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ first: [heldAnswer('first', latch)] }))
    await bench.engine.start()
    const first = await bench.start(customSteps('first'))
    await bench.server.called(1)
    const ids = [first]
    for (const [step, priority] of [
      ['low', -5],
      ['older', 0],
      ['younger', 0],
      ['high', 7],
    ] as const) {
      ids.push(await bench.start({ ...customSteps(step), options: { priority } }))
    }
    latch.open()
    await Promise.all(ids.map((id) => bench.toEnd(id)))
    expect(bench.server.calls.map(stepOf)).toEqual(['first', 'high', 'older', 'younger', 'low'])
  })

  test('are counted per role while they are taken', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await (await bench.follow(id)).until('step.delta')
    expect([...bench.engine.busy()]).toEqual([['developer', 1]])
    expect(bench.engine.held()).toBe(1)
    latch.open()
    await bench.toEnd(id)
    expect(bench.engine.busy().size).toBe(0)
  })
})
