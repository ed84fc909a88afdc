import { AppError } from '../errors.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { OpenText, Position } from './cursor.ts'
import { keepsAttempt, voidsAttempt } from './events.ts'
import type { LifecycleEvent } from './events.ts'
import type { Follower, Followers } from './followers.ts'
import type { LiveAttempt, LiveTexts } from './live-texts.ts'
import type { Clock } from './queue.ts'
import type { EventReader, Frame } from './service.ts'
import type { EventPage, WorkflowStore } from './store.ts'
import { createStoredLog } from './stored-log.ts'
import type { StoredLog } from './stored-log.ts'
import { wireTime } from './wire.ts'
import { hasEnded } from './workflow.ts'
import type { WorkflowState } from './workflow.ts'

export interface EventReaderParts {
  readonly store: WorkflowStore
  readonly live: LiveTexts
  readonly followers: Followers
  readonly clock: Clock
}

/**
 * Opens a reader of a workflow's events at a cursor (null: at the beginning).
 * Throws `invalid-cursor` for a position that the log does not have.
 */
export async function openEventReader(
  parts: EventReaderParts,
  workflow: WorkflowState,
  cursor: string | null,
): Promise<EventReader> {
  const position =
    cursor === null ? { seq: 0, open: [] } : await checkPosition(parts, workflow, decodeCursor(workflow.id, cursor))
  return createReader(parts, workflow, position)
}

/** A cursor is good when its number is in the log and its texts are those that were open there. */
async function checkPosition(parts: EventReaderParts, workflow: WorkflowState, claimed: Position): Promise<Position> {
  const { store } = parts
  if (claimed.seq > workflow.seq) throw new AppError('invalid-cursor', 'This cursor is beyond the end of the log.')
  const open = await store.attemptsOpenAt(workflow.id, claimed.seq)
  for (const text of claimed.open) {
    if (!open.some(({ stepIndex, attempt }) => stepIndex === text.stepIndex && attempt === text.attempt)) {
      throw new AppError('invalid-cursor', 'This cursor names an attempt that was not open there.')
    }
    if (text.offset > 0) await checkOffset(parts, workflow.id, text)
  }
  const offsetOf = (stepIndex: number) => claimed.open.find((text) => text.stepIndex === stepIndex)?.offset ?? 0
  return {
    seq: claimed.seq,
    open: open.map(({ stepIndex, attempt }) => ({ stepIndex, attempt, offset: offsetOf(stepIndex) })),
  }
}

/** At its second code unit this text would begin with half a character. */
const splitsPair = /^[\uD800-\uDBFF][\uDC00-\uDFFF]/

/** Beyond what an open text has is no error: it may come. */
async function checkOffset({ store, live }: EventReaderParts, id: string, text: OpenText): Promise<void> {
  const { stepIndex, attempt, offset } = text
  const kept = await store.output(id, stepIndex, attempt)
  if (kept !== null && offset > kept.length) {
    throw new AppError('invalid-cursor', 'This cursor is beyond the end of a text.')
  }
  const around = kept?.slice(offset - 1) ?? live.find(id, stepIndex, attempt)?.output.from(offset - 1) ?? ''
  if (splitsPair.test(around)) throw new AppError('invalid-cursor', 'This cursor is in the middle of a character.')
}

/**
 * The one function of (cursor, stored events, texts) that serves every reader. Lifecycle is read before text, and
 * text only of attempts that the reader's own position has open: so no delta can come after its closing event.
 */
function createReader(parts: EventReaderParts, workflow: WorkflowState, start: Position): EventReader {
  const { store, followers } = parts
  const follower = followers.follow(workflow.id)
  const log = createStoredLog(store, follower, workflow.id)
  const place = createPlace({ ...parts, log }, workflow, start)
  let version = follower.version()
  let known: Pick<EventPage, 'status' | 'seq'> | null = null

  return {
    get cursor() {
      return place.cursor()
    },
    async read(limit) {
      version = follower.version()
      const frames: Frame[] = []
      if (known === null || known.seq > place.seq() || follower.knownSeq() > known.seq) {
        const page = await log.after(place.seq(), limit)
        if (page === null) return { frames, done: false, gone: true }
        known = { status: page.status, seq: page.seq }
        relearn(follower, page.seq)
        for (const event of page.events) {
          if (frames.length >= limit) break
          const passed = await place.pass(event, limit - frames.length).catch((error: unknown) => {
            // the position has moved past the frames that there are: they go out, and the next look tells the failure
            if (frames.length === 0) throw error
            return 'later' as const
          })
          if (passed === null || passed === 'later') return { frames, done: false, gone: passed === null }
          frames.push(...passed)
        }
      }
      if (place.seq() === known.seq && frames.length < limit) frames.push(...place.grow(limit - frames.length))
      return { frames, done: hasEnded(known.status) && place.seq() === known.seq, gone: false }
    },
    changed: (signal) => follower.changed(version, signal),
    close: () => follower.close(),
  }
}

function relearn(follower: Follower, seq: number): void {
  if (follower.knownSeq() !== Number.MAX_SAFE_INTEGER) follower.learn(seq)
}

type PlaceParts = Pick<EventReaderParts, 'live' | 'clock'> & { readonly log: StoredLog }

/** The position itself, and the frames that moving it makes. */
function createPlace({ log, live, clock }: PlaceParts, workflow: WorkflowState, start: Position) {
  const indexes = new Map(workflow.steps.map((step) => [step.definition.id, step.index]))
  const open = new Map<number, OpenText>(start.open.map((text) => [text.stepIndex, text]))
  const reasoning = createReasoningPlace()
  let seq = start.seq

  const cursor = () => encodeCursor(workflow.id, { seq, open: [...open.values()] })
  const frame = (type: string, data: Readonly<Record<string, unknown>>): Frame => ({
    id: cursor(),
    type,
    data: JSON.stringify({ type, workflow_id: workflow.id, ...data }),
  })
  const delta = (at: OpenText, text: string, moment: number): Frame => {
    open.set(at.stepIndex, { ...at, offset: at.offset + text.length })
    return frame('step.delta', {
      at: wireTime(moment),
      correlation_id: workflow.correlationId,
      step: workflow.steps[at.stepIndex]?.definition.id,
      attempt: at.attempt,
      offset: at.offset,
      text,
    })
  }

  return {
    cursor,
    seq: () => seq,
    /**
     * Frames of one stored event: before a closing one the rest of its text. Moves on only as far as `room` allows.
     * null: the text is gone, and with it the workflow.
     */
    async pass(event: LifecycleEvent, room: number): Promise<readonly Frame[] | null> {
      const index = event.step === null ? null : (indexes.get(event.step) ?? null)
      const output = await log.closingText(event, index)
      if (output === 'gone') return null
      const frames: Frame[] = []
      const at = index === null ? undefined : open.get(index)
      if (at !== undefined && output !== null && output.text.length > at.offset) {
        frames.push(delta(at, output.text.slice(at.offset), event.at))
        if (room < 2) return frames
      }
      if (index !== null) turn(open, event, index)
      seq = event.seq
      frames.push(frame(event.type, wireEvent(event, output?.shown ?? null)))
      return frames
    },
    /** What the open texts have beyond the position. */
    grow(room: number): readonly Frame[] {
      const frames: Frame[] = []
      for (const at of [...open.values()].slice(0, room)) {
        const attempt = live.find(workflow.id, at.stepIndex, at.attempt)
        if (attempt === null) continue
        const thought = reasoning.next(at, attempt)
        const common = { at: wireTime(clock.now()), correlation_id: workflow.correlationId }
        const step = workflow.steps[at.stepIndex]?.definition.id
        if (thought !== '') {
          const type = 'step.reasoning'
          const data = { type, workflow_id: workflow.id, ...common, step, attempt: at.attempt, text: thought }
          frames.push({ id: null, type, data: JSON.stringify(data) })
        }
        const text = attempt.output.from(at.offset)
        if (text !== '') frames.push(delta(at, text, clock.now()))
      }
      return frames
    },
  }
}

/** Reasoning is live only: a reader gets what is thought from the moment it first looks at an attempt. */
function createReasoningPlace() {
  const offsets = new Map<string, number>()
  return {
    next({ stepIndex, attempt }: OpenText, { output, reasoning }: LiveAttempt): string {
      const key = `${stepIndex}.${attempt}`
      // Before the first text nobody has missed anything that matters: thinking comes first.
      const offset = offsets.get(key) ?? (output.length === 0 ? 0 : reasoning.length)
      offsets.set(key, reasoning.length)
      return reasoning.from(offset)
    },
  }
}

function turn(open: Map<number, OpenText>, event: LifecycleEvent, stepIndex: number): void {
  if (event.type === 'step.started') open.set(stepIndex, { stepIndex, attempt: event.attempt ?? 0, offset: 0 })
  else if (keepsAttempt(event.type) || voidsAttempt(event.type)) open.delete(stepIndex)
}

function wireEvent(event: LifecycleEvent, output: string | null): Readonly<Record<string, unknown>> {
  return {
    seq: event.seq,
    at: wireTime(event.at),
    correlation_id: event.correlationId,
    ...(event.step === null ? {} : { step: event.step, attempt: event.attempt }),
    ...(output === null ? {} : { output }),
    ...event.data,
  }
}
