import { countOf, type JsonFields, textOf } from './json-fields.ts'

const overflowCodes = new Set(['context_length_exceeded', 'exceed_context_size_error'])

/**
 * How servers say that a prompt does not fit: llama.cpp (400 with a type, 500 with only a text), OpenAI (a code),
 * vLLM before and after 0.16, Ollama, LM Studio.
 */
const overflowTexts = [
  /context size has been exceeded/i,
  /exceeds? the available context size/i,
  /maximum context length is/i,
  /model'?s context length is only/i,
  /max_tokens must be at least 1, got -/i,
  /(?:input|prompt) (?:is too long|length (?:\(\d+\) )?exceeds)/i,
  /exceeds? the (?:model'?s )?(?:maximum )?context (?:length|window)/i,
  /greater than the context length/i,
]

const windowTexts = [
  /maximum context length is (\d+)/i,
  /context length is only (\d+)/i,
  /context (?:size|length|window) (?:of |is )?\(?(\d+)/i,
]

/** Whether this error of a server, in whatever words, says that the prompt is too long for the model. */
export function saysContextOverflow(error: JsonFields, message: string): boolean {
  const named = [error['code'], error['type']].some((name) => overflowCodes.has(textOf(name) ?? ''))
  return named || overflowTexts.some((pattern) => pattern.test(message))
}

/** The model's window in tokens, where such an error tells it. */
export function overflowWindow(error: JsonFields, message: string): number | null {
  const told = countOf(error['n_ctx'])
  if (told !== null) return told === 0 ? null : told
  const found = windowTexts.map((pattern) => pattern.exec(message)?.[1]).find((digits) => digits !== undefined)
  return found === undefined ? null : countOf(Number(found)) || null
}
