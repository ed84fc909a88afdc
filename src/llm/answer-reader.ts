import type { AppError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { FailureContext } from './failures.ts'

/** Turns the bytes of a body into facts of its answer. */
export interface AnswerReader {
  /** Takes the next piece. What is wrong with it is in `fault` afterwards. */
  push(bytes: Uint8Array): void
  /** The body has ended: takes what was still incomplete. */
  finish(): void
  /** Nothing of interest can follow. */
  readonly done: boolean
  /** What ends the call, after the events before it. */
  readonly fault: AppError | null
}

/** A reader for one wire form. */
export type CreateAnswerReader = (answer: Answer, failures: FailureContext) => AnswerReader
