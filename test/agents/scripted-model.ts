import type { AnswerSink, CallEstimate, CallOutcome } from '../../src/agents/agent.ts'
import type { Model, ModelEvent, ModelRequest } from '../../src/llm/model.ts'

/** What one call answers: pieces of text, then its end or its failure. */
export interface ScriptedCall {
  readonly pieces?: readonly (string | ModelEvent)[]
  /** null: the stream ends without an end event. */
  readonly finishReason?: string | null
  readonly failure?: Error
  /** Waits for the abort after its pieces. */
  readonly hangs?: boolean
}

const target = { endpoint: 'default', model: 'm', contextWindow: null, tokenRatio: 1 }

/** A model port that plays its script, one entry per call. */
export function scriptedModel(script: readonly ScriptedCall[]): Model & { readonly requests: readonly ModelRequest[] } {
  const requests: ModelRequest[] = []
  return {
    requests,
    targets: async () => [target],
    admit: () => ({ target, release() {} }),
    whenReady: async () => {},
    readyInMs: () => 0,
    refusal: () => null,
    async *stream(request, signal) {
      const call = script[requests.length]
      requests.push(request)
      if (call === undefined) throw new Error('the script has no further call')
      for (const piece of call.pieces ?? []) yield typeof piece === 'string' ? { type: 'text', text: piece } : piece
      if (call.hangs === true) await untilAborted(signal)
      signal.throwIfAborted()
      if (call.failure !== undefined) throw call.failure
      if (call.finishReason === null) return
      yield { type: 'end', finishReason: call.finishReason ?? 'stop', model: 'm-1' }
    },
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** A sink that remembers what it was given, and its order. */
export function recordingSink() {
  const record = {
    pieces: [] as string[],
    reasoning: '',
    starts: [] as CallEstimate[],
    ends: [] as CallOutcome[],
    continued: [] as number[],
    order: [] as string[],
    text: () => record.pieces.join(''),
  }
  const sink: AnswerSink = {
    text(text) {
      record.pieces.push(text)
      record.order.push('text')
    },
    reasoning(text) {
      record.reasoning += text
    },
    async callStarting(estimate) {
      record.starts.push(estimate)
      record.order.push('start')
      return estimate.maxTokens
    },
    async callEnded(outcome) {
      record.ends.push(outcome)
      record.order.push('end')
    },
    continuing(n) {
      record.continued.push(n)
      record.order.push(`continue ${n}`)
    },
  }
  return { record, sink }
}
