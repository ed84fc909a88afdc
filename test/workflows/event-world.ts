import fc from 'fast-check'

import { createFollowers } from '../../src/workflows/followers.ts'
import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import { keepsAttempt, voidsAttempt } from '../../src/workflows/events.ts'
import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import type { WorkflowStatus } from '../../src/workflows/workflow.ts'
import { event, moment, state, step } from '../contract/fixtures.ts'

/** How one attempt of a step goes. */
export interface AttemptPlan {
  readonly pieces: readonly string[]
  readonly end: 'step.completed' | 'step.incomplete' | 'step.retrying' | 'step.failed'
}

const nasty = ['😀', '👩‍👩‍👧', '\r\n', 'data: x\n\n', 'id: 7\n', '\u2028', '"', '```', '\u{1F600}'.repeat(5)]
const piece = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), fc.constantFrom(...nasty))
const attemptPlan: fc.Arbitrary<AttemptPlan> = fc.record({
  pieces: fc.array(piece, { maxLength: 6 }),
  end: fc.constantFrom<AttemptPlan['end']>('step.completed', 'step.incomplete', 'step.retrying', 'step.failed'),
})

/** Attempts of two steps that run side by side. */
export const lanePlans = fc.tuple(
  fc.array(attemptPlan, { minLength: 1, maxLength: 4 }),
  fc.array(attemptPlan, { minLength: 1, maxLength: 4 }),
)

/** A workflow that goes on in small steps, each as the service makes it visible: stored, told, or held in memory. */
export interface EventWorld {
  readonly parts: EventReaderParts
  readonly workflow: ReturnType<typeof state>
  /** Lets the next thing happen on one of the lanes; false when nothing is left. */
  happen(lane: number): boolean
  /** Called before and after each look into the store. */
  onLook: () => void
  readonly log: readonly LifecycleEvent[]
  readonly outputs: ReadonlyMap<string, string>
}

type Happening = () => void

/** Builds a world in which nothing has happened yet. */
export function createEventWorld(plans: readonly (readonly AttemptPlan[])[]): EventWorld {
  const log: LifecycleEvent[] = []
  const outputs = new Map<string, string>()
  const live = createLiveTexts()
  const followers = createFollowers()
  const workflow = state({ seq: 0, steps: plans.map((_plan, index) => step(index)) })
  let status: WorkflowStatus = 'running'

  const store = (type: LifecycleType, place: Partial<LifecycleEvent> = {}) => {
    log.push(event(log.length + 1, type, place))
  }
  const tell = () => followers.advance(workflow.id, log.length)

  const attemptOf = (index: number, attempt: number, { pieces, end }: AttemptPlan): Happening[] => {
    const place = { step: `step-${index}`, attempt }
    const text = () => live.find(workflow.id, index, attempt)?.output
    const close: Happening = () => live.close(workflow.id, index)
    const keep: Happening = () => {
      outputs.set(`${index}@${attempt}`, pieces.join(''))
      store(end, place)
    }
    const speak = (said: string): Happening => {
      return () => {
        text()?.append(said)
        followers.grew(workflow.id)
      }
    }
    return [
      () => store('step.started', place),
      tell,
      () => void live.open(workflow.id, index, attempt),
      ...pieces.map(speak),
      ...(end === 'step.completed' || end === 'step.incomplete'
        ? [keep, tell, close]
        : [close, () => store(end, place), tell]),
    ]
  }
  const lanes = plans.map((plan, index) => plan.flatMap((attempt, at) => attemptOf(index, at + 1, attempt)))
  const end: Happening[] = [
    () => {
      status = 'completed'
      store('workflow.completed')
    },
    tell,
  ]
  store('workflow.queued')

  const world: EventWorld = {
    workflow,
    log,
    outputs,
    onLook: () => undefined,
    happen(lane) {
      const open = lanes.filter((left) => left.length > 0)
      const next = open.length > 0 ? open[lane % open.length]?.shift() : end.shift()
      next?.()
      return next !== undefined
    },
    parts: { live, followers, clock: { now: () => moment }, store: createFakeStore() },
  }
  return world

  function look<T>(see: () => T): Promise<T> {
    world.onLook()
    const seen = see()
    return Promise.resolve().then(() => {
      world.onLook()
      return seen
    })
  }

  function createFakeStore(): EventReaderParts['store'] {
    const methods: Partial<EventReaderParts['store']> = {
      load: () => look(() => ({ ...workflow, status, seq: log.length })),
      eventsAfter: (_id, seq, limit) => look(() => ({ status, seq: log.length, events: log.slice(seq, seq + limit) })),
      output: (_id, index, attempt) => look(() => outputs.get(`${index}@${attempt}`) ?? null),
      attemptsOpenAt: (_id, seq) => look(() => openAttempts(log.slice(0, seq))),
    }
    return methods as EventReaderParts['store']
  }
}

function openAttempts(log: readonly LifecycleEvent[]) {
  const open = new Map<string, { stepIndex: number; step: string; attempt: number }>()
  for (const { type, step: stepId, attempt } of log) {
    if (stepId === null || attempt === null) continue
    if (type === 'step.started') open.set(stepId, { stepIndex: Number(stepId.slice(5)), step: stepId, attempt })
    if (keepsAttempt(type) || voidsAttempt(type)) open.delete(stepId)
  }
  return [...open.values()]
}
