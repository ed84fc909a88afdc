import type { AgentTask, Agents, CallEstimate, PreparedTask } from '../agents/agent.ts'
import { outputLimit } from '../agents/agent.ts'
import type { Permit } from '../llm/model.ts'
import type { CostOf } from '../llm/prices.ts'
import { createAnswerSink } from './answer-sink.ts'
import type { AnswerSinkParts, CarriedText } from './answer-sink.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { newId } from './ids.ts'
import { keepAnswer } from './keep-answer.ts'
import type { KeepAnswerParts } from './keep-answer.ts'
import type { LiveTexts } from './live-texts.ts'
import type { NewCall } from './store.ts'

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

/** `settled`: the step has its result, or is no longer ours. A failed one leaves the attempt open, to be judged. */
export type AttemptOutcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly text: string; readonly carried: CarriedText }

/** Opens an attempt, has the agent answer, and closes it with the result if there is one. */
export async function makeAttempt(parts: AttemptParts, order: AttemptOrder): Promise<AttemptOutcome> {
  const { prepared } = order
  if (prepared instanceof Error) {
    if (!(await open(order, null, false))) return { kind: 'settled' }
    return { kind: 'failed', error: prepared, text: '', carried: { length: 0, continuations: 0 } }
  }
  const firstCall = newCall(parts.costOf, order, prepared.firstCall)
  if (!(await open(order, firstCall, prepared.truncatedInput))) return { kind: 'settled' }
  return answer(parts, order, { prepared, firstCall })
}

/** The number of the attempt is known only in the turn that opens it, so the call's row is completed there. */
function open({ hold, index, task }: AttemptOrder, call: NewCall | null, truncatedInput: boolean): Promise<boolean> {
  const { endpoint, model } = task.target
  return hold.change(async () => ({
    happening: { type: 'step_started', step: index, endpoint, model, truncatedInput },
    calls: call === null ? [] : [{ ...call, attempt: hold.step(index).attempt + 1 }],
  }))
}

function newCall(costOf: CostOf, { hold, index, task }: AttemptOrder, estimate: CallEstimate): NewCall {
  const { inputTokens } = estimate
  return {
    id: newId('call'),
    workflowId: hold.state().id,
    stepIndex: index,
    attempt: hold.step(index).attempt,
    endpoint: task.target.endpoint,
    model: task.target.model,
    estimatedInputTokens: inputTokens,
    maxTokens: estimate.maxTokens,
    costUsd: costOf(task.target.model, { inputTokens, cachedTokens: 0, outputTokens: 0 }),
  }
}

async function answer(
  parts: AttemptParts,
  order: AttemptOrder,
  { prepared, firstCall }: { readonly prepared: PreparedTask; readonly firstCall: NewCall },
): Promise<AttemptOutcome> {
  const { hold, index, task, permit, signal } = order
  const live = parts.live.open(hold.state().id, index, hold.step(index).attempt)
  const carried = { length: task.carried?.text.length ?? 0, continuations: task.carried?.continuations ?? 0 }
  const further = (estimate: CallEstimate) => newCall(parts.costOf, order, estimate)
  const sink = createAnswerSink(parts, { hold, index, live, firstCall, newCall: further, carried })
  try {
    const { complete, finishReason, model } = await prepared.run({ sink, permit, signal })
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
