import { AppError } from '../errors.ts'
import { decodeCursor } from './cursor.ts'
import type { OpenText, Position } from './cursor.ts'
import { keepsAttempt, voidsAttempt } from './events.ts'
import type { LifecycleEvent } from './events.ts'
import type { Follower, Followers } from './followers.ts'
import type { LiveAttempt, LiveTexts } from './live-texts.ts'
import type { Clock } from './queue.ts'
import type { EventBatch, EventReader, Frame } from './service.ts'
import { createReaderStand, thoughtKey } from './reader-stand.ts'
import type { ReaderStand } from './reader-stand.ts'
import type { Move, SharedMoves } from './shared-moves.ts'
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
  /** Without it readers share nothing. */
  readonly sharedMoves?: SharedMoves
  readonly clock: Clock
}

/** Opens a reader of a workflow's events at a cursor. Throws as `positionAt` does. */
export async function openEventReader(
  parts: EventReaderParts,
  workflow: WorkflowState,
  cursor: string | null,
): Promise<EventReader> {
  return createEventReader(parts, workflow, await positionAt(parts, workflow, cursor))
}

/**
 * Where a cursor stands in a workflow's events (null: at the beginning).
 * Throws `invalid-cursor` for a position that the log does not have.
 */
export async function positionAt(
  parts: EventReaderParts,
  workflow: WorkflowState,
  cursor: string | null,
): Promise<Position> {
  if (cursor === null) return { seq: 0, open: [] }
  return checkPosition(parts, workflow, decodeCursor(workflow.id, cursor))
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
 * Readers at the same place share what it gives.
 */
export function createEventReader(parts: EventReaderParts, workflow: WorkflowState, start: Position): EventReader {
  const follower = parts.followers.follow(workflow.id)
  const log = createStoredLog(parts.store, follower, workflow.id)
  const sharer = parts.sharedMoves?.join(workflow.id)
  const stand = createReaderStand(workflow.id, start)
  const place = createPlace({ ...parts, log }, workflow, stand)
  let version = follower.version()
  let known: Move['known'] = null
  let closed = false

  const moveWith = (batch: EventBatch): Move => ({ batch, to: stand.now(), known })
  const grow = (frames: Frame[], limit: number): Move => {
    const isUpToDate = stand.seq === known?.seq
    if (isUpToDate && frames.length < limit) frames.push(...place.grow(limit - frames.length))
    return moveWith({ frames, done: isUpToDate && known !== null && hasEnded(known.status), gone: false })
  }
  const make = (limit: number): Move | Promise<Move> => {
    stand.begin()
    if (known !== null && known.seq <= stand.seq && follower.knownSeq() <= known.seq) return grow([], limit)
    return passPage(log, { stand, place }, limit).then(({ frames, page, rest }) => {
      if (page !== null) {
        known = { status: page.status, seq: page.seq }
        relearn(follower, page.seq)
      }
      return rest === null ? grow(frames, limit) : moveWith({ frames, done: false, gone: rest === 'gone' })
    })
  }
  const take = (move: Move): EventBatch => {
    stand.take(move.to)
    known = move.known
    return move.batch
  }

  return {
    get cursor() {
      return stand.now().cursor
    },
    read(limit) {
      version = follower.version()
      const fresh = known === null
      const asked = { key: stand.now().key, moment: `${fresh}.${version}.${follower.knownSeq()}.${limit}`, fresh }
      const move = sharer === undefined ? make(limit) : sharer.move(asked, () => make(limit))
      if (!(move instanceof Promise)) return take(move)
      return move.then((made) => {
        const batch = take(made)
        // "Nothing more will come" is final: since somebody else began to look the end may have been undone elsewhere.
        const isOfBefore = fresh && batch.shared === true && batch.done && batch.frames.length === 0
        return isOfBefore ? Promise.resolve(make(limit)).then(take) : batch
      })
    },
    changed: (signal) => follower.changed(version, signal),
    close() {
      if (!closed) sharer?.leave()
      closed = true
      follower.close()
    },
  }
}

/** Frames of the stored events beyond the place, and why there is no more to say now, if so. */
async function passPage(
  log: StoredLog,
  { stand, place }: { readonly stand: ReaderStand; readonly place: Place },
  limit: number,
): Promise<{ readonly frames: Frame[]; readonly page: EventPage | null; readonly rest: 'gone' | 'later' | null }> {
  const frames: Frame[] = []
  const page = await log.after(stand.seq, limit)
  for (const event of page?.events ?? []) {
    if (frames.length >= limit) break
    const passed = await place.pass(event, limit - frames.length).catch((error: unknown) => {
      // the position has moved past the frames that there are: they go out, and the next look tells the failure
      if (frames.length === 0) throw error
      return 'later' as const
    })
    if (passed === null || passed === 'later') return { frames, page, rest: passed ?? 'gone' }
    frames.push(...passed)
  }
  return { frames, page, rest: page === null ? 'gone' : null }
}

type Place = ReturnType<typeof createPlace>

function relearn(follower: Follower, seq: number): void {
  if (follower.knownSeq() !== Number.MAX_SAFE_INTEGER) follower.learn(seq)
}

type PlaceParts = Pick<EventReaderParts, 'live' | 'clock'> & { readonly log: StoredLog }

/** The position itself, and the frames that moving it makes. */
function createPlace({ log, live, clock }: PlaceParts, workflow: WorkflowState, stand: ReaderStand) {
  const indexes = new Map(workflow.steps.map((step) => [step.definition.id, step.index]))
  const frame = (type: string, data: Readonly<Record<string, unknown>>): Frame => ({
    id: stand.cursor(),
    type,
    data: JSON.stringify({ type, workflow_id: workflow.id, ...data }),
  })
  const delta = (at: OpenText, text: string, moment: number): Frame => {
    stand.open.set(at.stepIndex, { ...at, offset: at.offset + text.length })
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
    /**
     * Frames of one stored event: before a closing one the rest of its text. Moves on only as far as `room` allows.
     * null: the text is gone, and with it the workflow.
     */
    async pass(event: LifecycleEvent, room: number): Promise<readonly Frame[] | null> {
      const index = event.step === null ? null : (indexes.get(event.step) ?? null)
      const output = await log.closingText(event, index)
      if (output === 'gone') return null
      const frames: Frame[] = []
      const at = index === null ? undefined : stand.open.get(index)
      if (at !== undefined && output !== null && output.text.length > at.offset) {
        frames.push(delta(at, output.text.slice(at.offset), event.at))
        if (room < 2) return frames
      }
      if (index !== null) turn(stand.open, event, index)
      stand.seq = event.seq
      frames.push(frame(event.type, wireEvent(event, output?.shown ?? null)))
      return frames
    },
    /** What the open texts have beyond the position. */
    grow(room: number): readonly Frame[] {
      const frames: Frame[] = []
      for (const at of [...stand.open.values()].slice(0, room)) {
        const attempt = live.find(workflow.id, at.stepIndex, at.attempt)
        if (attempt === null) continue
        const thought = nextThought(stand.thoughts, at, attempt)
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
function nextThought(thoughts: Map<string, number>, at: OpenText, { output, reasoning }: LiveAttempt): string {
  const key = thoughtKey(at)
  // Before the first text nobody has missed anything that matters: thinking comes first.
  const offset = thoughts.get(key) ?? (output.length === 0 ? 0 : reasoning.length)
  thoughts.set(key, reasoning.length)
  return reasoning.from(offset)
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
