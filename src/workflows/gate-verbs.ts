import { createHash } from 'node:crypto'
import type { Agents } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import { decodeGateCursor, encodeGateCursor } from './gate-cursor.ts'
import { once } from './idempotency.ts'
import type { Bind } from './idempotency.ts'
import { artifactsOf } from './kept-artifacts.ts'
import type { PlannedChange } from './planned-change.ts'
import { ownerFor } from './read-service.ts'
import { stepOf } from './revival-verbs.ts'
import type { Caller, Outcome, StepRef, WorkflowService } from './service.ts'
import type { GateAnswer, OpenGate } from './store.ts'
import { changeByVerb, outcomeOf } from './verbs.ts'
import type { VerbParts } from './verbs.ts'
import type { ApprovalResource, WorkflowResource } from './resources.ts'
import { wireTime } from './wire.ts'
import type { StepState, WorkflowState } from './workflow.ts'

export interface GateVerbParts extends VerbParts {
  readonly agents: Agents
  /** How often a rejected step runs again, unless the request says otherwise. */
  readonly maxRevisions: number
}

type GateVerbs = Pick<WorkflowService, 'approve' | 'reject' | 'approvals'>

/** The answers to steps that wait for a person. */
export function createGateVerbs(parts: GateVerbParts): GateVerbs {
  return {
    approve: (at, { attempt, output }, caller) => {
      const digest = digestOf({ output })
      return answer(parts, { at, attempt, caller, verb: 'approve', digest }, (state, step) =>
        approval(parts, { id: state.id, step }, output),
      )
    },
    reject: (at, { attempt, feedback }, caller) => {
      const digest = digestOf({ feedback })
      return answer(parts, { at, attempt, caller, verb: 'reject', digest }, async (state, step) => {
        const maxRevisions = step.definition.options.maxRevisions ?? state.options.maxRevisions ?? parts.maxRevisions
        return { happening: { type: 'rejected', step: step.index, feedback, maxRevisions } }
      })
    },
    approvals: async ({ limit, after }) => {
      // one more than asked for tells whether there is a next page
      const found = await parts.store.openGates({
        limit: limit + 1,
        after: after === null ? null : decodeGateCursor(after),
        owner: ownerFor(parts.principal),
      })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return {
        data: page.map(viewApproval),
        next: found.length > limit && last !== undefined ? encodeGateCursor(last) : null,
      }
    },
  }
}

interface Answering {
  readonly at: StepRef
  readonly attempt: number | undefined
  readonly caller: Caller
  readonly verb: GateAnswer['verb']
  readonly digest: string
}

type PlanAnswer = (state: WorkflowState, step: StepState) => Promise<PlannedChange>

async function answer(
  parts: GateVerbParts,
  answering: Answering,
  plan: PlanAnswer,
): Promise<Outcome<WorkflowResource>> {
  const outcome = await once(parts, answering.caller, (bind) => answerOnce(parts, { ...answering, bind }, plan))
  return outcome as Outcome<WorkflowResource>
}

async function answerOnce(parts: GateVerbParts, answering: Answering & { readonly bind: Bind }, plan: PlanAnswer) {
  const { at, attempt, caller, verb, digest, bind } = answering
  const ref = { kind: 'workflow', id: at.id } as const
  const done = await changeByVerb(parts, { ref, correlationId: caller.correlationId }, async (state) => {
    const step = stepOf(state, at.step)
    const open = step.status === 'waiting' ? step.waitingAttempt : null
    if (open === null || (attempt !== undefined && attempt !== open)) return null
    const answers = [{ stepIndex: step.index, attempt: open, verb, digest }]
    return { ...(await plan(state, step)), answers, binding: bind(state.seq) }
  })
  if (!done.changed) await refuseUnlessSame(parts, answering, done.state)
  return outcomeOf(parts, ref, { changed: done.changed })
}

/** The same answer to the same text again is none; any other is a conflict. */
async function refuseUnlessSame(
  { store }: GateVerbParts,
  { at, attempt, verb, digest }: Answering,
  state: WorkflowState,
): Promise<void> {
  const step = stepOf(state, at.step)
  const isPast = attempt !== undefined && mayBeAnswered(step, attempt)
  const given = isPast ? await store.answer(at.id, step.index, attempt) : null
  if (given?.verb === verb && given.digest === digest) return
  throw new AppError('conflict', reasonOf(step, attempt, given), {
    state: { status: state.status, step_status: step.status },
  })
}

/** What was answered later than this state says nothing about it. */
function mayBeAnswered({ attempt: last, status, waitingAttempt }: StepState, attempt: number): boolean {
  return attempt < last || (attempt === last && status !== 'running' && attempt !== waitingAttempt)
}

function reasonOf(step: StepState, attempt: number | undefined, given: GateAnswer | null): string {
  if (given !== null) return `Attempt ${attempt} was answered otherwise (${given.verb}).`
  if (!step.definition.approval) return 'This step waits for nobody: it has no approval.'
  if (step.status !== 'waiting') return `This step does not wait for an answer: it is ${step.status}.`
  return `Attempt ${attempt} does not wait for an answer; attempt ${step.waitingAttempt} does.`
}

async function approval(
  { agents, store }: GateVerbParts,
  { id, step }: { readonly id: string; readonly step: StepState },
  output: string | undefined,
): Promise<PlannedChange> {
  if (output === undefined) return { happening: { type: 'approved', step: step.index, edit: null } }
  const attempt = step.waitingAttempt ?? step.attempt
  const place = { workflowId: id, stepIndex: step.index, attempt }
  const found = await artifactsOf({ agents, store }, { ...place, text: output, complete: true, edited: true })
  return {
    happening: { type: 'approved', step: step.index, edit: { artifacts: found.created, rejected: found.rejected } },
    edits: [{ stepIndex: step.index, attempt, text: output }],
    artifacts: found.artifacts,
  }
}

function digestOf(body: Readonly<Record<string, string | undefined>>): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex')
}

function viewApproval({ workflowId, type, step, role, attempt, waitingSince, expiresAt }: OpenGate): ApprovalResource {
  const workflow = `/workflows/${workflowId}`
  const self = `${workflow}/steps/${step}`
  return {
    workflow_id: workflowId,
    type,
    step,
    role,
    attempt,
    waiting_since: wireTime(waitingSince),
    expires_at: wireTime(expiresAt),
    links: { workflow, step: self, approve: `${self}/approve`, reject: `${self}/reject` },
  }
}
