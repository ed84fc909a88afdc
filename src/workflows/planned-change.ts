import type { Decision } from './draft.ts'
import type { Change, Guard } from './store.ts'
import type { Happening } from './transitions.ts'

/** What is written beside the state itself. */
export type Writes = Partial<
  Pick<Change, 'outputs' | 'edits' | 'artifacts' | 'answers' | 'calls' | 'settled' | 'requestedOptions' | 'binding'>
>

/** A happening, with the texts, files and calls that belong to it. */
export interface PlannedChange extends Writes {
  readonly happening: Happening
}

const nothingBeside = {
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
export function toChange(
  decision: Decision,
  { outputs, edits, artifacts, answers, calls, settled, requestedOptions, binding }: Writes,
  by: { seen: number; guard: Guard },
): Change {
  const given = { outputs, edits, artifacts, answers, calls, settled, requestedOptions, binding }
  const writes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
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

/** All that a runner's changes write. What only verbs write is not among it. */
export function joinWrites(writes: readonly Writes[]): Writes {
  return {
    outputs: writes.flatMap(({ outputs = [] }) => outputs),
    artifacts: writes.flatMap(({ artifacts = [] }) => artifacts),
    calls: writes.flatMap(({ calls = [] }) => calls),
    settled: writes.flatMap(({ settled = [] }) => settled),
  }
}
