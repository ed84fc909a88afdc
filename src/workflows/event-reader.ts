import { AppError } from '../errors.ts'
import { decodeCursor } from './cursor.ts'
import type { OpenText, Position } from './cursor.ts'
import type { Follower, Followers } from './followers.ts'
import type { LiveTexts } from './live-texts.ts'
import type { Clock } from './queue.ts'
import type { EventBatch, EventReader, Frame } from './service.ts'
import { createReaderFrames } from './reader-frames.ts'
import type { ReaderFrames } from './reader-frames.ts'
import { createReaderStand } from './reader-stand.ts'
import type { ReaderStand } from './reader-stand.ts'
import type { Move, MoveSharer, SharedMoves } from './shared-moves.ts'
import type { EventPage, WorkflowStore } from './store.ts'
import { createStoredLog } from './stored-log.ts'
import type { StoredLog } from './stored-log.ts'
import { createWireTimes } from './wire.ts'
import type { WireTimes } from './wire.ts'
import { hasEnded } from './workflow.ts'
import type { WorkflowState } from './workflow.ts'

export interface EventReaderParts {
  readonly store: WorkflowStore
  readonly live: LiveTexts
  readonly followers: Followers
  /** Without it readers share nothing. */
  readonly sharedMoves?: SharedMoves
  readonly clock: Clock
  /** Without it each reader has its own. */
  readonly times?: WireTimes
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
      // of a workflow that was deleted in between, nothing was open anywhere
      if ((await store.load(workflow.id)) === null) throw new AppError('not-found', 'It was deleted.')
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
  const { id } = workflow
  const follower = parts.followers.follow(id)
  const log = createStoredLog(parts.store, follower, id)
  const sharer = parts.sharedMoves?.join(id)
  const stand = createReaderStand(id, start)
  const place = createReaderFrames({ ...parts, times: parts.times ?? createWireTimes(), log, stand }, workflow)
  const walk = createWalk({ follower, log, stand, place })
  let version = follower.version()
  let closed = false

  const share = (sharing: MoveSharer, limit: number): EventBatch | Promise<EventBatch> => {
    const fresh = walk.isFresh()
    const asked = { key: stand.now().key, version, knownSeq: follower.knownSeq(), limit, fresh }
    const move = sharing.move(asked, () => walk.move(limit))
    if (!(move instanceof Promise)) return walk.take(move)
    return move.then((made) => {
      const batch = walk.take(made)
      // "Nothing more will come" is final: since somebody else began to look the end may have been undone elsewhere.
      const isOfBefore = fresh && batch.shared === true && batch.done && batch.frames.length === 0
      return isOfBefore ? walk.go(limit) : batch
    })
  }

  return {
    get cursor() {
      return stand.now().cursor
    },
    read(limit) {
      version = follower.version()
      return sharer === undefined || sharer.isAlone() ? walk.go(limit) : share(sharer, limit)
    },
    changed: (signal) => follower.changed(version, signal),
    onChange(run) {
      const stop = follower.onChange(run)
      if (follower.version() !== version) run()
      return stop
    },
    close() {
      if (!closed) sharer?.leave()
      closed = true
      follower.close()
    },
  }
}

interface WalkParts {
  readonly follower: Follower
  readonly log: StoredLog
  readonly stand: ReaderStand
  readonly place: ReaderFrames
}

/** One reader's way through the events. */
function createWalk({ follower, log, stand, place }: WalkParts) {
  let known: Move['known'] = null

  const grow = (frames: Frame[], limit: number): EventBatch => {
    const isUpToDate = stand.seq === known?.seq
    if (isUpToDate && frames.length < limit) frames.push(...place.grow(limit - frames.length))
    return { frames, done: isUpToDate && known !== null && hasEnded(known.status), gone: false }
  }
  const go = (limit: number): EventBatch | Promise<EventBatch> => {
    stand.begin()
    if (known !== null && known.seq <= stand.seq && follower.knownSeq() <= known.seq) return grow([], limit)
    return passPage(log, { stand, place }, limit).then(({ frames, page, rest }) => {
      if (page !== null) {
        known = { status: page.status, seq: page.seq }
        relearn(follower, page.seq)
      }
      return rest === null ? grow(frames, limit) : { frames, done: false, gone: rest === 'gone' }
    })
  }
  const moveWith = (batch: EventBatch): Move => ({ batch, to: stand.now(), known })

  return {
    /** It has not looked yet. */
    isFresh: () => known === null,
    /** Goes on by itself; at once where everything stored is known. */
    go,
    /** The same, as others can take it. */
    move(limit: number): Move | Promise<Move> {
      const gone = go(limit)
      return gone instanceof Promise ? gone.then(moveWith) : moveWith(gone)
    },
    take(move: Move): EventBatch {
      stand.take(move.to)
      known = move.known
      return move.batch
    },
  }
}

/** Frames of the stored events beyond the place, and why there is no more to say now, if so. */
async function passPage(
  log: StoredLog,
  { stand, place }: { readonly stand: ReaderStand; readonly place: ReaderFrames },
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

function relearn(follower: Follower, seq: number): void {
  if (follower.knownSeq() !== Number.MAX_SAFE_INTEGER) follower.learn(seq)
}
