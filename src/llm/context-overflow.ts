import { countOf, type JsonFields, textOf } from './json-fields.ts'

const overflowCodes = new Set(['context_length_exceeded', 'exceed_context_size_error'])

/**
 * How servers say that a prompt does not fit: llama.cpp (400 with a type, 500 with only a text), OpenAI (a code), vLLM in
 * all its versions, SGLang, Ollama, LM Studio, Text Generation Inference, Mistral, Groq, OpenRouter, LiteLLM, and what
 * stands behind those gateways. A request above a limit per minute that it alone exceeds is as hopeless.
 */
const overflowTexts = [
  /context size has been exceeded/i,
  /exceeds? the available context size/i,
  /maximum context length (?:is|of) \d/i,
  /(?:longer than|greater than|exceeds?|exceeded|reached) (?:the |this )?(?:model'?s )?(?:max(?:imum)? )?(?:context|model) (?:length|window|limit|size)/i,
  /model'?s context length is only/i,
  /context length of only/i,
  /max_tokens must be at least 1, got -/i,
  /(?:input|prompt) (?:is )?too long/i,
  /(?:input|prompt) length (?:\(?\d+\)? )?exceeds/i,
  /n_keep \(?\d+\)? ?>= n_ctx/i,
  /input tokens exceed the configured limit/i,
  /(?:input|`inputs`) token(?:s| count).{0,60} (?:exceeds the maximum|must be <=)/i,
  /`inputs` must have less than \d+ tokens/i,
  /maximum prompt length is \d+ but/i,
  /too large for model with \d[\d,]* maximum context length/i,
  /please reduce the length of the messages or completion/i,
  /request too large for .{1,300} tokens per min/i,
  /ContextWindowExceededError/,
]

const windowTexts = [
  /(?:maximum|max) (?:context|model|prompt) length (?:is|of) (\d+)/i,
  /context (?:size|length|window|limit) (?:of |is )?(?:only )?\(?(\d+)/i,
  /n_ctx:? \(?(\d+)/i,
  /model with (\d+) maximum context/i,
  /configured limit of (\d+)/i,
  /tokens > (\d+) maximum/i,
  /context limit: \d+ \+ \d+ > (\d+)/i,
  /tokens allowed \(?(\d+)/i,
  /must be <= (\d+)/i,
  /must have less than (\d+) tokens/i,
  /tokens per min(?:ute)? \(TPM\): limit (\d+), requested/i,
]

const promptTexts = [
  /messages resulted in (\d+) tokens/i,
  /\((\d+) (?:in the messages|in your prompt|of text input)/i,
  /you passed (\d+) input tokens/i,
  /request has (\d+) input tokens/i,
  /request contains (\d+) tokens/i,
  /(\d+) tokens from the input/i,
  /(?:request|input|requested tokens) \((\d+)(?: tokens)?\)/i,
  /input token count \((\d+)\)/i,
  /prompt \(length (\d+)\)/i,
  /input length \(?(\d+)\)? exceeds/i,
  /prompt is too long: (\d+) tokens/i,
  /context limit: (\d+) \+ \d+/i,
  /n_keep:? \(?(\d+)/i,
  /keep the first (\d+) tokens/i,
  /given: (\d+)/i,
  /prompt (?:length )?(?:is |of |contains )?(?:at least )?\(?(\d+)\)? (?:input )?tokens/i,
]

/** Whether this error of a server, in whatever words, says that the prompt is too long for the model. */
export function saysContextOverflow(error: JsonFields, message: string): boolean {
  const named = [error['code'], error['type']].some((name) => overflowCodes.has(textOf(name) ?? ''))
  return named || overflowTexts.some((pattern) => pattern.test(message))
}

// no model has a smaller one: such a figure was misread, and would be remembered
const leastWindow = 256

/** What such an error tells, in tokens: the prompt as the server counted it, and the model's window. */
export function overflowFigures(
  error: JsonFields,
  message: string,
): { readonly promptTokens: number | null; readonly window: number | null } {
  const plain = message.replaceAll(/(?<=\d),(?=\d{3})/g, '')
  const window = countIn(error['n_ctx'], { patterns: windowTexts, message: plain })
  return {
    promptTokens: countIn(error['n_prompt_tokens'], { patterns: promptTexts, message: plain }),
    window: window !== null && window >= leastWindow ? window : null,
  }
}

function countIn(
  field: unknown,
  { patterns, message }: { readonly patterns: readonly RegExp[]; readonly message: string },
): number | null {
  const told = countOf(field)
  if (told !== null) return told || null
  const found = patterns.map((pattern) => pattern.exec(message)?.[1]).find((digits) => digits !== undefined)
  return found === undefined ? null : countOf(Number(found)) || null
}
