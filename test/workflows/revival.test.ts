import { describe, expect, test } from 'vitest'
import { decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import {
  decided,
  failure,
  stepHappenings,
  stepNamed,
  times,
  workflowHappenings,
  workflowOf,
} from './workflow-states.ts'

const { completed, failed, rerun, started } = stepHappenings
const { cancelled, resumed, taken, timeUp } = workflowHappenings

function after(state: WorkflowState, ...happenings: readonly Happening[]): WorkflowState {
  return happenings.reduce((now, happening) => decided(now, happening).state, state)
}

function statusesOf({ steps }: WorkflowState) {
  return Object.fromEntries(steps.map((step) => [step.definition.id, step.status]))
}

describe('resume', () => {
  test('runs again what failed and what was skipped for it, and pays for no result twice', () => {
    const running = workflowOf('running', [
      { id: 'a', status: 'completed' },
      { id: 'b', status: 'running', after: ['a'] },
      { id: 'c', status: 'pending', after: ['b'] },
      { id: 'd', status: 'running' },
    ])
    const ended = after(running, failed(1), completed(3))
    expect(statusesOf(ended)).toEqual({ a: 'completed', b: 'failed', c: 'skipped', d: 'completed' })
    const goesOn = after(ended, resumed)
    expect(statusesOf(goesOn)).toEqual({ a: 'completed', b: 'queued', c: 'pending', d: 'completed' })
    for (const id of ['a', 'd']) expect(stepNamed(goesOn, id)).toBe(stepNamed(ended, id))
    expect(after(goesOn, taken, started(1), completed(1), started(2), completed(2)).status).toBe('completed')
  })

  test('of what was cancelled begins with the attempt after the void one', () => {
    const running = workflowOf('running', [{ id: 'a', status: 'running' }])
    const again = after(running, cancelled, resumed, taken, started())
    expect(stepNamed(again, 'a')).toMatchObject({ status: 'running', attempt: 2, reason: null, endedAt: null })
  })

  test('sums the time spent running', () => {
    const running = workflowOf('running', [{ id: 'a', status: 'running' }])
    const ended = decided(running, failed(), 10_000).state
    const waited = decided(ended, resumed, 50_000).state
    expect(waited).toMatchObject({ runningMs: 8000, runningSince: null, startedAt: times.started })
    const again = decided(decided(waited, taken, 60_000).state, timeUp, 61_000)
    expect(again.state).toMatchObject({ status: 'failed', runningMs: 9000 })
  })

  test('takes the options and the priority as they were merged', () => {
    const state = workflowOf('failed', [{ id: 'a', status: 'failed' }], { options: { model: 'one' }, priority: 1 })
    const options = { model: 'two', maxTokens: 7 }
    expect(after(state, { ...resumed, options, priority: -5 })).toMatchObject({ options, priority: -5 })
  })

  test('queues nothing behind a gate that it opens again', () => {
    const state = workflowOf('waiting', [
      { id: 'g', status: 'waiting' },
      { id: 'b', status: 'pending', after: ['g'] },
    ])
    const reopened = after(state, cancelled, resumed)
    expect(statusesOf(reopened)).toEqual({ g: 'waiting', b: 'pending' })
    expect(reopened).toMatchObject({ status: 'waiting', active: false, activation: 1 })
    expect(statusesOf(after(reopened, stepHappenings.approved()))).toEqual({ g: 'completed', b: 'queued' })
  })

  test('needs no job when only gates are open, and one as soon as something runs', () => {
    const state = workflowOf('waiting', [{ id: 'g', status: 'waiting' }])
    const ended = after(state, cancelled)
    expect(decide(ended, resumed, { now: times.now })).toMatchObject({ sendJob: false, completeJob: null })
    const failedOne = workflowOf('failed', [{ id: 'a', status: 'failed' }])
    expect(() => decide(failedOne, resumed, { now: times.now })).toThrow(/job/)
  })

  test('may be needed again and again; each time the log has one end more', () => {
    const round = [taken, started(), failed(), resumed] as const
    const often = after(workflowOf('queued', [{ id: 'a', status: 'queued' }]), ...round, ...round, ...round)
    expect(often).toMatchObject({ status: 'queued', activation: 4, active: true })
    expect(stepNamed(often, 'a')).toMatchObject({ attempt: 3, losses: 0, triesUsed: 0 })
  })
})

describe('rerun', () => {
  const done = workflowOf('completed', [
    { id: 'a', status: 'completed' },
    { id: 'b', status: 'completed', after: ['a'] },
    { id: 'c', status: 'completed', after: ['b'] },
    { id: 'side', status: 'completed', after: ['a'] },
  ])

  test('runs the step and after it only what depends on it', () => {
    const again = after(done, rerun(1))
    expect(statusesOf(again)).toEqual({ a: 'completed', b: 'queued', c: 'pending', side: 'completed' })
    for (const id of ['a', 'side']) expect(stepNamed(again, id)).toBe(stepNamed(done, id))
  })

  test('of a step whose dependency is not done is refused', () => {
    const state = workflowOf('cancelled', [
      { id: 'a', status: 'cancelled' },
      { id: 'b', status: 'cancelled', after: ['a'] },
    ])
    expect(decide(state, rerun(1), { now: times.now, jobId: 'job-2' })).toBeNull()
    expect(statusesOf(after(state, rerun(0)))).toEqual({ a: 'queued', b: 'pending' })
  })

  test('behind a tolerated failure is possible', () => {
    const state = workflowOf('completed', [
      { id: 'a', status: 'failed', onFailure: 'continue' },
      { id: 'b', status: 'completed', after: ['a'] },
    ])
    expect(statusesOf(after(state, rerun(1)))).toEqual({ a: 'failed', b: 'queued' })
  })

  test('of what was tolerated makes it count anew: a spent budget is no longer tolerated', () => {
    const state = workflowOf('completed', [
      { id: 'a', status: 'failed', onFailure: 'continue' },
      { id: 'b', status: 'completed', after: ['a'] },
    ])
    const spent = failed(0, 'budget_exhausted')
    const ended = after(state, rerun(0), taken, started(0), spent)
    expect(statusesOf(ended)).toEqual({ a: 'failed', b: 'skipped' })
    expect(ended).toMatchObject({ status: 'failed', reason: 'budget_exhausted' })
  })

  test('leaves others as cancelled as they were, and the workflow with them', () => {
    const state = workflowOf('cancelled', [
      { id: 'a', status: 'completed' },
      { id: 'z', status: 'cancelled' },
    ])
    expect(after(state, rerun(0), taken, started(0), completed(0))).toMatchObject({ status: 'cancelled' })
  })

  test('asks again at the gates behind it', () => {
    const gated = workflowOf('completed', [
      { id: 'a', status: 'completed' },
      { id: 'g', status: 'completed', after: ['a'], gate: true, revisions: 2, edited: true },
    ])
    const asked = after(gated, rerun(0), taken, started(0), completed(0), started(1), completed(1))
    expect(asked).toMatchObject({ status: 'waiting', active: false })
    expect(stepNamed(asked, 'g')).toMatchObject({ waitingAttempt: 2, revisions: 0, edited: false })
  })

  test('tells a step with a kept text what is wanted otherwise, and which text is meant', () => {
    const { state } = decided(done, { ...rerun(1), feedback: 'Shorter.' })
    expect(stepNamed(state, 'b').feedback).toEqual({ text: 'Shorter.', attempt: 1 })
    expect(stepNamed(state, 'c').feedback).toBeNull()
    const never = workflowOf('failed', [{ id: 'a', status: 'failed', error: failure() }])
    const { state: first } = decided(never, { ...rerun(), feedback: 'Shorter.' })
    expect(stepNamed(first, 'a').feedback).toEqual({ text: 'Shorter.', attempt: null })
  })

  test('without feedback keeps what was wanted of the text before, for it has no other yet', () => {
    const told = { text: 'Shorter.', attempt: 1 }
    const state = workflowOf('failed', [{ id: 'a', status: 'failed', feedback: told, keptAttempt: 1 }])
    expect(stepNamed(after(state, rerun()), 'a').feedback).toEqual(told)
    const other = after(state, { ...rerun(), feedback: 'Longer.' })
    expect(stepNamed(other, 'a').feedback).toEqual({ text: 'Longer.', attempt: 1 })
  })

  test("takes the step's own options with the workflow's", () => {
    const { state } = decided(done, { ...rerun(1), options: { maxTokens: 1 }, stepOptions: { maxTokens: 2 } })
    expect(state.options).toEqual({ maxTokens: 1 })
    expect(stepNamed(state, 'b').definition).toMatchObject({ id: 'b', dependsOn: ['a'], options: { maxTokens: 2 } })
    expect(stepNamed(state, 'c').definition.options).toEqual({})
  })
})
