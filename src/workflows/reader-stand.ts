import { encodeCursor } from './cursor.ts'
import type { OpenText, Position } from './cursor.ts'

/** Where a reader stands, and everything that the frames from there on depend on. Never changed, hence shared. */
export interface ReaderPlace {
  readonly seq: number
  readonly open: ReadonlyMap<number, OpenText>
  /** How much of each open attempt's reasoning has been seen, by step and attempt; none of attempts that are closed. */
  readonly thoughts: ReadonlyMap<string, number>
  readonly cursor: string
  /** The same for two readers exactly when they have the same place. */
  readonly key: string
}

/** The place of one reader while it moves. */
export interface ReaderStand {
  seq: number
  /** Attempts that are open there, by step. To be changed only after `begin`. */
  open: Map<number, OpenText>
  thoughts: Map<string, number>
  cursor(): string
  /** The place reached: the same object until the next `begin`. */
  now(): ReaderPlace
  take(place: ReaderPlace): void
  /** Has to be called before anything moves: what others may stand on is left as it is, and copied if there is any. */
  begin(): void
}

/** Names an attempt among those of a workflow. */
export function thoughtKey({ stepIndex, attempt }: OpenText): string {
  return `${stepIndex}.${attempt}`
}

/** A stand at a position, from where no reasoning has been seen. */
export function createReaderStand(workflowId: string, start: Position): ReaderStand {
  let taken: ReaderPlace | null = null
  const stand: ReaderStand = {
    seq: start.seq,
    open: new Map(start.open.map((text) => [text.stepIndex, text])),
    thoughts: new Map(),
    cursor: () => encodeCursor(workflowId, { seq: stand.seq, open: [...stand.open.values()] }),
    now() {
      if (taken !== null) return taken
      const { seq, open, thoughts } = stand
      const cursor = stand.cursor()
      taken = { seq, open, thoughts, cursor, key: `${cursor} ${[...thoughts].join(' ')}` }
      return taken
    },
    take(place) {
      taken = place
      stand.seq = place.seq
      stand.open = place.open as typeof stand.open
      stand.thoughts = place.thoughts as typeof stand.thoughts
    },
    begin() {
      if (taken === null) return
      taken = null
      stand.open = new Map(stand.open)
      stand.thoughts = new Map(stand.thoughts)
    },
  }
  return stand
}
