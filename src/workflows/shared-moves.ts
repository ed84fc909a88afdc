import type { ReaderPlace } from './reader-stand.ts'
import type { EventBatch } from './service.ts'
import type { EventPage } from './store.ts'

/** What a reader gets at a place, and where it then stands. */
export interface Move {
  readonly batch: EventBatch
  readonly to: ReaderPlace
  readonly known: Pick<EventPage, 'status' | 'seq'> | null
}

/** What a reader asks for. */
export interface AskedMove {
  readonly key: string
  /** Everything but the place that the move depends on. */
  readonly version: number
  readonly knownSeq: number
  readonly limit: number
  /** Has to be of now: it is shared only by those who ask while it is being made. */
  readonly fresh: boolean
}

/** One reader's tie to those who read the same workflow. */
export interface MoveSharer {
  /** Nobody else reads the workflow: a move may be made without being told here. */
  isAlone(): boolean
  /** The move from a place, made once for all readers who ask for the same. Rejects as `make` does, to all of them. */
  move(asked: AskedMove, make: () => Move | Promise<Move>): Move | Promise<Move>
  leave(): void
}

/** Lets the readers of a workflow share what they are given. */
export interface SharedMoves {
  join(workflowId: string): MoveSharer
}

/** Readers that keep up are at one place, or two. */
const mostKept = 4
/** In UTF-16 code units; a larger batch is shared only by those who ask while it is being made. */
const mostKeptLength = 64 * 1024

interface Shared {
  readers: number
  /** What the moves were made at. */
  moment: Pick<AskedMove, 'version' | 'knownSeq' | 'limit' | 'fresh'> | null
  readonly moves: Map<string, Move | Promise<Move>>
}

/** Creates the registry. It keeps a few batches for each workflow that several read, until something moves there. */
export function createSharedMoves(): SharedMoves {
  const byWorkflow = new Map<string, Shared>()
  return {
    join(workflowId) {
      const shared = byWorkflow.get(workflowId) ?? {
        readers: 0,
        moment: null,
        moves: new Map<string, Move | Promise<Move>>(),
      }
      byWorkflow.set(workflowId, shared)
      shared.readers += 1
      return {
        isAlone: () => shared.readers === 1,
        move: (asked, make) => findOrMake(shared, asked, make),
        leave() {
          shared.readers -= 1
          if (shared.readers === 0) byWorkflow.delete(workflowId)
        },
      }
    },
  }
}

function isOf({ moment }: Shared, { version, knownSeq, limit, fresh }: AskedMove): boolean {
  return moment?.version === version && moment.knownSeq === knownSeq && moment.limit === limit && moment.fresh === fresh
}

function findOrMake(shared: Shared, asked: AskedMove, make: () => Move | Promise<Move>): Move | Promise<Move> {
  const { moves } = shared
  const { key, fresh } = asked
  if (!isOf(shared, asked)) {
    shared.moment = asked
    moves.clear()
  }
  const found = moves.get(key)
  if (found !== undefined) return found
  const made = make()
  if (!(made instanceof Promise)) return keep(moves, key, markShared(made))
  const making = made.then(markShared)
  moves.set(key, making)
  void making.then(
    (move) => {
      if (moves.get(key) !== making) return undefined
      moves.delete(key)
      return fresh ? undefined : keep(moves, key, move)
    },
    () => moves.get(key) === making && moves.delete(key),
  )
  return making
}

function markShared(move: Move): Move {
  return { ...move, batch: { ...move.batch, shared: true } }
}

function keep(moves: Shared['moves'], key: string, move: Move): Move {
  const length = move.batch.frames.reduce((sum, { data }) => sum + data.length, 0)
  if (length <= mostKeptLength) moves.set(key, move)
  const oldest = moves.keys().next()
  if (moves.size > mostKept && !oldest.done) moves.delete(oldest.value)
  return move
}
