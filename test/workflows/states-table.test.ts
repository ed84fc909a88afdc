import { beforeAll, describe, expect, test } from 'vitest'
import { keepsAttempt } from '../../src/workflows/events.ts'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import { begin, decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { StepStatus, WorkflowState, WorkflowStatus } from '../../src/workflows/workflow.ts'
import { gateRows } from './gate-rows.ts'
import { gateStepRows } from './gate-step-rows.ts'
import { interruptionRows } from './interruption-rows.ts'
import { revivalRows } from './revival-rows.ts'
import { revivalStepRows } from './revival-step-rows.ts'
import { runningRows } from './running-rows.ts'
import { runningStepRows } from './running-step-rows.ts'
import type { RowCase, TableRow } from './table-row.ts'
import { waitingStepRows } from './waiting-step-rows.ts'
import { createEventCheck } from './wire-schemas.ts'
import { stepHappenings, times, workflowHappenings, workflowOf } from './workflow-states.ts'

const moment = { now: times.now, correlationId: 'request', jobId: 'job-2' }
const workflowRows = [...runningRows, ...interruptionRows, ...gateRows, ...revivalRows]
const stepRows = [...waitingStepRows, ...runningStepRows, ...gateStepRows, ...revivalStepRows]

function run({ state, happening }: RowCase) {
  const decision = happening === 'begin' ? begin(state, moment) : decide(state, happening, moment)
  if (decision === null) throw new Error('it was refused')
  return decision
}

/** The state that a row asks for: what it names has changed, everything else is as it was. */
function expectedState({ state, events, workflow = {}, steps = {} }: RowCase): WorkflowState {
  return {
    ...state,
    seq: state.seq + events.length,
    updatedAt: times.now,
    ...workflow,
    steps: state.steps.map((step) => ({ ...step, ...steps[step.definition.id] })),
  }
}

function expectedEvents({ state, events }: RowCase): readonly LifecycleEvent[] {
  return events.map(([type, step, attempt, data], index) => {
    return { seq: state.seq + index + 1, type, at: times.now, correlationId: 'request', step, attempt, data }
  })
}

function changedIndexes({ state, steps = {} }: RowCase): ReadonlySet<number> {
  const changed = state.steps.filter((step) => Object.hasOwn(steps, step.definition.id))
  return new Set(changed.map((step) => step.index))
}

/** An event as a client gets it; the kept text is joined in when it is read. */
function onTheWire({ data, ...event }: LifecycleEvent) {
  const output = keepsAttempt(event.type) ? { output: 'text' } : {}
  const { seq, type, step, attempt, correlationId } = event
  const common = { seq, type, workflow_id: 'wf', at: new Date(event.at).toISOString(), correlation_id: correlationId }
  return { ...common, ...(step === null ? {} : { step, attempt }), ...output, ...data }
}

let faultsOfEvent: Awaited<ReturnType<typeof createEventCheck>>
beforeAll(async () => {
  faultsOfEvent = await createEventCheck()
})

function testRow({ from, happening, to, events, cases = [], later }: TableRow) {
  const title = `${from} | ${happening} | ${to} | ${events}`
  if (later !== undefined) return test.skip(`${title} — ${later}`)
  return test.each(cases.map((rowCase) => [rowCase.name ?? '', rowCase] as const))(`${title} %s`, (_name, rowCase) => {
    const decision = run(rowCase)
    expect(decision.events).toEqual(expectedEvents(rowCase))
    expect(decision.state).toEqual(expectedState(rowCase))
    expect(new Set(decision.changedSteps)).toEqual(changedIndexes(rowCase))
    expect(decision.attempts).toEqual(rowCase.attempts ?? [])
    expect(decision.completeJob).toBe(rowCase.job?.completed ?? null)
    expect(decision.sendJob).toBe(rowCase.job?.sent ?? false)
    expect(decision.events.flatMap((event) => faultsOfEvent(onTheWire(event)))).toEqual([])
  })
}

describe('workflow', () => {
  workflowRows.forEach(testRow)
})

describe('step', () => {
  stepRows.forEach(testRow)
})

const workflowStatuses = ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'] as const
const stepStatuses = [
  'pending',
  'queued',
  'running',
  'waiting',
  'completed',
  'incomplete',
  'failed',
  'skipped',
  'cancelled',
] as const

/** Statuses that the steps of a workflow may have. */
const possible: Readonly<Record<WorkflowStatus, readonly StepStatus[]>> = {
  queued: ['pending', 'queued', 'waiting', 'completed', 'incomplete', 'failed', 'skipped'],
  running: stepStatuses.filter((status) => status !== 'cancelled'),
  waiting: ['pending', 'waiting', 'completed', 'incomplete', 'failed', 'skipped'],
  completed: ['completed', 'incomplete', 'failed'],
  failed: ['completed', 'incomplete', 'failed', 'skipped'],
  cancelled: ['completed', 'incomplete', 'failed', 'skipped', 'cancelled'],
}

type StepHappening = Extract<Happening, { step: number }>

function isOfStep(happening: RowCase['happening']): happening is StepHappening {
  return happening !== 'begin' && 'step' in happening
}

function stepPair(workflow: WorkflowStatus, step: StepStatus, happening: StepHappening): string {
  const kind = happening.type === 'step_kept' ? happening.status : happening.type
  return `${workflow} with a ${step} step: ${kind}`
}

const cases = [...workflowRows, ...stepRows].flatMap((row) => row.cases ?? [])

const allowedOfSteps = new Set(
  cases.flatMap(({ state, happening }) => {
    if (!isOfStep(happening)) return []
    return [stepPair(state.status, state.steps[happening.step]?.status ?? 'pending', happening)]
  }),
)
const allowedOfWorkflows = new Set(
  cases.flatMap(({ state, happening }) =>
    happening === 'begin' || isOfStep(happening) ? [] : [`${state.status}: ${happening.type}`],
  ),
)

describe('what no row allows is refused', () => {
  const stepPairs = workflowStatuses.flatMap((workflow) =>
    possible[workflow].flatMap((step) =>
      Object.values(stepHappenings).map((make) => {
        const state = workflowOf(workflow, [{ id: 'a', status: step }])
        return { pair: stepPair(workflow, step, make()), state, happening: make() }
      }),
    ),
  )
  test.each(stepPairs.filter(({ pair }) => !allowedOfSteps.has(pair)))('$pair', ({ state, happening }) => {
    expect(decide(state, happening, moment)).toBeNull()
  })

  const workflowPairs = workflowStatuses.flatMap((status) =>
    Object.values(workflowHappenings).map((happening) => [`${status}: ${happening.type}`, status, happening] as const),
  )
  test.each(workflowPairs.filter(([pair]) => !allowedOfWorkflows.has(pair)))('%s', (_pair, status, happening) => {
    const step = possible[status].at(-1) ?? 'completed'
    expect(decide(workflowOf(status, [{ id: 'a', status: step }]), happening, moment)).toBeNull()
  })

  test('the tables allow exactly these pairs', () => {
    expect([...allowedOfSteps].toSorted()).toEqual([
      'cancelled with a cancelled step: rerun',
      'cancelled with a completed step: rerun',
      'cancelled with a failed step: rerun',
      'cancelled with a incomplete step: rerun',
      'completed with a completed step: rerun',
      'completed with a failed step: rerun',
      'completed with a incomplete step: rerun',
      'failed with a completed step: rerun',
      'failed with a failed step: rerun',
      'failed with a incomplete step: rerun',
      'queued with a waiting step: approved',
      'queued with a waiting step: gate_expired',
      'queued with a waiting step: rejected',
      'running with a queued step: step_failed',
      'running with a queued step: step_started',
      'running with a running step: completed',
      'running with a running step: incomplete',
      'running with a running step: step_continued',
      'running with a running step: step_failed',
      'running with a running step: step_retried',
      'running with a waiting step: approved',
      'running with a waiting step: gate_expired',
      'running with a waiting step: rejected',
      'waiting with a waiting step: approved',
      'waiting with a waiting step: gate_expired',
      'waiting with a waiting step: rejected',
    ])
    expect([...allowedOfWorkflows].toSorted()).toEqual([
      'cancelled: resumed',
      'failed: resumed',
      'queued: adopted',
      'queued: cancelled',
      'queued: handed_over',
      'queued: taken',
      'queued: time_up',
      'running: adopted',
      'running: cancelled',
      'running: handed_over',
      'running: taken',
      'running: time_up',
      'waiting: cancelled',
    ])
  })
})
