import type { AgentTask, Agents, CallEstimate, PreparedTask } from '../agents/agent.ts'
import { outputLimit } from '../agents/agent.ts'
import type { Permit } from '../llm/model.ts'
import { withTraceIds } from '../trace-context.ts'
import { createAnswerSink } from './answer-sink.ts'
import type { AnswerSinkParts, CarriedText } from './answer-sink.ts'
import { toFailure } from './failure.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { keepAnswer } from './keep-answer.ts'
import type { KeepAnswerParts } from './keep-answer.ts'
import { planCall } from './ledger-call.ts'
import type { Reserved } from './ledger-call.ts'
import type { LiveTexts } from './live-texts.ts'
import type { NewCall } from './store.ts'
import type { Happening } from './transitions.ts'

export interface AttemptParts extends AnswerSinkParts, KeepAnswerParts {
  readonly agents: Agents
  readonly live: LiveTexts
}

/** One attempt that is to be made: the step, what its agent is given, and the right to call. */
export interface AttemptOrder {
  readonly hold: HeldWorkflow
  readonly index: number
  readonly task: AgentTask
  /** The task as its agent took it up, or why it could not. */
  readonly prepared: PreparedTask | Error
  readonly permit: Permit
  /** Aborted when the step's time is up or the workflow is no longer held. */
  readonly signal: AbortSignal
}

/**
 * `settled`: the step has its result, or is no longer ours. `held_back`: no attempt was opened, because its call has to
 * wait for what others have reserved of the budget. A failed one leaves the attempt open, to be judged.
 */
export type AttemptOutcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'held_back'; readonly freed: Promise<void> }
  | { readonly kind: 'failed'; readonly error: unknown; readonly text: string; readonly carried: CarriedText }

type Opening =
  | { readonly kind: 'opened'; readonly call: NewCall }
  | Extract<AttemptOutcome, { kind: 'settled' | 'held_back' }>

/** Opens an attempt, has the agent answer, and closes it with the result if there is one. */
export async function makeAttempt(parts: AttemptParts, order: AttemptOrder): Promise<AttemptOutcome> {
  const { prepared } = order
  if (prepared instanceof Error) {
    if (!(await order.hold.change({ happening: started(order, false) }))) return { kind: 'settled' }
    return { kind: 'failed', error: prepared, text: '', carried: { length: 0, continuations: 0 } }
  }
  const opening = await open(parts, order, prepared)
  return opening.kind === 'opened' ? answer(parts, order, { prepared, firstCall: opening.call }) : opening
}

function started({ index, task }: AttemptOrder, truncatedInput: boolean): Happening {
  const { endpoint, model } = task.target
  return { type: 'step_started', step: index, endpoint, model, truncatedInput }
}

/** The attempt and its first call are stored together, and the call is reserved in the turn that does so. */
async function open({ costOf }: AttemptParts, order: AttemptOrder, prepared: PreparedTask): Promise<Opening> {
  const { hold, index, task } = order
  const planned = planCall(costOf, { hold, index, target: task.target }, prepared.firstCall)
  const answered: { reserved: Reserved | null } = { reserved: null }
  const stored = await hold.change(async () => {
    const reserved = await planned.reserve('next_attempt')
    answered.reserved = reserved
    if (reserved.kind === 'later') return null
    if (reserved.kind === 'refused') {
      return { happening: { type: 'step_failed', step: index, failure: toFailure(reserved.error) } }
    }
    return { happening: started(order, prepared.truncatedInput), calls: [reserved.call] }
  })
  const { reserved } = answered
  if (stored && reserved?.kind === 'granted') return { kind: 'opened', call: reserved.call }
  planned.release()
  return reserved?.kind === 'later' ? { kind: 'held_back', freed: reserved.freed } : { kind: 'settled' }
}

async function answer(
  parts: AttemptParts,
  order: AttemptOrder,
  { prepared, firstCall }: { readonly prepared: PreparedTask; readonly firstCall: NewCall },
): Promise<AttemptOutcome> {
  const { hold, index, task, permit, signal } = order
  const live = parts.live.open(hold.state().id, index, hold.step(index).attempt)
  const carried = { length: task.carried?.text.length ?? 0, continuations: task.carried?.continuations ?? 0 }
  const plan = (estimate: CallEstimate) => planCall(parts.costOf, { hold, index, target: task.target }, estimate)
  const sink = createAnswerSink(parts, { hold, index, live, firstCall, plan, carried, signal })
  try {
    const { attempt } = hold.step(index)
    const answering = withTraceIds({ attempt }, () => prepared.run({ sink, permit, signal }))
    const { complete, finishReason, model } = await answering
    const error = complete ? null : outputLimit(task.target.endpoint)
    const settled = sink.unsettled()
    const kept = await keepAnswer(parts, order, { text: live.output.from(0), finishReason, model, error, settled })
    if (kept) sink.areSettled()
    return { kind: 'settled' }
  } catch (error) {
    if (hold.over.aborted) return { kind: 'settled' }
    return { kind: 'failed', error, text: live.output.from(0), carried: sink.carried() }
  } finally {
    parts.live.close(hold.state().id, index)
    await sink.settle()
  }
}
