import { AppError } from '../errors.ts'
import type { Model, Permit, Target } from '../llm/model.ts'
import type { AgentAnswer, AnswerSink } from './agent.ts'
import { planContinuation, type PlannedCall } from './continuation.ts'
import type { FencedBlock } from './fenced-blocks.ts'
import { type CallEnd, runCall } from './model-call.ts'
import { createReasoningSplitter } from './reasoning-splitter.ts'
import { lengthOfSeam, SEAM_LENGTH } from './seam.ts'

/** All that one answer is made from. */
export interface AnswerPlan {
  readonly model: Model
  readonly target: Target
  readonly temperature: number
  readonly stream: boolean
  /** The prompt itself, without carried text. */
  readonly first: PlannedCall
  readonly maxContinuations: number
  /** Text of a former attempt, and how often that one had asked to go on. */
  readonly carried: { readonly text: string; readonly continuations: number } | null
  readonly openBlock: (text: string) => FencedBlock | null
}

export interface AnswerRun {
  readonly sink: AnswerSink
  readonly permit?: Permit
  readonly signal: AbortSignal
}

/** The call that an answer begins with: the prompt, or the continuation of the carried text. */
export function planFirstCall(plan: AnswerPlan): PlannedCall {
  return plan.carried === null ? plan.first : planNext(plan, plan.carried.text)
}

/**
 * Makes the answer, in as many calls as it takes. What the sink was given is the answer: nothing is changed afterwards.
 * Throws the model's failures, `empty_output`, `content_filtered`, and whatever the sink throws; an abort rejects with
 * the signal's reason.
 */
export async function makeAnswer(plan: AnswerPlan, run: AnswerRun): Promise<AgentAnswer> {
  let text = plan.carried?.text ?? ''
  let continuations = plan.carried === null ? 0 : Math.max(1, plan.carried.continuations)
  if (text !== '') run.sink.text(text)
  for (let isFirst = true; ; isFirst = false) {
    if (continuations > plan.maxContinuations) return cutOff(plan, text, plan.target.model)
    if (continuations > 0) run.sink.continuing(continuations)
    if (!isFirst) refuseIfClosed(plan)
    const end = await oneCall(plan, run, { text, isContinuation: continuations > 0 })
    text += end.text
    if (end.complete) return completed(plan, text, end)
    if (continuations === plan.maxContinuations) return cutOff(plan, text, end.model)
    continuations += 1
  }
}

interface Position {
  /** The answer so far. */
  readonly text: string
  readonly isContinuation: boolean
}

async function oneCall(plan: AnswerPlan, run: AnswerRun, position: Position): Promise<CallEnd> {
  const call = position.isContinuation ? planNext(plan, position.text) : plan.first
  const joiner = position.isContinuation ? createJoiner(plan, position.text) : passThrough
  const splitter = createReasoningSplitter()
  return runCall({
    ...plan,
    ...run,
    call,
    push(piece) {
      const split = splitter.push(piece)
      return { text: joiner.push(split.text), reasoning: split.reasoning }
    },
    flush() {
      const rest = splitter.end()
      return { text: joiner.push(rest.text) + joiner.end(), reasoning: rest.reasoning }
    },
  })
}

function planNext(plan: AnswerPlan, text: string): PlannedCall {
  return planContinuation({
    first: plan.first,
    target: plan.target,
    text,
    openBlock: plan.openBlock(text),
  })
}

interface Joiner {
  push(piece: string): string
  end(): string
}

const passThrough: Joiner = { push: (piece) => piece, end: () => '' }

/** Holds back the start of a continuation until the seam is decided. */
function createJoiner(plan: AnswerPlan, delivered: string): Joiner {
  let held: string | null = ''
  const decide = (): string => {
    if (held === null) return ''
    const all = held
    held = null
    return all.slice(lengthOfSeam(delivered, all.slice(0, SEAM_LENGTH), plan.openBlock(delivered)))
  }
  return {
    push(piece) {
      if (held === null) return piece
      held += piece
      return held.length < SEAM_LENGTH ? '' : decide()
    },
    end: decide,
  }
}

/** Only the first call has been admitted; one that would not be made must not be noted as a call either. */
function refuseIfClosed({ model, target }: AnswerPlan): void {
  const refused = model.refusal({ targets: [target], isRetry: false })
  if (refused !== null) throw refused
}

function completed(plan: AnswerPlan, text: string, end: CallEnd): AgentAnswer {
  refuseEmpty(plan, text)
  return { complete: true, finishReason: end.finishReason, model: end.model }
}

function cutOff(plan: AnswerPlan, text: string, model: string): AgentAnswer {
  refuseEmpty(plan, text)
  return { complete: false, finishReason: 'length', model }
}

function refuseEmpty(plan: AnswerPlan, text: string): void {
  if (text.trim() !== '') return
  throw new AppError('empty_output', 'The model ended without an answer.', {
    retryable: true,
    endpoint: plan.target.endpoint,
  })
}
