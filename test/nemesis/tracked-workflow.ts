import type { WireEvent } from '../smoke/event-journal.ts'
import type { Assignment } from './assignments.ts'

/** An event as it is read here. */
export interface SeenEvent extends WireEvent {
  readonly status?: string
  readonly from?: string
  readonly edited?: boolean
  /** Key of the request that caused it. */
  readonly correlation_id?: string
}

export type Verb = 'cancel' | 'resume' | 'rerun' | 'approve' | 'reject'

/** A verb and what was answered in the end. */
export interface SentVerb {
  readonly verb: Verb
  /** The `correlation_id` of its events. */
  readonly key: string
  readonly status: number
  /** Tries that got no answer: what became of them is not known. */
  readonly unanswered: number
  /** Calls that the model had had when it was first sent. */
  readonly sentAfter: number
}

/** What is known of a workflow while it is under way, from whoever reads it first. */
export interface TrackedWorkflow {
  readonly id: string
  readonly assignment: Assignment
  /** When its start was first asked for, in milliseconds of the run. */
  readonly askedAtMs: number
  /** Takes an event that any reader has read. */
  take(event: SeenEvent): void
  /** It has ended, as far as is known, and no revival of it was accepted. */
  hasEnded(): boolean
  status(): string
  /** Attempts that wait for a person now, by step. */
  gates(): ReadonlyMap<string, number>
  /** When its last event was first read. */
  lastReadAtMs(): number
  /** Calls that the model had had when an event was first read, by `seq`. */
  callsWhenRead(): ReadonlyMap<number, number>
  /** Notes that a verb is about to be sent, and then how it went. */
  sending(verb: Verb, key: string): (answer: Pick<SentVerb, 'status' | 'unanswered'>) => void
  verbs(): readonly SentVerb[]
}

export interface TrackingParts {
  readonly id: string
  readonly assignment: Assignment
  readonly askedAtMs: number
  readonly now: () => number
  /** Calls that the model has had. */
  readonly calls: () => number
}

/** Statuses of a workflow that has ended. */
export const ends: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** Tracks a workflow of which nothing is known yet but that it was accepted. */
export function trackWorkflow({ id, assignment, askedAtMs, now, calls }: TrackingParts): TrackedWorkflow {
  const gates = new Map<string, number>()
  const callsWhenRead = new Map<number, number>()
  const verbs: SentVerb[] = []
  let status = 'queued'
  let lastSeq = 0
  let lastReadAtMs = askedAtMs
  let [revivalsAccepted, revivalsRead] = [0, 0]

  const takeStep = (type: string, step: string, attempt: number): void => {
    if (type === 'step.waiting') gates.set(step, attempt)
    else gates.delete(step)
  }
  return {
    id,
    assignment,
    askedAtMs,
    take(event) {
      const { type, seq = 0, step, attempt = 0 } = event
      if (seq <= lastSeq) return
      lastSeq = seq
      lastReadAtMs = now()
      callsWhenRead.set(seq, calls())
      if (step !== undefined) takeStep(type, step, attempt)
      else status = event.status ?? status
      if (type === 'workflow.resumed' && ends.has(event.from ?? '')) revivalsRead += 1
    },
    hasEnded: () => ends.has(status) && revivalsAccepted <= revivalsRead,
    status: () => status,
    gates: () => gates,
    lastReadAtMs: () => lastReadAtMs,
    callsWhenRead: () => callsWhenRead,
    sending(verb, key) {
      const sentAfter = calls()
      return (answer) => {
        verbs.push({ verb, key, ...answer, sentAfter })
        if (answer.status === 202 && (verb === 'resume' || verb === 'rerun')) revivalsAccepted += 1
      }
    },
    verbs: () => verbs,
  }
}
