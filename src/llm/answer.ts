import { type AnswerOptions, judge } from './answer-judgement.ts'
import type { EventSink } from './event-sink.ts'
import { createGrowingText } from './growing-text.ts'
import { textOf } from './json-fields.ts'
import type { ModelEvent, TokenUsage } from './model.ts'
import { isUsage, readUsage } from './token-usage.ts'
import { wellFormed } from './well-formed-text.ts'

/** An answer as it comes together, whatever wire form brings it. */
export interface Answer {
  /** Parts of the answer that arrived, text or reasoning: what counts as progress. */
  readonly tokens: number
  /** A finish reason has come: nothing that follows can spoil the answer. */
  readonly ended: boolean
  /** Gives out the next piece of text; strings only, anything else is nothing. */
  addText(piece: unknown): void
  addReasoning(piece: unknown): void
  /** Words with which the model declines. */
  addRefusal(piece: unknown): void
  /** The last usage counts. */
  noteUsage(usage: unknown): void
  noteModel(model: unknown): void
  noteFinish(reason: unknown): void
  /** Gives out what is still held back, and the usage: of an answer that was none as well, for it is paid for. */
  conclude(): TokenUsage
  /** The last event. Throws when it is no complete answer. */
  judge(): ModelEvent
  /** Tokens of what has come so far, by rule of thumb. */
  estimate(): { readonly outputTokens: number; readonly reasoningTokens: number }
  /** The `usage` of the server, if one has come. */
  reportedUsage(): unknown
}

const longestNameLength = 200
const longestRefusalLength = 1_000

/** Starts an answer whose events go to `sink`. */
export function createAnswer(options: AnswerOptions, sink: Pick<EventSink<ModelEvent>, 'push'>): Answer {
  const text = createGrowingText('text', sink)
  const reasoning = createGrowingText('reasoning', sink)
  let refusal = ''
  let finishReason: string | null = null
  let reported: unknown = null
  let servedBy: string | null = null

  const tokens = (): number => text.pieces + reasoning.pieces
  const estimate = (): { readonly outputTokens: number; readonly reasoningTokens: number } => ({
    outputTokens: text.tokens + reasoning.tokens,
    reasoningTokens: reasoning.tokens,
  })

  return {
    get tokens() {
      return tokens()
    },
    get ended() {
      return finishReason !== null
    },
    estimate,
    reportedUsage: () => reported,
    addText: text.add,
    addReasoning: reasoning.add,
    addRefusal: (piece) => {
      if (typeof piece === 'string') refusal = (refusal + piece).slice(0, longestRefusalLength)
    },
    noteUsage: (usage) => {
      if (isUsage(usage)) reported = usage
    },
    noteModel: (name) => {
      // every chunk repeats it
      if (servedBy === null) servedBy = nameIn(name)
    },
    noteFinish: (reason) => {
      if (reason !== null) finishReason = nameIn(reason) ?? finishReason
    },
    conclude: () => {
      reasoning.flush()
      text.flush()
      const usage = readUsage(reported, () => ({ inputTokens: options.inputTokens, ...estimate() }))
      sink.push({ type: 'usage', usage })
      return usage
    },
    judge: () => {
      const outcome = { finishReason, refusal, tokens: tokens(), visible: text.visible }
      return { type: 'end', finishReason: judge(outcome, options), model: servedBy ?? options.target.model }
    },
  }
}

function nameIn(value: unknown): string | null {
  const name = wellFormed((textOf(value) ?? '').slice(0, longestNameLength))
  return name === '' ? null : name
}
