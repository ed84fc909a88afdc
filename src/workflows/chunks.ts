import type { Claim } from './workflow.ts'

/** The text of one attempt, wherever it is made. */
export interface TextPlace {
  readonly workflowId: string
  readonly stepIndex: number
  readonly attempt: number
}

/** How much of a text there is, in UTF-16 code units. */
export interface TextLength extends TextPlace {
  readonly length: number
}

/** A piece of a text. It never begins or ends within a character. */
export interface Chunk extends TextPlace {
  /** Offset of its first code unit. */
  readonly from: number
  readonly text: string
}

/** A piece that its runner has made. */
export interface NewChunk extends Chunk {
  /** The right by which its workflow is run. */
  readonly claim: Claim
}

export interface ChunkPage {
  /** Those of one text in the order of their offsets. */
  readonly chunks: readonly Chunk[]
  /** Texts of which nothing comes any more: their attempts are closed, or not there. */
  readonly closed: readonly TextPlace[]
  /** There are more chunks than one page holds: ask again from where this one ends. */
  readonly more: boolean
}

/**
 * Carries open texts from the replica that makes them to readers on others. All of it may be lost at any time, and then
 * begins anew: what is kept of a text is stored with the event that keeps it. Throws `unavailable` as the store does.
 */
export interface ChunkStore {
  /** There are readers of these workflows on a replica that does not run them, now. Each id once. */
  announce(workflowIds: readonly string[]): Promise<void>
  /** Those of these workflows that were announced within the last `withinMs`. */
  announced(workflowIds: readonly string[], withinMs: number): Promise<readonly string[]>
  /**
   * Appends to texts, of each text at most one chunk. One that does not begin where its text ends is not written. Gives
   * the length that each text then has; of those whose claim is gone, or whose attempt is closed, nothing.
   */
  append(chunks: readonly NewChunk[]): Promise<readonly TextLength[]>
  /** What there is of these texts beyond the lengths given. */
  read(texts: readonly TextLength[]): Promise<ChunkPage>
  /** Deletes chunks of closed attempts and old announcements. */
  sweep(): Promise<void>
}

/** One name for one text. */
export function textKey({ workflowId, stepIndex, attempt }: TextPlace): string {
  return `${workflowId}.${stepIndex}.${attempt}`
}
