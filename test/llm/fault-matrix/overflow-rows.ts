import { expect } from 'vitest'
import { rawStream, sseEvent } from '../../support/fault-answers.ts'
import { targetOf } from '../llm-fixture.ts'
import {
  bothWays,
  done,
  type ExpectedFailure,
  type FaultCase,
  final,
  passing,
  type PlayedCase,
  refused,
  row,
  say,
  serviceFault,
  stop,
  tooLong,
} from './fault-case.ts'

function overflow(status: number, promptTokens: number | null = null, window: number | null = null): ExpectedFailure {
  return final('context_overflow', { status, ...tooLong(promptTokens, window) })
}
const cut = { form: 'one cut, one retry', skip: 'the step runner’s: test/workflows/prompt-repair.test.ts' }

const long = { inputTokens: 10_000 }

/** A prompt of about 10 000 tokens was cut to `window` without a word. */
function cutTo(form: string, usage: Readonly<Record<string, number>>, window: number): Omit<PlayedCase, 'row'> {
  const message = new RegExp(`cut the prompt of about 10000 tokens to its window of ${window} tokens`)
  return {
    form: `flagged: ${form}`,
    answer: { text: 'ok', usage },
    request: long,
    before: 'ok',
    fails: final('context_overflow', { message, ...tooLong(null, window) }),
    learnsWindow: window,
  }
}

function whole(
  form: string,
  usage: Readonly<Record<string, number>> | null,
  inputTokens = long.inputTokens,
): Omit<PlayedCase, 'row'> {
  const answer = { text: 'ok', usage }
  return { form: `not flagged: ${form}`, answer, request: { inputTokens }, gives: { text: 'ok' }, learnsWindow: null }
}

/** The dialects of “the prompt is too long”. */
export const overflowRows: readonly FaultCase[] = [
  ...row(
    'context exceeded: llama.cpp 400 `type:exceed_context_size_error` + `n_prompt_tokens`,`n_ctx` (2025-09 builds: 500; 500 "Context size has been exceeded." `server_error` mid-generation, ggml-org/llama.cpp#19774)',
    ...[400, 500].flatMap((status) =>
      bothWays({
        form: `${status} with a type`,
        answer: refused(status, {
          code: status,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 9_000,
          n_ctx: 4_096,
        }),
        fails: overflow(status, 9_000, 4_096),
        learnsWindow: 4_096,
      }),
    ),
    {
      form: '500 with only a text',
      answer: refused(500, { code: 500, message: 'Context size has been exceeded.', type: 'server_error' }),
      fails: overflow(500),
    },
    {
      form: 'in the middle of the answer',
      answer: rawStream(
        say('Hello') +
          sseEvent({ error: { code: 500, message: 'Context size has been exceeded.', type: 'server_error' } }),
      ),
      before: 'Hello',
      fails: overflow(500),
    },
    cut,
  ),
  ...row(
    'OpenAI 400 `code:context_length_exceeded`',
    ...bothWays({
      form: 'with its numbers',
      answer: refused(400, {
        code: 'context_length_exceeded',
        type: 'invalid_request_error',
        message:
          "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.",
      }),
      fails: overflow(400, 9_001, 8_192),
      learnsWindow: 8_192,
    }),
    {
      form: 'without numbers',
      answer: refused(400, { code: 'context_length_exceeded', message: 'Your input exceeds the context window.' }),
      fails: overflow(400),
    },
    cut,
  ),
  ...row(
    'vLLM <0.16 `"This model\'s maximum context length is X tokens. However, you requested Y tokens (A in the messages, B in the completion)…"` flat `{object:\'error\',…}`; >=0.16 `"You passed X input tokens and requested Y output tokens. However, the model\'s context length is only Z"` `param:input_tokens`; `"max_tokens must be at least 1, got -186"`',
    {
      form: 'before 0.16',
      answer: {
        status: 400,
        body: {
          object: 'error',
          type: 'BadRequestError',
          param: null,
          code: 400,
          message:
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
        },
      },
      fails: overflow(400, 4_000, 4_096),
      learnsWindow: 4_096,
    },
    {
      form: 'since 0.16',
      answer: refused(400, {
        type: 'BadRequestError',
        param: 'input_tokens',
        code: 400,
        message:
          "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.",
      }),
      fails: overflow(400, 5_000, 4_096),
      learnsWindow: 4_096,
    },
    {
      form: 'a negative rest',
      answer: refused(400, { type: 'BadRequestError', message: 'max_tokens must be at least 1, got -186' }),
      fails: overflow(400),
    },
    cut,
  ),
  ...row(
    'Ollama: **silent truncation with 200** (num_ctx default 4096, ignored on /v1)',
    cutTo('the prompt is as long as the window', { prompt_tokens: 4_096, completion_tokens: 7 }, 4_096),
    cutTo('one token short of it', { prompt_tokens: 4_095, completion_tokens: 7 }, 4_096),
    cutTo('prompt and answer together are', { prompt_tokens: 4_000, completion_tokens: 96 }, 4_096),
    { ...cutTo('without a stream', { prompt_tokens: 2_048, completion_tokens: 7 }, 2_048), stream: false },
    {
      form: 'far fewer tokens than the estimate, once that is known to be good',
      plays: async ({ server, call }) => {
        server.answerWith(() => ({ text: 'ok', usage: { prompt_tokens: 1_000, completion_tokens: 1 } }))
        expect((await call({ inputTokens: 1_000 })).failure).toBeNull()
        server.answerWith(() => ({ text: 'ok', usage: { prompt_tokens: 3_001, completion_tokens: 1 } }))
        const { failure } = await call({ inputTokens: 13_000 })
        expect(failure).toMatchObject({ code: 'context_overflow', details: tooLong(null, 3_001) })
      },
    },
    whole('a prompt that fits', { prompt_tokens: 4_096, completion_tokens: 7 }, 5_000),
    whole('a small prompt', { prompt_tokens: 512, completion_tokens: 7 }, 5_000),
    whole('far fewer tokens than an estimate that nobody has corrected', {
      prompt_tokens: 3_001,
      completion_tokens: 7,
    }),
    whole('fewer tokens, which are no window', { prompt_tokens: 6_000, completion_tokens: 7 }),
    whole('usage that is our own estimate', null),
  ),
  ...row(
    'LM Studio GGUF: 200 empty stream on overflow',
    { form: 'no event at all is no answer', answer: rawStream(done), fails: serviceFault('llm_truncated') },
    { form: 'an end without a delta is no answer', answer: rawStream(stop + done), fails: passing('empty_output') },
    ...[done, stop + done].map((body) => ({
      form: `a long prompt and ${body === done ? 'no event' : 'an end without a delta'}: it may not fit`,
      answer: rawStream(body),
      request: { inputTokens: 6_000 },
      fails: (body === done ? serviceFault : passing)('context_overflow', {
        ...tooLong(),
        message: /nothing for a prompt of about 6000 tokens/,
      }),
      learnsWindow: null,
    })),
    {
      form: 'the same prompt fits a window that is known',
      answer: rawStream(stop + done),
      request: { inputTokens: 6_000, target: targetOf({ contextWindow: 8_192 }) },
      fails: passing('empty_output'),
    },
    {
      form: 'a shorter one does not fit a smaller window',
      answer: rawStream(stop + done),
      request: { inputTokens: 1_800, target: targetOf({ contextWindow: 2_048 }) },
      fails: passing('context_overflow', tooLong()),
    },
    {
      form: 'reasoning alone is something: the prompt was read',
      answer: { text: '', reasoning: 'Hm' },
      request: { inputTokens: 6_000 },
      fails: passing('empty_output'),
    },
  ),
]
