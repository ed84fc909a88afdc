import { AppError } from '../errors.ts'
import type { Model, ModelRequest, Permit, Target, TokenUsage } from '../llm/model.ts'
import type { AnswerSink } from './agent.ts'
import type { PlannedCall } from './continuation.ts'
import type { SplitText } from './reasoning-splitter.ts'
import { estimateTokens } from './tokens.ts'

/** One call of an answer. */
export interface ModelCall {
  readonly model: Model
  readonly target: Target
  readonly temperature: number
  readonly stream: boolean
  readonly call: PlannedCall
  readonly sink: AnswerSink
  readonly signal: AbortSignal
  readonly permit?: Permit
  /** Tells text from reasoning; what is not decided is held back. */
  push(piece: string): SplitText
  flush(): SplitText
}

export interface CallEnd {
  /** What was delivered of this call. */
  readonly text: string
  /** false: it ended at its output limit. */
  readonly complete: boolean
  readonly finishReason: string
  readonly model: string
}

const outputLimitReasons = new Set(['length', 'max_tokens', 'max_output_tokens'])
// nobody offered tools, and the others say that the server gave up
const brokenReasons = new Set(['tool_calls', 'function_call', 'error', 'abort', 'aborted', 'cancelled'])

/**
 * Makes one call and delivers its text. The sink hears of its start and of its end once each, whatever happens; without
 * the server's own figures the usage is an estimate. Only a call with a finish reason ends well.
 */
export async function runCall(call: ModelCall): Promise<CallEnd> {
  const received: Received = { delivered: '', outputTokens: 0, reasoningTokens: 0, usage: null, end: null }
  call.signal.throwIfAborted()
  const { inputTokens, maxTokens: wished } = call.call
  const maxTokens = await call.sink.callStarting({ inputTokens, maxTokens: wished })
  try {
    await receive(call, received, maxTokens)
  } catch (error) {
    // the failure of the call is the news; a ledger that fails as well counts the call as estimated
    await call.sink.callEnded(outcomeOf(call, received)).catch(() => undefined)
    throw error
  }
  await call.sink.callEnded(outcomeOf(call, received))
  return judgeEnd(call, received)
}

interface Received {
  delivered: string
  outputTokens: number
  reasoningTokens: number
  usage: TokenUsage | null
  end: { readonly finishReason: string; readonly model: string } | null
}

async function receive(call: ModelCall, received: Received, maxTokens: number): Promise<void> {
  call.signal.throwIfAborted()
  for await (const event of call.model.stream(requestOf(call, maxTokens), call.signal)) {
    switch (event.type) {
      case 'text':
        received.outputTokens += estimateTokens(event.text)
        deliver(call, received, call.push(event.text))
        break
      case 'reasoning':
        received.reasoningTokens += estimateTokens(event.text)
        call.sink.reasoning(event.text)
        break
      case 'usage':
        received.usage = event.usage
        break
      case 'end':
        received.end = event
        break
      default:
        event satisfies never
    }
  }
  deliver(call, received, call.flush())
}

function requestOf({ call, permit, ...parts }: ModelCall, maxTokens: number): ModelRequest {
  return {
    target: parts.target,
    messages: call.messages,
    inputTokens: call.inputTokens,
    temperature: parts.temperature,
    maxTokens,
    stream: parts.stream,
    ...(permit === undefined ? {} : { permit }),
  }
}

function deliver(call: ModelCall, received: Received, { text, reasoning }: SplitText): void {
  if (reasoning !== '') call.sink.reasoning(reasoning)
  if (text === '') return
  received.delivered += text
  call.sink.text(text)
}

function outcomeOf(call: ModelCall, received: Received) {
  const estimate: TokenUsage = {
    inputTokens: call.call.inputTokens,
    outputTokens: received.outputTokens + received.reasoningTokens,
    cachedTokens: 0,
    reasoningTokens: received.reasoningTokens,
    estimated: true,
  }
  return { usage: received.usage ?? estimate, finishReason: received.end?.finishReason ?? null }
}

function judgeEnd(call: ModelCall, { end, delivered }: Received): CallEnd {
  const endpoint = call.target.endpoint
  const reason = end?.finishReason.toLowerCase() ?? ''
  if (end === null || reason === '' || brokenReasons.has(reason)) {
    const how = reason === '' ? 'without saying why' : `with "${reason.slice(0, 40)}"`
    throw new AppError('llm_truncated', `The model's answer ended ${how}.`, { retryable: true, endpoint })
  }
  if (reason === 'content_filter') {
    throw new AppError('content_filtered', "The model server's content filter stopped the answer.", {
      retryable: false,
      endpoint,
    })
  }
  const complete = !outputLimitReasons.has(reason)
  return { text: delivered, complete, finishReason: complete ? end.finishReason : 'length', model: end.model }
}
