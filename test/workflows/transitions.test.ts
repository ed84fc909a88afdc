import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/workflows/transitions.ts'
import { hasEnded, noUsage } from '../../src/workflows/workflow.ts'
import { dag, finish, happen, happeningOf, incidents, limits } from './workflow-incidents.ts'
import type { IncidentName } from './workflow-incidents.ts'
import { WorkflowRun } from './workflow-run.ts'
import { decided, stepHappenings, stepNamed, times, workflowHappenings, workflowOf } from './workflow-states.ts'

const outcome = fc.constantFrom<IncidentName>('completed', 'failed', 'approved', 'rejected')

describe('whatever happens in whatever order', () => {
  test('every promise of the contract is kept, and every workflow ends', () => {
    fc.assert(
      fc.property(
        fc.record({ sketches: dag, of: limits }),
        incidents,
        fc.array(outcome, { maxLength: 8 }),
        ({ sketches, of }, happened, outcomes) => {
          const run = new WorkflowRun(sketches, of)
          for (const each of happened) happen(run, of, each)
          finish(run, of, ['completed', 'approved', ...outcomes])
          expect(hasEnded(run.state.status)).toBe(true)
        },
      ),
      { numRuns: 250 },
    )
  })

  test('one resume after which nothing fails completes it', () => {
    fc.assert(
      fc.property(fc.record({ sketches: dag, of: limits }), incidents, ({ sketches, of }, happened) => {
        const run = new WorkflowRun(sketches, of)
        for (const each of happened) happen(run, of, each)
        const step = 0
        if (!hasEnded(run.state.status)) run.apply(happeningOf('cancelled', run, { ...of, step }))
        if (run.state.status !== 'completed') run.apply(happeningOf('resumed', run, { ...of, step }))
        finish(run, of, ['completed', 'approved'])
        expect(run.state.status).toBe('completed')
      }),
      { numRuns: 100 },
    )
  })
})

describe('usage', () => {
  test('of the end is the sum over all steps at its moment', () => {
    const usage = { ...noUsage, inputTokens: 100, outputTokens: 20, llmCalls: 3, estimated: true }
    const state = workflowOf('running', [
      { id: 'a', status: 'failed', onFailure: 'continue', usage },
      { id: 'b', status: 'running', usage: { ...usage, costUsd: 0.5, cachedTokens: 7 } },
    ])
    const end = decided(state, stepHappenings.completed(1)).events.at(-1)
    expect(end?.data['usage']).toEqual({
      input_tokens: 200,
      output_tokens: 40,
      cached_tokens: 7,
      reasoning_tokens: 0,
      llm_calls: 6,
      cost_usd: 0.5,
      estimated: true,
    })
  })
})

describe('lost workers', () => {
  const losing = (losses: number) => workflowOf('running', [{ id: 'a', status: 'running', losses }])

  test('the last loss that is allowed starts the step again', () => {
    const { state } = decided(losing(24), workflowHappenings.lost)
    expect(stepNamed(state, 'a')).toMatchObject({ status: 'queued', losses: 25 })
  })

  test('one more fails it, and the workflow with it', () => {
    const decision = decided(losing(25), workflowHappenings.lost)
    expect(decision.events.map((event) => event.type)).toEqual(['step.failed', 'workflow.failed'])
    expect(decision.state).toMatchObject({ active: false, activation: 1, error: { code: 'worker_lost' } })
    expect(decision).toMatchObject({ sendJob: false, completeJob: 'job-1' })
  })

  test('the same when another replica takes it', () => {
    expect(decided(losing(25), workflowHappenings.taken).state.status).toBe('failed')
  })

  test('a hand-over is no loss, even after the limit was lowered', () => {
    const { state, events } = decided(losing(30), workflowHappenings.handedOver)
    expect(events.map((event) => event.type)).toEqual(['step.retrying'])
    expect(stepNamed(state, 'a')).toMatchObject({ status: 'queued', losses: 30 })
  })
})

describe('time', () => {
  test('never runs backwards, even when the clock does', () => {
    const state = workflowOf('running', [{ id: 'a', status: 'running' }], { updatedAt: 20_000 })
    const { events, state: after, attempts } = decided(state, stepHappenings.failed())
    expect(events.map((event) => event.at)).toEqual([20_000, 20_000])
    expect(after).toMatchObject({ updatedAt: 20_000, endedAt: 20_000, runningMs: 18_000 })
    expect(attempts[0]).toMatchObject({ endedAt: 20_000 })
  })

  test('a step counts all its attempts, from its first start', () => {
    let state = workflowOf('running', [{ id: 'a', status: 'queued' }])
    for (const [happening, now] of [
      [stepHappenings.started(), 10_000],
      [stepHappenings.retried(), 11_000],
      [stepHappenings.started(), 20_000],
      [stepHappenings.completed(), 20_300],
    ] as const) {
      state = decided(state, happening, now).state
    }
    expect(stepNamed(state, 'a')).toMatchObject({ startedAt: 10_000, endedAt: 20_300, runningMs: 1300, attempt: 2 })
  })
})

describe('events', () => {
  const state = workflowOf('running', [{ id: 'a', status: 'running' }])

  test('carry the id of the request that caused them, else that of the start', () => {
    const ids = [undefined, 'request'].map((correlationId) => {
      const moment = { now: times.now, ...(correlationId === undefined ? {} : { correlationId }) }
      return decide(state, workflowHappenings.cancelled, moment)?.events.map((event) => event.correlationId)
    })
    expect(ids).toEqual([
      ['start', 'start'],
      ['request', 'request'],
    ])
  })

  test('a retry that has to wait says for how long, and until when', () => {
    const soon = decided(state, { ...stepHappenings.retried(), delayMs: 0 })
    expect(soon.events[0]?.data['delay_ms']).toBe(0)
    expect(stepNamed(soon.state, 'a').notBefore).toBeNull()
    const later = decided(state, { ...stepHappenings.retried(), delayMs: 1234.5 })
    expect(later.events[0]?.data['delay_ms']).toBe(1235)
    expect(stepNamed(later.state, 'a').notBefore).toBe(times.now + 1234.5)
  })
})
