import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttemptRecord } from '../../src/workflows/store.ts'
import { begin, decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import { addUsage, hasEnded, noUsage } from '../../src/workflows/workflow.ts'
import type { Claim, WorkflowState } from '../../src/workflows/workflow.ts'
import { wireUsage } from '../../src/workflows/wire.ts'
import { EventLedger } from './event-ledger.ts'
import {
  decided,
  failure,
  stepHappenings,
  stepNamed,
  times,
  workflowHappenings,
  workflowOf,
} from './workflow-states.ts'
import type { StepSketch } from './workflow-states.ts'

const maxWorkerLosses = 2

type HappeningName =
  | 'taken'
  | 'adopted'
  | 'started'
  | 'retried'
  | 'continued'
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'shutdown'
  | 'worker_lost'
  | 'time_up'
  | 'cancelled'

/** Something that may happen: to a step, if it is about one, and how long after what was before. */
interface Incident {
  readonly name: HappeningName
  readonly step: number
  /** Negative: the clock was set back. */
  readonly afterMs: number
  readonly tokens: number
}

const incident: fc.Arbitrary<Incident> = fc.record({
  // Most of it is work: an early end would leave little to look at.
  name: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<HappeningName>('started', 'completed', 'retried', 'continued') },
    { weight: 3, arbitrary: fc.constantFrom<HappeningName>('failed', 'incomplete', 'taken', 'adopted') },
    { weight: 2, arbitrary: fc.constantFrom<HappeningName>('shutdown', 'worker_lost') },
    { weight: 1, arbitrary: fc.constantFrom<HappeningName>('time_up', 'cancelled', 'taken', 'adopted') },
  ),
  step: fc.nat(7),
  afterMs: fc.integer({ min: -50, max: 2000 }),
  tokens: fc.nat(1000),
})

/** A DAG of one to eight steps, given in an order that need not be that of its edges. */
const dag: fc.Arbitrary<readonly StepSketch[]> = fc
  .array(
    fc.record({
      before: fc.array(fc.nat(7), { maxLength: 3 }),
      onFailure: fc.constantFrom('stop' as const, 'continue' as const),
      place: fc.nat(1000),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((nodes) =>
    nodes
      .map(({ before, onFailure, place }, index) => ({
        place,
        id: `s${index}`,
        status: 'pending' as const,
        after: [...new Set(before.filter((other) => other < index))].map((other) => `s${other}`),
        onFailure,
      }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ id, status, after, onFailure }) => ({ id, status, after, onFailure })),
  )

/** A workflow as it is stored, with a stranger who reads along, and a clock. */
class Run {
  state: WorkflowState
  readonly ledger: EventLedger
  readonly attempts = new Map<string, AttemptRecord>()
  now: number = times.created

  constructor(sketches: readonly StepSketch[]) {
    const draft = workflowOf('queued', sketches, { seq: 0, claim: null, updatedAt: times.created })
    this.ledger = new EventLedger(draft)
    const begun = begin(draft, { now: this.now })
    for (const event of begun.events) this.ledger.read(event)
    this.state = begun.state
  }

  /** Applies what the state allows; whatever it does must keep every promise. */
  apply(happening: Happening): boolean {
    const decision = decide(this.state, happening, { now: this.now })
    if (decision === null) return false
    for (const event of decision.events) this.ledger.read(event)
    for (const attempt of decision.attempts) this.#record(attempt)
    this.#checkJob(decision.completeJob, decision.sendJob, decision.state)
    this.state = decision.state
    this.#checkState()
    this.#checkEnd()
    return true
  }

  addTokens(step: number, tokens: number): void {
    const usage = { ...noUsage, inputTokens: tokens, llmCalls: 1 }
    const add = (before: WorkflowState['steps'][number]) =>
      before.index === step ? { ...before, usage: addUsage(before.usage, usage) } : before
    this.state = { ...this.state, steps: this.state.steps.map(add) }
  }

  #record(attempt: AttemptRecord): void {
    const key = `${attempt.stepIndex}@${attempt.attempt}`
    const before = this.attempts.get(key)
    expect(before?.status).toBe(attempt.status === 'open' ? undefined : 'open')
    if (before !== undefined) expect(attempt.startedAt).toBe(before.startedAt)
    if (attempt.endedAt !== null) expect(attempt.endedAt).toBeGreaterThanOrEqual(attempt.startedAt)
    this.attempts.set(key, attempt)
  }

  #checkJob(completed: string | null, sent: boolean, after: WorkflowState): void {
    const before = this.state
    if (completed !== null) expect(completed).toBe(before.jobId)
    expect(completed !== null).toBe(sent || (before.active && !after.active))
    if (sent) expect(after).toMatchObject({ active: true, activation: before.activation + 1 })
    else expect(after.activation).toBe(before.activation)
  }

  #checkEnd(): void {
    const { steps, runningMs } = this.state
    const used = steps.reduce((sum, step) => addUsage(sum, step.usage), noUsage)
    const end = this.ledger.end
    if (end !== null) expect(end.data).toMatchObject({ usage: wireUsage(used), duration_ms: runningMs })
  }

  #checkState(): void {
    const { status, active, seq, steps, runningMs, runningSince, startedAt, endedAt } = this.state
    expect(seq).toBe(this.ledger.seq)
    expect(active).toBe(!hasEnded(status))
    expect(this.ledger.end !== null).toBe(hasEnded(status))
    expect(runningSince !== null).toBe(status === 'running')
    expect(endedAt !== null).toBe(hasEnded(status))
    expect(runningMs).toBeGreaterThanOrEqual(0)
    if (startedAt !== null && endedAt !== null) expect(runningMs).toBe(endedAt - startedAt)
    const endings = this.ledger.endings()
    for (const step of steps) {
      const ended = endings.get(step.definition.id) ?? null
      expect(['pending', 'queued', 'running'].includes(step.status) ? null : step.status).toBe(ended)
      expect(step.runningSince !== null).toBe(step.status === 'running')
      expect(step.endedSeq !== null).toBe(ended !== null)
      expect(step.keptAttempt).toBe(ended === 'completed' || ended === 'incomplete' ? step.attempt : null)
      const mine = [...this.attempts.values()].filter((attempt) => attempt.stepIndex === step.index)
      expect(mine.map((attempt) => attempt.attempt)).toEqual(mine.map((_attempt, index) => index + 1))
      expect(mine.filter((attempt) => attempt.status === 'open')).toHaveLength(step.status === 'running' ? 1 : 0)
      const spentMs = mine.reduce((sum, { startedAt: from, endedAt: to }) => sum + (to === null ? 0 : to - from), 0)
      expect(step.runningMs).toBe(spentMs)
    }
  }
}

/** The claim of the job's next fetch: that is how the queue makes claims grow. */
function nextClaim({ activation, claim }: WorkflowState): Claim {
  return { activation, retry: claim?.activation === activation ? claim.retry + 1 : 0 }
}

function handedOver({ activation }: WorkflowState, code: 'shutdown' | 'worker_lost'): Happening {
  return { type: 'handed_over', code, jobId: `job-${activation + 1}`, maxWorkerLosses }
}

/** What each is to a workflow as it stands. */
const happenings: Readonly<Record<HappeningName, (state: WorkflowState, step: number) => Happening>> = {
  taken: (state) => ({ type: 'taken', claim: nextClaim(state), maxWorkerLosses }),
  adopted: (state) => ({ type: 'adopted', claim: nextClaim(state) }),
  shutdown: (state) => handedOver(state, 'shutdown'),
  worker_lost: (state) => handedOver(state, 'worker_lost'),
  time_up: () => ({ type: 'time_up' }),
  cancelled: () => ({ type: 'cancelled' }),
  started: (_state, step) => stepHappenings.started(step),
  retried: (_state, step) => stepHappenings.retried(step),
  continued: (_state, step) => stepHappenings.continued(step),
  completed: (_state, step) => stepHappenings.completed(step),
  incomplete: (_state, step) => {
    return { ...stepHappenings.incomplete(step), error: failure('output_limit', { message: `step ${step} was cut` }) }
  },
  failed: (_state, step) => {
    return { type: 'step_failed', step, failure: failure('llm_error', { message: `step ${step} failed` }) }
  },
}

function play(run: Run, incidents: readonly Incident[]): void {
  for (const each of incidents) {
    run.now = Math.max(times.created, run.now + each.afterMs)
    const happening = happenings[each.name](run.state, each.step % run.state.steps.length)
    if ('step' in happening && happening.type !== 'step_started') run.addTokens(happening.step, each.tokens)
    const ended = hasEnded(run.state.status)
    const allowed = run.apply(happening)
    if (ended) expect(allowed).toBe(false)
  }
}

/** Every queued step is started, and every running one ends somehow: so the workflow has to end. */
function finish(run: Run, outcomes: readonly ('completed' | 'failed')[]): void {
  if (run.state.status === 'queued') run.apply(happenings.taken(run.state, 0))
  for (let round = 0; round <= run.state.steps.length && !hasEnded(run.state.status); round += 1) {
    for (const { index } of run.state.steps) run.apply(stepHappenings.started(index))
    for (const { index } of run.state.steps) run.apply(stepHappenings[outcomes[index] ?? 'completed'](index))
  }
}

describe('whatever happens in whatever order', () => {
  test('every promise of the contract is kept, and every workflow ends', () => {
    fc.assert(
      fc.property(
        dag,
        fc.array(incident, { maxLength: 40 }),
        fc.array(fc.constantFrom('completed' as const, 'failed' as const), { maxLength: 8 }),
        (sketches, incidents, outcomes) => {
          const run = new Run(sketches)
          if (incidents.length > 3) run.apply(workflowHappenings.taken)
          play(run, incidents)
          finish(run, outcomes)
          expect(hasEnded(run.state.status)).toBe(true)
        },
      ),
      { numRuns: 250 },
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
