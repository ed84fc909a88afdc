import { describe, expect, test } from 'vitest'
import type { FailureCode } from '../../src/errors.ts'
import { countsAsDone, isTolerated, stepHasEnded } from '../../src/workflows/progress.ts'
import type { StepStatus } from '../../src/workflows/workflow.ts'
import {
  decided,
  failure,
  stepHappenings,
  stepNamed,
  stepOf,
  workflowHappenings,
  workflowOf,
} from './workflow-states.ts'
import type { StepSketch } from './workflow-states.ts'

interface Row {
  readonly status: StepStatus
  readonly ended: boolean
  readonly done: boolean
  /** With `on_failure: continue`. */
  readonly doneAnyway: boolean
}

const rows: readonly Row[] = [
  { status: 'pending', ended: false, done: false, doneAnyway: false },
  { status: 'queued', ended: false, done: false, doneAnyway: false },
  { status: 'running', ended: false, done: false, doneAnyway: false },
  { status: 'waiting', ended: false, done: false, doneAnyway: false },
  { status: 'completed', ended: true, done: true, doneAnyway: true },
  { status: 'incomplete', ended: true, done: false, doneAnyway: true },
  { status: 'failed', ended: true, done: false, doneAnyway: true },
  { status: 'skipped', ended: true, done: false, doneAnyway: false },
  { status: 'cancelled', ended: true, done: false, doneAnyway: false },
]

describe('a step', () => {
  test.each(rows)('that is $status', ({ status, ended, done, doneAnyway }) => {
    const stop = stepOf({ id: 'a', status, onFailure: 'stop' })
    const goOn = stepOf({ id: 'a', status, onFailure: 'continue' })
    expect([stepHasEnded(stop), stepHasEnded(goOn)]).toEqual([ended, ended])
    expect([countsAsDone(stop), countsAsDone(goOn)]).toEqual([done, doneAnyway])
    expect([isTolerated(stop), isTolerated(goOn)]).toEqual([false, doneAnyway && !done])
  })

  test.each<FailureCode>(['budget_exhausted', 'rejected', 'approval_expired'])('%s is never tolerated', (code) => {
    for (const status of ['failed', 'incomplete'] as const) {
      const step = stepOf({ id: 'a', status, onFailure: 'continue', error: failure(code) })
      expect([isTolerated(step), countsAsDone(step)]).toEqual([false, false])
    }
  })
})

function statusesOf(state: ReturnType<typeof workflowOf>) {
  return Object.fromEntries(state.steps.map((step) => [step.definition.id, step.status]))
}

describe('going on', () => {
  const diamond = (right: StepSketch) =>
    workflowOf('running', [
      { id: 'root', status: 'completed' },
      { id: 'left', status: 'running', after: ['root'] },
      right,
      { id: 'join', status: 'pending', after: ['left', 'right'] },
    ])

  test('a join waits for the last of its branches', () => {
    const one = decided(diamond({ id: 'right', status: 'running', after: ['root'] }), stepHappenings.completed(1))
    expect(statusesOf(one.state)).toMatchObject({ join: 'pending' })
    const both = decided(one.state, stepHappenings.completed(2))
    expect(statusesOf(both.state)).toMatchObject({ join: 'queued' })
  })

  test('a join is skipped as soon as one branch is lost, the other runs to its end', () => {
    const lost = decided(diamond({ id: 'right', status: 'running', after: ['root'] }), stepHappenings.failed(2))
    expect(statusesOf(lost.state)).toMatchObject({ left: 'running', join: 'skipped' })
    expect(lost.state.status).toBe('running')
    expect(decided(lost.state, stepHappenings.completed(1)).state).toMatchObject({ status: 'failed', active: false })
  })

  test('a tolerated failure opens the way like a success', () => {
    const right = { id: 'right', status: 'failed', after: ['root'], onFailure: 'continue' } as const
    const { state } = decided(diamond(right), stepHappenings.completed(1))
    expect(statusesOf(state)).toMatchObject({ join: 'queued' })
  })

  test('what is skipped is not tolerated by `continue`', () => {
    const state = workflowOf('running', [
      { id: 'a', status: 'running' },
      { id: 'b', status: 'pending', after: ['a'], onFailure: 'continue' },
      { id: 'c', status: 'pending', after: ['b'] },
    ])
    const after = decided(state, stepHappenings.failed()).state
    expect(statusesOf(after)).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' })
    expect(after).toMatchObject({ status: 'failed', reason: 'step_failed' })
  })

  test('steps become ready in the order of the DAG as it was given', () => {
    const state = workflowOf('running', [
      { id: 'z', status: 'pending', after: ['a'] },
      { id: 'a', status: 'running' },
      { id: 'b', status: 'pending', after: ['a'] },
    ])
    const queued = decided(state, stepHappenings.completed(1)).events.filter((event) => event.type === 'step.queued')
    expect(queued.map((event) => event.step)).toEqual(['z', 'b'])
  })
})

describe('waiting', () => {
  test('begins only when no other branch is queued or running', () => {
    const state = workflowOf('running', [
      { id: 'g', status: 'running', gate: true },
      { id: 'a', status: 'running' },
      { id: 'b', status: 'pending', after: ['g', 'a'] },
    ])
    const one = decided(state, stepHappenings.completed()).state
    expect(one).toMatchObject({ status: 'running', reason: null, active: true })
    const both = decided(one, stepHappenings.completed(1))
    expect(both.state).toMatchObject({ status: 'waiting', reason: 'approval', active: false })
    expect(both).toMatchObject({ completeJob: 'job-1', sendJob: false })
  })

  test.each([
    ['taken by another', workflowHappenings.taken],
    ['handed over at boot', workflowHappenings.lost],
  ])('begins when the last running step has lost too many workers: %s', (_name, happening) => {
    const running = workflowOf('running', [
      { id: 'g', status: 'waiting' },
      { id: 'a', status: 'running', losses: 25 },
    ])
    const decision = decided(running, happening)
    expect(decision.events.map((event) => event.type)).toEqual(['step.failed', 'workflow.waiting'])
    expect(decision.state).toMatchObject({ status: 'waiting', active: false, activation: 1 })
    expect(decision).toMatchObject({ completeJob: 'job-1', sendJob: false })
  })
})

describe('the end', () => {
  /** Ends a workflow of these steps by completing one more. */
  const endWith = (...steps: readonly StepSketch[]) =>
    decided(workflowOf('running', [{ id: 'last', status: 'running' }, ...steps]), stepHappenings.completed()).state

  test('is completed when every step is', () => {
    expect(endWith({ id: 'a', status: 'completed' })).toMatchObject({ status: 'completed', reason: null, error: null })
  })

  test.each(['failed', 'incomplete'] as const)('is completed with failures when a %s step is tolerated', (status) => {
    const ended = endWith({ id: 'a', status, onFailure: 'continue' })
    expect(ended).toMatchObject({ status: 'completed', reason: 'with_failures', error: null })
  })

  test.each(['failed', 'incomplete', 'skipped'] as const)('is failed when a step is %s', (status) => {
    const ended = endWith({ id: 'a', status })
    expect(ended).toMatchObject({ status: 'failed', reason: 'step_failed' })
  })

  test('is cancelled when a step is, whatever else failed', () => {
    const ended = endWith({ id: 'a', status: 'cancelled' }, { id: 'b', status: 'failed' })
    expect(ended).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client', error: null })
  })

  test('tells the error of the first failure by number, not by place', () => {
    const late = failure('llm_timeout')
    const early = failure('llm_error')
    const ended = endWith(
      { id: 'a', status: 'failed', error: late, endedSeq: 9 },
      { id: 'b', status: 'incomplete', error: early, endedSeq: 7 },
    )
    expect(ended).toMatchObject({ reason: 'step_failed', error: early })
  })

  test('does not tell a failure that is tolerated', () => {
    const ended = endWith(
      { id: 'a', status: 'failed', error: failure('llm_error'), endedSeq: 5, onFailure: 'continue' },
      { id: 'b', status: 'failed', error: failure('llm_timeout'), endedSeq: 9 },
    )
    expect(ended.error?.code).toBe('llm_timeout')
  })

  test.each([
    ['budget_exhausted', ['llm_error', 'approval_expired', 'rejected', 'budget_exhausted']],
    ['rejected', ['llm_error', 'approval_expired', 'rejected']],
    ['approval_expired', ['llm_error', 'approval_expired']],
  ] as const)('tells %s before what comes after it in the order of reasons', (reason, codes) => {
    const steps = codes.map((code, index) => {
      return { id: `s${index}`, status: 'failed', error: failure(code), endedSeq: index } as const
    })
    expect(endWith(...steps)).toMatchObject({ status: 'failed', reason, error: { code: reason } })
  })

  test('tells a used up budget before everything else', () => {
    const ended = endWith(
      { id: 'a', status: 'failed', error: failure('llm_error'), endedSeq: 5 },
      { id: 'b', status: 'failed', error: failure('approval_expired'), endedSeq: 6 },
      { id: 'c', status: 'failed', error: failure('rejected'), endedSeq: 7 },
      { id: 'd', status: 'failed', error: failure('budget_exhausted', { budget: 'max_tokens' }), endedSeq: 8 },
    )
    expect(ended).toMatchObject({ reason: 'budget_exhausted', error: { budget: 'max_tokens' } })
  })

  test('of a time that is up leaves what is finished as it is', () => {
    const state = workflowOf('running', [
      { id: 'a', status: 'completed' },
      { id: 'b', status: 'running', after: ['a'] },
    ])
    const ended = decided(state, workflowHappenings.timeUp).state
    expect(stepNamed(ended, 'a')).toEqual(stepNamed(state, 'a'))
    expect(ended).toMatchObject({ status: 'failed', reason: 'budget_exhausted' })
  })
})
