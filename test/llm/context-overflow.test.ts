import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overflowFigures, saysContextOverflow } from '../../src/llm/context-overflow.ts'

/** Words of a server, the tokens of the prompt by its count, and its window. */
type Wording = readonly [message: string, promptTokens: number | null, window: number | null]

const dialects: Readonly<Record<string, readonly Wording[]>> = {
  'llama.cpp': [
    ['request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it', 9_000, 4_096],
    ['the request exceeds the available context size, try increasing it', null, null],
    [
      'the request exceeds the available context size. try increasing the context size or enable context shift',
      null,
      null,
    ],
    ['Context size has been exceeded.', null, null],
    ['Requested tokens (600) exceed context window of 512', 600, 512],
  ],
  OpenAI: [
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.",
      9_001,
      8_192,
    ],
    [
      "This model's maximum context length is 4097 tokens, however you requested 6539 tokens (6283 in your prompt; 256 for the completion). Please reduce your prompt; or completion length.",
      6_283,
      4_097,
    ],
    [
      "This model's maximum context length is 4097 tokens. However, you requested 4203 tokens (3703 in the messages, 500 in the completion). Please reduce the length of the messages or completion.",
      3_703,
      4_097,
    ],
    [
      'Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 305127 tokens. Please reduce the length of the messages.',
      305_127,
      272_000,
    ],
    ['Your input exceeds the context window of this model. Please adjust your input and try again.', null, null],
    [
      'Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 35000. The input or output tokens must be reduced in order to run successfully.',
      null,
      30_000,
    ],
  ],
  vLLM: [
    [
      "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.",
      5_000,
      4_096,
    ],
    [
      "This model's maximum context length is 16384 tokens. However, your request has 19427 input tokens. Please reduce the length of the input messages. (parameter=input_tokens, value=19427)",
      19_427,
      16_384,
    ],
    [
      "This model's maximum context length is 4096 tokens. However, you requested 1000 output tokens and your prompt contains at least 3097 input tokens, for a total of at least 4097 tokens. Please reduce the length of the input prompt or the number of requested output tokens.",
      3_097,
      4_096,
    ],
    [
      "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 1000 input tokens (5000 > 4096 - 1000).",
      1_000,
      4_096,
    ],
    [
      'The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.',
      5_000,
      4_096,
    ],
    ['max_tokens must be at least 1, got -186', null, null],
  ],
  'SGLang, Together': [
    ["The input (85050 tokens) is longer than the model's context length (32768 tokens).", 85_050, 32_768],
    [
      "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 40000 tokens: 35000 tokens from the input messages and 5000 tokens for the completion.",
      35_000,
      32_768,
    ],
  ],
  Ollama: [
    ['the input length exceeds the context length', null, null],
    ['prompt too long; exceeded max context length by 4096 tokens', null, null],
  ],
  'LM Studio': [
    [
      'Trying to keep the first 6547 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input',
      6_547,
      4_096,
    ],
    [
      'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter input.',
      13_055,
      4_096,
    ],
    ['Cannot truncate prompt with n_keep (4984) >= n_ctx (4096)', 4_984, 4_096],
    ['Error: Input length 6491 exceeds context length 1500', 6_491, 1_500],
    [
      'Reached context length of 4096 tokens, but this model does not currently support mid-generation context overflow.',
      null,
      4_096,
    ],
  ],
  'Text Generation Inference': [
    [
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 1000 `max_new_tokens`',
      5_000,
      4_096,
    ],
    ['Input validation error: `inputs` must have less than 4095 tokens. Given: 5000', 5_000, 4_095],
  ],
  Mistral: [
    ['Prompt contains 300000 tokens, too large for model with 131072 maximum context length', 300_000, 131_072],
    [
      'Prompt contains 34921 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      34_921,
      32_768,
    ],
  ],
  Groq: [
    ['Please reduce the length of the messages or completion.', null, null],
    [
      'Request too large for model `llama-3.3-70b-versatile` in organization `org_x` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 14810, please reduce your message size and try again.',
      null,
      6_000,
    ],
  ],
  OpenRouter: [
    [
      'This endpoint\'s maximum context length is 131072 tokens. However, you requested about 141607 tokens (10535 of text input, 131072 in the output). Please reduce the length of either one, or use the "middle-out" transform to compress your prompt automatically.',
      10_535,
      131_072,
    ],
    [
      "This endpoint's maximum context length is 16384 tokens. However, you requested about 94307 tokens (94307 of text input).",
      94_307,
      16_384,
    ],
  ],
  'LiteLLM, and what is behind it': [
    ['litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - no more is known', null, null],
    ['AnthropicException - prompt is too long: 209353 tokens > 199999 maximum', 209_353, 199_999],
    [
      'input length and `max_tokens` exceed context limit: 174167 + 64000 > 200000, decrease input length or `max_tokens` and try again',
      174_167,
      200_000,
    ],
    ["This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 537_812, 131_072],
    ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', 1_200_000, 1_048_576],
    ['Prompt contains 300,000 tokens, too large for model with 131,072 maximum context length', 300_000, 131_072],
  ],
}

describe.for(Object.entries(dialects))('%s', ([, wordings]) => {
  test.for(wordings)('%s', ([message, promptTokens, window]) => {
    expect(saysContextOverflow({}, message)).toBe(true)
    expect(overflowFigures({}, message)).toEqual({ promptTokens, window })
  })
})

describe('an error that is about something else', () => {
  test.for([
    'Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29500, Requested 2000. Please try again in 3s.',
    'max_tokens is too large: 5000. This model supports at most 4096 completion tokens, whereas you provided 5000.',
    'You exceeded your current quota, please check your plan and billing details.',
    'Post "http://127.0.0.1:11434": context deadline exceeded',
    'context canceled',
    'The prompt was flagged by our usage policies.',
    "Unsupported value: 'temperature' does not support 0.2 with this model.",
    'The server had an error while processing your request.',
    'Loading model',
    'Request Entity Too Large',
    'The input is not valid JSON.',
    '',
  ])('%s', (message) => {
    expect(saysContextOverflow({}, message)).toBe(false)
  })
})

describe('fields', () => {
  test('a code or a type is enough', () => {
    expect(saysContextOverflow({ code: 'context_length_exceeded' }, 'Please be brief.')).toBe(true)
    expect(saysContextOverflow({ type: 'exceed_context_size_error' }, '')).toBe(true)
    expect(saysContextOverflow({ code: 400, type: null }, '')).toBe(false)
  })

  test('say more than the words', () => {
    const message = 'request (9 tokens) exceeds the available context size (1024 tokens)'
    expect(overflowFigures({ n_prompt_tokens: 9_000, n_ctx: 4_096 }, message)).toEqual({
      promptTokens: 9_000,
      window: 4_096,
    })
  })

  test.for([0, -1, 1.5, '4096', null, 1e300, {}])('a window of %j is none', (window) => {
    expect(overflowFigures({ n_ctx: window }, '')).toEqual({ promptTokens: null, window: null })
  })

  test('a window in which no prompt has room is misread', () => {
    expect(overflowFigures({ n_ctx: 4 }, '')).toMatchObject({ window: null })
    expect(overflowFigures({}, 'maximum context length is 4 096 tokens')).toMatchObject({ window: null })
  })
})

test('whatever a server says, the figures are counts or nothing', () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(dialects).flatMap((wordings) => wordings.map(([message]) => message))),
    fc.stringMatching(/^context length is only \d{1,400}$/),
  )
  const field = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null))
  const fields = fc.record({ n_ctx: field, n_prompt_tokens: field }, { requiredKeys: [] })
  fc.assert(
    fc.property(fc.array(words, { maxLength: 4 }), fields, (parts, error) => {
      for (const figure of Object.values(overflowFigures(error, parts.join(' ')))) {
        expect(figure === null || (Number.isSafeInteger(figure) && figure > 0)).toBe(true)
      }
    }),
  )
})
