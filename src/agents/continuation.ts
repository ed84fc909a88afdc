import type { ChatMessage, Target } from '../llm/model.ts'
import type { FencedBlock } from './fenced-blocks.ts'
import { spellOutChatMarks } from './chat-marks.ts'
import { quoteText } from './quoted-text.ts'
import { cutMiddle, estimateTokens, UNITS_PER_TOKEN } from './tokens.ts'

/** The messages of one call and what they are estimated to cost. */
export interface PlannedCall {
  readonly messages: readonly ChatMessage[]
  readonly inputTokens: number
  readonly maxTokens: number
}

export interface Continuation {
  readonly first: PlannedCall
  readonly target: Pick<Target, 'contextWindow' | 'tokenRatio'>
  /** The answer so far. */
  readonly text: string
  /** The block of code in which it stopped. */
  readonly openBlock: FencedBlock | null
}

// what a chat template adds around two more messages
const TEMPLATE_TOKENS = 32
const QUOTED_LENGTH = 60
const LONGEST_OPENING = 200

/**
 * Plans the call that goes on with an answer. Where the window has no room for the whole answer so far, its middle is
 * left out and the call may answer less, so that both have a share. An answer without text has spent all on reasoning:
 * it is asked again, with the advice to think less.
 */
export function planContinuation({ first, target, text: answer, openBlock }: Continuation): PlannedCall {
  if (answer.trim() === '') return { ...first, messages: withAdvice(first.messages) }
  const text = spellOutChatMarks(answer)
  const { contextWindow: window, tokenRatio } = target
  const tokensOf = (piece: string): number => Math.ceil(estimateTokens(piece) * tokenRatio)
  const request = goOn(text, openBlock)
  const used = first.inputTokens + tokensOf(request) + TEMPLATE_TOKENS
  const room = window === null ? Number.POSITIVE_INFINITY : Math.max(2, window - used)
  const maxTokens = Math.min(first.maxTokens, Math.max(1, Math.floor(room / 2), room - tokensOf(text)))
  const shown = Number.isFinite(room)
    ? cutMiddle(text, ((room - maxTokens) * UNITS_PER_TOKEN) / tokenRatio, 0.2).text
    : text
  const messages: readonly ChatMessage[] = [
    ...first.messages,
    { role: 'assistant', content: shown },
    { role: 'user', content: request },
  ]
  return { messages, inputTokens: used + tokensOf(shown), maxTokens }
}

/** What it quotes of the answer is short and in quotation marks: an answer may repeat what some file told it to say. */
function goOn(text: string, openBlock: FencedBlock | null): string {
  const opening = openBlock === null ? '' : openBlock.fence + openBlock.info
  const place =
    opening === ''
      ? ''
      : ` You are inside the code block that begins with ${quoteText(opening.slice(0, LONGEST_OPENING))}: do not open it again, and close it where it ends.`
  return (
    `Your answer was cut off at the output limit. Its last characters are ${quoteText(text.slice(-QUOTED_LENGTH).toWellFormed())}. ` +
    `Go on exactly there, with the very next character: repeat nothing, add no preamble.${place}`
  )
}

function withAdvice(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const last = messages.at(-1)
  if (last === undefined) return messages
  return [...messages.slice(0, -1), { ...last, content: `${last.content}\nThink briefly, then answer.\n` }]
}
