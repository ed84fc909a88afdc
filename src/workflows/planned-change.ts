import type { Decision } from './draft.ts'
import type { Change, Guard } from './store.ts'
import type { Happening } from './transitions.ts'

/** What is written beside the state itself. */
export type Writes = Partial<
  Pick<Change, 'outputs' | 'edits' | 'artifacts' | 'answers' | 'calls' | 'settled' | 'requestedOptions' | 'binding'>
>

/** What a runner's change may write; the rest is for verbs. */
export type RunnerWrites = Pick<Writes, 'outputs' | 'artifacts' | 'calls' | 'settled'>

/** What a runner plans. */
export interface RunnerChange extends RunnerWrites {
  readonly happening: Happening
}

/** A happening, with the texts, files and calls that belong to it. */
export interface PlannedChange extends Writes {
  readonly happening: Happening
}

/** A change that writes the state and its events only. */
export const nothingBeside = {
  outputs: [],
  edits: [],
  artifacts: [],
  answers: [],
  calls: [],
  settled: [],
  requestedOptions: null,
  binding: null,
} as const

/** What storage is to write for a decision. */
export function toChange(decision: Decision, writes: Writes, by: { seen: number; guard: Guard }): Change {
  return { ...nothingBeside, ...writes, ...decision, ...by }
}

/** What decisions are together, each of which was made on the state that the one before left. At least one. */
export function joinDecisions(decisions: readonly Decision[]): Decision {
  const [only] = decisions
  const last = decisions.at(-1)
  if (only === undefined || last === undefined) throw new Error('there is no decision to join')
  if (only === last) return only
  return {
    state: last.state,
    events: decisions.flatMap(({ events }) => events),
    changedSteps: [...new Set(decisions.flatMap(({ changedSteps }) => changedSteps))],
    attempts: decisions.flatMap(({ attempts }) => attempts),
    completeJob: decisions.find(({ completeJob }) => completeJob !== null)?.completeJob ?? null,
    sendJob: decisions.some(({ sendJob }) => sendJob),
  }
}

/** All that changes of a runner write. */
export function joinWrites(writes: readonly RunnerWrites[]): RunnerWrites {
  return {
    outputs: writes.flatMap(({ outputs = [] }) => outputs),
    artifacts: writes.flatMap(({ artifacts = [] }) => artifacts),
    calls: writes.flatMap(({ calls = [] }) => calls),
    settled: writes.flatMap(({ settled = [] }) => settled),
  }
}
