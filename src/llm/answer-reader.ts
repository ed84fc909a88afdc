import type { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { FailureContext } from './failures.ts'
import type { ModelEvent } from './model.ts'

/** Turns the bytes of a body into events, and its answer's facts into `answer`. */
export interface AnswerReader {
  /** Events of the next piece. What is wrong with it is in `fault` afterwards. */
  push(bytes: Uint8Array): readonly ModelEvent[]
  /** The body has ended: what was still incomplete. */
  finish(): readonly ModelEvent[]
  /** Nothing of interest can follow. */
  readonly done: boolean
  /** What ends the call, after the events before it. */
  readonly fault: AppError | null
}

/** A reader for one wire form. */
export type CreateAnswerReader = (answer: Answer, failures: FailureContext) => AnswerReader
