import { expect } from 'vitest'
import { AppError } from '../../src/errors.ts'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { StartWorkflow } from '../../src/workflows/requests.ts'
import type { Caller, WorkflowRef } from '../../src/workflows/service.ts'
import { hasEnded } from '../../src/workflows/workflow.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { caller } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import type { Latch } from '../support/scripted-steps.ts'
import { EventLedger } from '../workflows/event-ledger.ts'
import { expectLawful } from '../workflows/lawful-log.ts'
import type { AnswerScript } from './engine-model.ts'
import { newCorrelation } from './engine-site.ts'
import type { EngineSite } from './engine-site.ts'

/** One workflow that something is tried on. */
export interface Try {
  readonly id: string
  readonly ref: WorkflowRef
  readonly correlationId: string
  /** Holds up what its script holds. */
  readonly latch: Latch
  readonly site: EngineSite
  /** Some replica that is there. */
  any(): EngineBench
}

export interface TryRequest extends Pick<StartWorkflow, 'steps'>, Partial<Pick<StartWorkflow, 'options'>> {
  readonly answers?: AnswerScript
}

const patienceMs = 20_000
const lookAgainMs = 250
const restingTypes: ReadonlySet<string> = new Set([
  'workflow.waiting',
  'workflow.completed',
  'workflow.failed',
  'workflow.cancelled',
])

/** Starts a workflow on some of the replicas. */
export async function startTry(
  site: EngineSite,
  benches: readonly EngineBench[],
  { answers = {}, ...request }: TryRequest,
): Promise<Try> {
  const correlationId = newCorrelation()
  const latch = site.script.expect(correlationId, answers)
  const any = () => {
    const bench = benches[Math.floor(Math.random() * benches.length)]
    if (bench === undefined) throw new Error('there is no replica')
    return bench
  }
  const start = { type: 'custom', requirement: 'Build it.', ...request } as const
  const { resource } = await any().service.start(start, { ...caller, correlationId })
  return { id: resource.id, ref: { kind: 'workflow', id: resource.id }, correlationId, latch, site, any }
}

/** The request of one contender, whose events can be told from all others. */
export function callerOf({ correlationId }: Try, side: string): Caller {
  return { ...caller, correlationId: `${correlationId}-${side}` }
}

/** Opens what is held and approves what waits until it has ended; its status then, or `gone`. */
export async function finish(one: Try): Promise<string> {
  one.latch.open()
  const giveUp = AbortSignal.timeout(patienceMs)
  for (;;) {
    const state = await one.site.storage().store.load(one.id)
    if (state === null) return 'gone'
    if (hasEnded(state.status)) return state.status
    if (giveUp.aborted) throw new Error(`${one.id} does not come to its end: ${describe(state)}`)
    const open = state.steps.filter(({ status }) => status === 'waiting')
    for (const { definition } of open) await approveSomehow(one, definition.id)
    if (open.length === 0) await untilItRests(one, state.seq)
  }
}

/** Something has happened to it that may be all; a change whose author died is told of by nobody. */
async function untilItRests({ id, site }: Try, seq: number): Promise<void> {
  const rests = (event: LifecycleEvent) => event.seq > seq && restingTypes.has(event.type)
  await site.watch.until(id, rests, lookAgainMs)
}

async function approveSomehow(one: Try, step: string): Promise<void> {
  await one
    .any()
    .service.approve({ id: one.id, step }, {}, callerOf(one, 'finish'))
    .catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    })
}

function describe({ status, active, activation, claim, seq, steps }: WorkflowState): string {
  const each = steps.map((step) => `${step.definition.id} ${step.status}@${step.attempt}`)
  return JSON.stringify({ status, active, activation, claim, seq, each })
}

/** Every stored event of a workflow. */
export async function storedEvents({ id, site }: Pick<Try, 'id' | 'site'>): Promise<readonly LifecycleEvent[]> {
  const page = await site.storage().store.eventsAfter(id, 0, 1000)
  if (page === null) throw new Error(`${id} is gone`)
  return page.events
}

/** Of an ended workflow: its log is lawful, and what is stored is what the log says; every event. */
export async function expectWhole(one: Try): Promise<readonly LifecycleEvent[]> {
  await expectRead(one)
  return expectStored(one)
}

/** What a client reads of an ended workflow is lawful. */
export async function expectRead(one: Try): Promise<void> {
  expectLawful((await one.any().toEnd(one.id)).events)
}

/** What is stored of an ended workflow is what its log tells a stranger; the whole log. */
export async function expectStored(one: Try): Promise<readonly LifecycleEvent[]> {
  const state = await one.site.storage().store.load(one.id)
  if (state === null) throw new Error(`${one.id} is gone`)
  const events = await storedEvents(one)
  const ledger = new EventLedger(state, { maxRevisions: 3 })
  const known = new Map<string, unknown>()
  for (const event of events) ledger.read(withKnownError(event, known))
  ledger.settle()
  const told = [...ledger.steps.values()].map(({ status, attempt, kept }) => ({ status, attempt, kept }))
  const stored = state.steps.map(({ status, attempt, keptAttempt }) => ({ status, attempt, kept: keptAttempt }))
  expect({ ...pick(state), steps: stored }, 'stored, and as the log tells').toEqual({
    ...pick(ledger),
    active: false,
    steps: told,
  })
  return events
}

function pick({ status, seq, runningMs, ...rest }: Pick<WorkflowState, 'status' | 'seq' | 'runningMs'>) {
  return { status, seq, runningMs, active: 'active' in rest && rest.active === true }
}

/** The error of the end is that of its step: the same one. */
function withKnownError(event: LifecycleEvent, known: Map<string, unknown>): LifecycleEvent {
  const { error } = event.data
  if (error === undefined) return event
  const text = JSON.stringify(error)
  const same = known.get(text) ?? error
  known.set(text, same)
  return { ...event, data: { ...event.data, error: same } }
}
