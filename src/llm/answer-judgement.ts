import { callFailure, type FailureContext, nothingAtAll } from './failures.ts'
import type { ModelRequest } from './model.ts'

/** What is known of the request that is being answered. */
export interface AnswerOptions extends Pick<ModelRequest, 'target' | 'inputTokens' | 'maxTokens'> {
  readonly failures: FailureContext
}

/** What came of an answer. */
export interface Outcome {
  /** The last that the server gave. */
  readonly finishReason: string | null
  /** Words with which the model declined. */
  readonly refusal: string
  /** Pieces of text and reasoning. */
  readonly tokens: number
  /** Some of the text is more than white space. */
  readonly visible: boolean
}

/** How the answer ended. Throws when it is no complete answer. */
export function judge({ finishReason, refusal, tokens, visible }: Outcome, options: AnswerOptions): string {
  const { endpoint, scrub } = options.failures
  if (tokens === 0 && refusal === '') refuseEmptyAnswerToLargePrompt(finishReason, options)
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
