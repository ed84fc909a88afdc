import type { EventJournal } from '../smoke/event-journal.ts'
import type { LogLine } from '../support/service-process.ts'
import type { JournalledCall } from './faulty-model.ts'
import type { Reader } from './reader.ts'
import type { SeenEvent, TrackedWorkflow } from './tracked-workflow.ts'

/** A workflow of the service, as far as it is looked at here. */
export interface SeenWorkflow {
  readonly id: string
  readonly status: string
  readonly usage: { readonly llm_calls: number }
  readonly steps: readonly { readonly id: string; readonly status: string; readonly output: string | null }[]
}

/** A step with its attempts. */
export interface SeenStep {
  readonly id: string
  readonly attempts: readonly { readonly attempt: number; readonly status: string; readonly output: string | null }[]
}

/** All that one workflow has left behind. */
export interface WorkflowEvidence {
  readonly tracked: TrackedWorkflow
  readonly workflow: SeenWorkflow
  readonly steps: readonly SeenStep[]
  /** Its events, as one who comes in the end is told of them. */
  readonly log: EventJournal
  readonly readers: readonly Reader[]
  /** Calls that the model had for it, in order. */
  readonly calls: readonly JournalledCall[]
  /** Something was killed, cut or refused while it was under way. */
  readonly disturbed: boolean
}

/** Counts of what is stored. */
export interface Leftovers {
  readonly liveJobs: number
  readonly active: number
  readonly workflows: number
  readonly openAttempts: number
}

/** All that a run has left behind. */
export interface Evidence {
  readonly workflows: readonly WorkflowEvidence[]
  /** Workflows that did not come to an end. */
  readonly unended: readonly string[]
  readonly left: Leftovers
  /** What should not have been answered, or was not asked for, noted on the way. */
  readonly faults: readonly string[]
  /** What all processes have logged. */
  readonly log: readonly LogLine[]
}

/** Lifecycle events of a journal. */
export function eventsOf(journal: EventJournal): readonly SeenEvent[] {
  return journal.lifecycle()
}
