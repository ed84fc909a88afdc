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
  /** `lost`: another replica closes it, and the one that makes it goes on for a while. */
  readonly end: SimpleEnd | 'rejected' | 'approved' | 'lost'
}

type SimpleEnd = 'step.completed' | 'step.incomplete' | 'step.retrying' | 'step.failed'

const nasty = ['😀', '👩‍👩‍👧', '\r\n', 'data: x\n\n', 'id: 7\n', '\u2028', '"', '```', '\u{1F600}'.repeat(5)]
const piece = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), fc.constantFrom(...nasty))
const simpleEnds: readonly SimpleEnd[] = ['step.completed', 'step.incomplete', 'step.retrying', 'step.failed']

/** Attempts of two steps that run side by side. */
export type LanePlans = readonly [readonly AttemptPlan[], readonly AttemptPlan[]]

function lanesOf(ends: readonly AttemptPlan['end'][]): fc.Arbitrary<LanePlans> {
  const attempt = fc.record({ pieces: fc.array(piece, { maxLength: 6 }), end: fc.constantFrom(...ends) })
  const lane = fc.array(attempt, { minLength: 1, maxLength: 4 })
  return fc.tuple(lane, lane)
}

export const lanePlans = lanesOf(simpleEnds)

/** The same with everything that people and other replicas do to them; each after the first begins with a resume. */
export const revivedPlans = fc.array(lanesOf([...simpleEnds, 'rejected', 'approved', 'lost']), {
  minLength: 1,
  maxLength: 2,
})

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

/** Builds a world in which nothing has happened yet; `later`: what happens after each resume. */
export function createEventWorld(plans: LanePlans, later: readonly LanePlans[] = []): EventWorld {
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
    const keep = (type: LifecycleType): Happening => {
      return () => {
        outputs.set(`${index}@${attempt}`, pieces.join(''))
        store(type, place)
      }
    }
    const write = (type: LifecycleType): Happening[] => [() => store(type, place), tell]
    const speak = (said: string): Happening => {
      return () => {
        text()?.append(said)
        followers.grew(workflow.id)
      }
    }
    const endings: Readonly<Record<AttemptPlan['end'], readonly Happening[]>> = {
      'step.completed': [keep('step.completed'), tell, close],
      'step.incomplete': [keep('step.incomplete'), tell, close],
      'step.retrying': [close, ...write('step.retrying')],
      'step.failed': [close, ...write('step.failed')],
      rejected: [keep('step.waiting'), tell, close, ...write('step.rejected')],
      approved: [keep('step.waiting'), tell, close, ...write('step.approved'), ...write('step.completed')],
      lost: [...write('step.retrying'), speak('too late '), speak('for this'), close],
    }
    return [
      ...write('step.started'),
      () => void live.open(workflow.id, index, attempt),
      ...pieces.map(speak),
      ...endings[end],
    ]
  }
  const become = (next: WorkflowStatus, type: LifecycleType): Happening[] => [
    () => {
      status = next
      store(type)
    },
    tell,
  ]
  const made = plans.map(() => 0)
  const lanesFor = (chapter: LanePlans) =>
    chapter.map((plan, index) =>
      plan.flatMap((attempt) => attemptOf(index, (made[index] = (made[index] ?? 0) + 1), attempt)),
    )
  const chapters = [plans, ...later].map(lanesFor)
  const between: Happening[][] = chapters.map((_lanes, index) => [
    ...become('completed', 'workflow.completed'),
    ...(index === chapters.length - 1 ? [] : become('running', 'workflow.resumed')),
  ])
  /** What can happen next, on one of the lanes or, when they are at their end, to all. */
  const nextOf = (lane: number): Happening | undefined => {
    for (const [index, lanes] of chapters.entries()) {
      const open = lanes.filter((left) => left.length > 0)
      if (open.length > 0) return open[lane % open.length]?.shift()
      const after = between[index]?.shift()
      if (after !== undefined) return after
    }
    return undefined
  }
  store('workflow.queued')

  const world: EventWorld = {
    workflow,
    log,
    outputs,
    onLook: () => undefined,
    happen(lane) {
      const next = nextOf(lane)
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

/** Attempts that are open at the end of a log. */
export function openAttempts(log: readonly LifecycleEvent[]) {
  const open = new Map<string, { stepIndex: number; step: string; attempt: number }>()
  for (const { type, step: stepId, attempt } of log) {
    if (stepId === null || attempt === null) continue
    if (type === 'step.started') open.set(stepId, { stepIndex: Number(stepId.slice(5)), step: stepId, attempt })
    if (keepsAttempt(type) || voidsAttempt(type)) open.delete(stepId)
  }
  return [...open.values()]
}
