import { describe, expect } from 'vitest'
import type { StartWorkflow } from '../../src/workflows/requests.ts'
import { caller, customStep, customSteps, test } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import type { Behaviour } from '../support/fault-answers.ts'
import { answerSteps, createLatch, heldAnswer, promptOf, stepOf, workOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

const broken: Behaviour = { status: 400, body: { error: { message: 'no' } } }

function gated(...lines: readonly string[]): Pick<StartWorkflow, 'type' | 'steps'> {
  return { type: 'custom', steps: lines.map((line, index) => customStep(line, { approval: index === 0 })) }
}

const keyed = (key: string, digest = 'a'.repeat(64)) => ({ ...caller, idempotency: { key, digest } })

async function startAndWait(bench: EngineBench, request: Partial<StartWorkflow>) {
  await bench.engine.start()
  const id = await bench.start(request)
  const followed = await bench.follow(id)
  await followed.until('workflow.waiting')
  return { id, followed }
}

function promptsOf(bench: EngineBench, step: string): readonly string[] {
  return bench.server.calls.filter((call) => stepOf(call) === step).map(promptOf)
}

describe('approvals', () => {
  test('a step waits, shows its result, holds up only what depends on it, and goes on when approved', async ({
    openBench,
  }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    const { id, followed } = await startAndWait(bench, gated('a', 'b < a', 'c'))
    const waiting = await bench.service.get({ kind: 'workflow', id })
    expect(waiting.resource).toMatchObject({ status: 'waiting', reason: 'approval', ended_at: null })
    const step = await bench.service.step(id, 'a')
    expect(step).toMatchObject({ status: 'waiting', output: workOf('a'), artifacts: ['a.txt'], edited: false })
    expect((await bench.service.approvals({ limit: 100, after: null })).data).toContainEqual(
      expect.objectContaining({ workflow_id: id, step: 'a', attempt: 1, role: 'developer' }),
    )
    expect(followed.names()).toContain('step.completed c@1')
    const { changed, resource } = await bench.service.approve({ id, step: 'a' }, { attempt: 1 }, caller)
    expect(changed).toBe(true)
    expect(resource.steps.find((one) => one.id === 'a')?.status).toBe('completed')
    await followed.toEnd()
    expectLawful(followed.events)
    expect(followed.names().slice(followed.names().indexOf('workflow.waiting'))).toEqual([
      'workflow.waiting',
      'step.approved a@1',
      'step.completed a@1',
      'workflow.resumed',
      'step.queued b@0',
      'workflow.started',
      'step.started b@1',
      'artifact.created b@1',
      'step.completed b@1',
      'workflow.completed',
    ])
    expect(followed.joined('a', 1)).toBe(workOf('a'))
    expect((await bench.service.approvals({ limit: 100, after: null })).data).not.toContainEqual(
      expect.objectContaining({ workflow_id: id }),
    )
  })

  test('an edited output is the step’s, with its files; the attempt’s stays the model’s', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    const { id, followed } = await startAndWait(bench, gated('a', 'b < a'))
    const output = 'Edited.\n\n```text:edited.txt\nby a person\n```\n'
    await bench.service.approve({ id, step: 'a' }, { output }, caller)
    await followed.toEnd()
    expectLawful(followed.events)
    const step = await bench.service.step(id, 'a')
    expect(step).toMatchObject({ output, edited: true, artifacts: ['edited.txt'] })
    expect(step.attempts.map((attempt) => attempt.output)).toEqual([workOf('a')])
    expect(followed.of('step.completed', 'a')).toMatchObject([{ output, edited: true }])
    expect(followed.of('step.waiting', 'a')).toMatchObject([{ output: workOf('a') }])
    expect((await bench.service.artifacts({ kind: 'workflow', id })).map(({ path }) => path)).toEqual([
      'b.txt',
      'edited.txt',
    ])
    expect(promptsOf(bench, 'b')[0]).toContain('by a person')
    expect(promptsOf(bench, 'b')[0]).not.toContain('file-of-a')
  })

  test('a rejected step runs again with what it said and what is wanted, so often and no more', async ({
    openBench,
  }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: ['first try', 'second try'] }))
    const { id, followed } = await startAndWait(bench, { ...gated('a', 'b < a'), options: { max_revisions: 1 } })
    await bench.service.reject({ id, step: 'a' }, { feedback: 'More colour.' }, caller)
    await followed.until('step.waiting', 'a', 2)
    const [, again] = promptsOf(bench, 'a')
    expect(again).toContain('More colour.')
    expect(again).toContain('first try')
    await bench.service.reject({ id, step: 'a' }, { attempt: 2, feedback: 'Less.' }, caller)
    await followed.toEnd()
    expectLawful(followed.events)
    expect(followed.names().slice(-4)).toEqual([
      'step.rejected a@2',
      'step.failed a@2',
      'step.skipped b@0',
      'workflow.failed',
    ])
    expect(followed.of('workflow.failed')).toMatchObject([{ reason: 'rejected', error: { code: 'rejected' } }])
    expect(followed.joined('a', 1)).toBe('first try')
  })

  test('an answer is to one text: the same again is fine, another is a conflict', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    const { id } = await startAndWait(bench, gated('a', 'b < a'))
    const at = { id, step: 'a' }
    await expect(bench.service.approve(at, { attempt: 7 }, caller)).rejects.toMatchObject({ code: 'conflict' })
    await bench.service.approve(at, { attempt: 1 }, caller)
    expect((await bench.service.approve(at, { attempt: 1 }, caller)).changed).toBe(false)
    await expect(bench.service.approve(at, {}, caller)).rejects.toMatchObject({ code: 'conflict' })
    await expect(bench.service.approve(at, { attempt: 1, output: 'x' }, caller)).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(bench.service.reject(at, { attempt: 1, feedback: 'no' }, caller)).rejects.toMatchObject({
      code: 'conflict',
      details: { state: { step_status: 'completed' } },
    })
    await expect(bench.service.approve({ id, step: 'b' }, {}, caller)).rejects.toMatchObject({ code: 'conflict' })
    await expect(bench.service.approve({ id, step: 'z' }, {}, caller)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('nobody answers: it fails, and a resume opens the gate again without paying again', async ({ openBench }) => {
    const bench = await openBench({ run: { approvalTimeoutMs: 50 } })
    bench.server.answerWith(answerSteps())
    const { id, followed } = await startAndWait(bench, gated('a', 'b < a'))
    await followed.toEnd()
    expect(followed.of('workflow.failed')).toMatchObject([{ reason: 'approval_expired' }])
    const { resource, cursor } = await bench.service.resume({ kind: 'workflow', id }, {}, caller)
    expect(resource.status).toBe('waiting')
    expect(cursor).not.toBeNull()
    const again = await bench.follow(id)
    await again.until('workflow.resumed')
    expect(again.of('workflow.resumed')).toMatchObject([{ status: 'waiting', from: 'failed', reset: ['a', 'b'] }])
    await bench.service.approve({ id, step: 'a' }, { attempt: 1 }, caller)
    await again.toEnd()
    expectLawful(again.events)
    expect(again.names().at(-1)).toBe('workflow.completed')
    expect(promptsOf(bench, 'a')).toHaveLength(1)
  })
})

describe('resume', () => {
  test('runs what failed and was skipped, keeps what was done, with the options that are given', async ({
    openBench,
  }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ b: [broken, workOf('b')] }))
    await bench.engine.start()
    const id = await bench.start({
      ...customSteps('a', 'b < a', 'c < b'),
      options: { temperature: 0.1, max_tokens: 50 },
    })
    await bench.toEnd(id)
    const ref = { kind: 'workflow', id } as const
    const { resource } = await bench.service.resume(ref, { options: { temperature: 0.9 } }, caller)
    expect(resource).toMatchObject({ status: 'queued', ended_at: null, reason: null, error: null })
    expect(resource).toMatchObject({ options: { temperature: 0.9, max_tokens: 50 } })
    const { events, names, of } = await bench.toEnd(id)
    expectLawful(events)
    expect(names().slice(names().indexOf('workflow.resumed'))).toEqual([
      'workflow.resumed',
      'step.queued b@1',
      'workflow.started',
      'step.started b@2',
      'artifact.created b@2',
      'step.completed b@2',
      'step.queued c@0',
      'step.started c@1',
      'artifact.created c@1',
      'step.completed c@1',
      'workflow.completed',
    ])
    expect(of('workflow.resumed')).toMatchObject([{ from: 'failed', reset: ['b', 'c'] }])
    expect(promptsOf(bench, 'a')).toHaveLength(1)
    expect(bench.server.calls.at(-1)?.body['temperature']).toBe(0.9)
    await expect(bench.service.resume(ref, {}, caller)).rejects.toMatchObject({
      code: 'conflict',
      details: { state: { status: 'completed' } },
    })
  })

  test('of a task that was cancelled', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ task: [heldAnswer('task', latch), workOf('task')] }))
    await bench.engine.start()
    const ref = await bench.startTask('developer', { task: 'Do it.' })
    await bench.server.called(1)
    await bench.service.cancel(ref, caller)
    latch.open()
    await bench.service.resume(ref, {}, caller)
    const { names } = await bench.toEnd(ref)
    expect(names().at(-1)).toBe('workflow.completed')
  })
})

describe('rerun', () => {
  test('runs one step again with feedback, and after it only what depends on it', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a', 'c', 'd < b c'))
    await bench.toEnd(id)
    const { resource } = await bench.service.rerun({ id, step: 'b' }, { feedback: 'Shorter.' }, caller)
    expect(resource.steps.map(({ id: step, status, output }) => [step, status, output === null])).toEqual([
      ['a', 'completed', false],
      ['b', 'queued', true],
      ['c', 'completed', false],
      ['d', 'pending', true],
    ])
    const { events, of, names } = await bench.toEnd(id)
    expectLawful(events)
    expect(of('workflow.resumed')).toMatchObject([{ from: 'completed', reset: ['b', 'd'] }])
    expect(names().at(-1)).toBe('workflow.completed')
    expect(['a', 'b', 'c', 'd'].map((step) => promptsOf(bench, step).length)).toEqual([1, 2, 1, 2])
    expect(promptsOf(bench, 'b')[1]).toContain('Shorter.')
    expect(promptsOf(bench, 'b')[1]).toContain('said-by-b')
    expect((await bench.service.step(id, 'b')).attempts.map(({ status }) => status)).toEqual(['kept', 'kept'])
  })

  test('is refused while it runs, and for what was skipped', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch)], b: [broken] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a', 'b < a', 'c < b'))
    await bench.server.called(1)
    await expect(bench.service.rerun({ id, step: 'a' }, {}, caller)).rejects.toMatchObject({ code: 'conflict' })
    latch.open()
    await bench.toEnd(id)
    await expect(bench.service.rerun({ id, step: 'c' }, {}, caller)).rejects.toMatchObject({
      code: 'conflict',
      details: { state: { status: 'failed', step_status: 'skipped' } },
    })
  })
})

describe('an idempotency key', () => {
  test('makes a start happen once, also when two come at once, and is refused for another request', async ({
    openBench,
  }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    await bench.engine.start()
    const request = { requirement: 'Build it.', ...customSteps('a') }
    const [first, second] = await Promise.all([
      bench.service.start(request, keyed('start-1')),
      bench.service.start(request, keyed('start-1')),
    ])
    expect(second.resource.id).toBe(first.resource.id)
    expect([first.replayed, second.replayed].filter(Boolean)).toHaveLength(1)
    await bench.toEnd(first.resource.id)
    const later = await bench.service.start(request, keyed('start-1'))
    expect(later).toMatchObject({ replayed: true, resource: { status: 'completed' } })
    await expect(bench.service.start(request, keyed('start-1', 'b'.repeat(64)))).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    })
    expect(bench.server.calls).toHaveLength(1)
    await bench.service.remove({ kind: 'workflow', id: first.resource.id })
    const anew = await bench.service.start(request, keyed('start-1'))
    expect(anew.replayed).toBe(false)
    await bench.toEnd(anew.resource.id)
  })

  test('makes one of two cancels, and one of two resumes, a repetition of the other', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps({ a: [broken, broken, heldAnswer('a', createLatch())] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await bench.toEnd(id)
    const ref = { kind: 'workflow', id } as const
    const resumed = await Promise.all([
      bench.service.resume(ref, {}, keyed('resume-2')),
      bench.service.resume(ref, {}, keyed('resume-2')),
    ])
    expect(resumed.filter(({ replayed }) => replayed)).toHaveLength(1)
    await bench.toEnd(id)
    await bench.service.resume(ref, {}, caller)
    const cancelled = await Promise.all([
      bench.service.cancel(ref, keyed('cancel-2')),
      bench.service.cancel(ref, keyed('cancel-2')),
    ])
    expect(cancelled.filter(({ replayed }) => replayed)).toHaveLength(1)
    expect(cancelled.every(({ changed }) => changed)).toBe(true)
  })

  test('makes a rerun happen once; its repetition streams from where it began', async ({ openBench }) => {
    const bench = await openBench()
    bench.server.answerWith(answerSteps())
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await bench.toEnd(id)
    const once = await bench.service.rerun({ id, step: 'a' }, {}, keyed('rerun-1'))
    await bench.toEnd(id)
    const again = await bench.service.rerun({ id, step: 'a' }, {}, keyed('rerun-1'))
    expect(again).toMatchObject({ replayed: true, cursor: once.cursor })
    expect(promptsOf(bench, 'a')).toHaveLength(2)
    const reader = await bench.service.openEvents({ kind: 'workflow', id }, again.cursor)
    const { frames } = await reader.read(1)
    expect(frames[0]?.type).toBe('workflow.resumed')
    reader.close()
  })
})
