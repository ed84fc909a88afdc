import type { Failure } from '../errors.ts'
import type { Draft } from './draft.ts'
import { freshStart } from './fresh-start.ts'
import { advance, queueStep } from './progress.ts'
import { closingData, emitArtifacts } from './step-results.ts'
import type { CreatedArtifact } from './step-results.ts'
import type { StepState } from './workflow.ts'
import { wireTime } from './wire.ts'

/** What can happen to the open gate of a step. */
export type GateHappening =
  | {
      readonly type: 'approved'
      readonly step: number
      /** Files of the edited output, if it was edited: they replace those of the attempt. */
      readonly edit: {
        readonly artifacts: readonly CreatedArtifact[]
        readonly rejected: StepState['rejectedArtifacts']
      } | null
    }
  | { readonly type: 'rejected'; readonly step: number; readonly feedback: string; readonly maxRevisions: number }
  | { readonly type: 'gate_expired'; readonly step: number }

/** Opens the gate of a step whose kept text is to be judged; `timeoutMs` 0: it stays open. */
export function openGate(draft: Draft, index: number, timeoutMs: number): void {
  const expiresAt = timeoutMs === 0 ? null : draft.at + timeoutMs
  const step = draft.patch(index, { status: 'waiting', waitingSince: draft.at, expiresAt })
  draft.emit('step.waiting', { step, data: { ...closingData(step), expires_at: wireTime(expiresAt) } })
}

/** Answers or closes an open gate. false: there is none, or it is not to be closed yet. */
export function passGate(draft: Draft, happening: GateHappening): boolean {
  const { status, expiresAt } = draft.step(happening.step)
  if (status !== 'waiting') return false
  // Since it was found to be over, it may have been closed and another opened.
  if (happening.type === 'gate_expired' && (expiresAt === null || expiresAt > draft.at)) return false
  switch (happening.type) {
    case 'approved':
      approve(draft, happening)
      break
    case 'rejected':
      reject(draft, happening)
      break
    case 'gate_expired':
      expire(draft, happening.step)
      break
    default:
      happening satisfies never
  }
  advance(draft)
  return true
}

type Of<T extends GateHappening['type']> = Extract<GateHappening, { type: T }>

const answered = { waitingAttempt: null, waitingSince: null, expiresAt: null } as const

function approve(draft: Draft, { step: index, edit }: Of<'approved'>): void {
  draft.emit('step.approved', { step: draft.step(index) })
  const ended = { ...answered, status: 'completed', endedAt: draft.at } as const
  const result =
    edit === null
      ? {}
      : { edited: true, artifacts: edit.artifacts.map(({ path }) => path), rejectedArtifacts: edit.rejected }
  const step = draft.patch(index, { ...ended, ...result })
  emitArtifacts(draft, step, edit?.artifacts ?? [])
  const seq = draft.emit('step.completed', { step, data: closingData(step) })
  draft.patch(index, { endedSeq: seq })
}

function reject(draft: Draft, { step: index, feedback: text, maxRevisions }: Of<'rejected'>): void {
  const { keptAttempt, revisions } = draft.step(index)
  draft.emit('step.rejected', { step: draft.step(index), data: { feedback: text } })
  // Also when no revision is left: a resume is a further start.
  draft.patch(index, { feedback: { text, attempt: keptAttempt } })
  if (revisions >= maxRevisions) {
    const message = `The result was rejected, and no revision is left (max_revisions is ${maxRevisions}).`
    return failWaiting(draft, index, { code: 'rejected', message, retryable: true })
  }
  draft.patch(index, { ...freshStart, ...answered, revisions: revisions + 1 })
  queueStep(draft, index)
}

/** The text stays unanswered: a resume opens the gate again. */
function expire(draft: Draft, index: number): void {
  const message = 'Nobody answered in time (APPROVAL_TIMEOUT_SECONDS).'
  const { waitingAttempt } = draft.step(index)
  failWaiting(draft, index, { code: 'approval_expired', message, retryable: true })
  draft.patch(index, { waitingAttempt })
}

function failWaiting(draft: Draft, index: number, error: Failure): void {
  const step = draft.patch(index, { ...answered, status: 'failed', error, endedAt: draft.at })
  const seq = draft.emit('step.failed', { step, data: { error } })
  draft.patch(index, { endedSeq: seq })
}
