import { callFailure, type FailureContext, nothingAtAll } from './failures.ts'
import { textOf } from './json-fields.ts'
import type { ModelEvent, ModelRequest } from './model.ts'
import { estimateTokens, isUsage, readUsage } from './token-usage.ts'
import { createTextMender, wellFormed } from './well-formed-text.ts'

/** An answer as it comes together, whatever wire form brings it. */
export interface Answer {
  /** Parts of the answer that arrived, text or reasoning: what counts as progress. */
  readonly tokens: number
  /** A finish reason has come: nothing that follows can spoil the answer. */
  readonly ended: boolean
  /** The next piece of text; strings only, anything else is nothing. */
  addText(piece: unknown): readonly ModelEvent[]
  addReasoning(piece: unknown): readonly ModelEvent[]
  /** Words with which the model declines. */
  addRefusal(piece: unknown): void
  /** The last usage counts. */
  noteUsage(usage: unknown): void
  noteModel(model: unknown): void
  noteFinish(reason: unknown): void
  /** The last events. Throws, after the usage, when it is no complete answer. */
  conclude(): Iterable<ModelEvent>
  /** Tokens of what has come so far, by rule of thumb. */
  estimate(): { readonly outputTokens: number; readonly reasoningTokens: number }
  /** The `usage` of the server, if one has come. */
  reportedUsage(): unknown
}

/** What is known of the request that is being answered. */
export interface AnswerOptions extends Pick<ModelRequest, 'target' | 'inputTokens' | 'maxTokens'> {
  readonly failures: FailureContext
}

const longestNameLength = 200

/** Starts an answer. */
export function createAnswer(options: AnswerOptions): Answer {
  const { failures } = options
  const channels = { text: createTextMender(), reasoning: createTextMender() }
  const sizes = { text: 0, reasoning: 0 }
  let tokens = 0
  let visible = false
  let refusal = ''
  let finishReason: string | null = null
  let reported: unknown = null
  let servedBy = options.target.model

  const eventsOf = (type: 'text' | 'reasoning', text: string): readonly ModelEvent[] => {
    if (text === '') return []
    sizes[type] += estimateTokens(text)
    if (type === 'text' && !visible) visible = text.trim() !== ''
    return [{ type, text }]
  }
  const add = (type: 'text' | 'reasoning', piece: unknown): readonly ModelEvent[] => {
    const raw = pieceText(piece)
    if (raw === '') return []
    tokens += 1
    return eventsOf(type, channels[type].push(raw))
  }
  const estimate = (): { readonly outputTokens: number; readonly reasoningTokens: number } => ({
    outputTokens: sizes.text + sizes.reasoning,
    reasoningTokens: sizes.reasoning,
  })

  return {
    get tokens() {
      return tokens
    },
    get ended() {
      return finishReason !== null
    },
    estimate,
    reportedUsage: () => reported,
    addText: (piece) => add('text', piece),
    addReasoning: (piece) => add('reasoning', piece),
    addRefusal: (piece) => {
      refusal = (refusal + (textOf(piece) ?? '')).slice(0, 1_000)
    },
    noteUsage: (usage) => {
      if (isUsage(usage)) reported = usage
    },
    noteModel: (name) => {
      servedBy = nameIn(name) ?? servedBy
    },
    noteFinish: (reason) => {
      finishReason = nameIn(reason) ?? finishReason
    },
    *conclude() {
      yield* eventsOf('reasoning', channels.reasoning.flush())
      yield* eventsOf('text', channels.text.flush())
      // of an answer that was none as well: it is paid for
      const usage = readUsage(reported, () => ({ inputTokens: options.inputTokens, ...estimate() }))
      yield { type: 'usage', usage }
      if (tokens === 0 && refusal === '') refuseEmptyAnswerToLargePrompt(finishReason, options)
      yield { type: 'end', finishReason: judge({ finishReason, refusal, visible }, failures), model: servedBy }
    },
  }
}

function nameIn(value: unknown): string | null {
  const name = wellFormed((textOf(value) ?? '').slice(0, longestNameLength))
  return name === '' ? null : name
}

// Mistral sends a list of parts instead of a string
function pieceText(piece: unknown): string {
  if (typeof piece === 'string') return piece
  if (!Array.isArray(piece)) return ''
  return piece.map((part: unknown) => pieceOf(part)).join('')
}

function pieceOf(part: unknown): string {
  return typeof part === 'object' && part !== null && 'text' in part ? (textOf(part.text) ?? '') : ''
}

// LM Studio loads models with a window of 4 096 tokens unless told otherwise
const smallestUsualWindow = 4_096

/** LM Studio answers a prompt that does not fit with a stream of nothing. Such a prompt is worth a try in a shorter form. */
function refuseEmptyAnswerToLargePrompt(finishReason: string | null, options: AnswerOptions): void {
  if (finishReason !== null && finishReason !== 'stop') return
  const { target, inputTokens, maxTokens, failures } = options
  const window = target.contextWindow
  const fits = window === null ? inputTokens < smallestUsualWindow * 0.75 : inputTokens + maxTokens < window * 0.9
  if (fits) return
  const message = `The model gave nothing for a prompt of about ${inputTokens} tokens, which may not fit its window.`
  const overflow = { promptTokens: null, window: null }
  const cause = finishReason === null ? { cause: nothingAtAll } : {}
  throw callFailure('context_overflow', message, { retryable: true, endpoint: failures.endpoint, overflow, ...cause })
}

interface Outcome {
  readonly finishReason: string | null
  readonly refusal: string
  readonly visible: boolean
}

function judge({ finishReason, refusal, visible }: Outcome, { endpoint, scrub }: FailureContext): string {
  if (finishReason === null || finishReason === 'abort') {
    throw callFailure('llm_truncated', 'The answer ended without an end.', { retryable: true, endpoint })
  }
  if (finishReason === 'error') {
    throw callFailure('llm_error', 'The model server ended the answer with an error.', { retryable: true, endpoint })
  }
  if (finishReason === 'content_filter') {
    const message = 'The model server withheld the answer (content_filter).'
    throw callFailure('content_filtered', message, { retryable: false, endpoint })
  }
  if (refusal !== '') {
    throw callFailure('content_filtered', `The model refused: ${scrub(refusal)}`, { retryable: false, endpoint })
  }
  if (!visible && finishReason !== 'length') {
    throw callFailure('empty_output', 'The model gave an empty answer.', { retryable: true, endpoint })
  }
  return finishReason
}
