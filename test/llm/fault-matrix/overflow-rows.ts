import { rawStream, sseEvent } from '../../support/fault-answers.ts'
import { bothWays, done, type FaultCase, final, passing, refused, row, say, serviceFault, stop } from './fault-case.ts'

const overflow = (status: number) => final('context_overflow', { status })
const cut = { form: 'one cut, one retry', skip: 'needs the cut and the one retry after an overflow' }

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
        fails: overflow(status),
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
      fails: overflow(400),
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
      fails: overflow(400),
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
      fails: overflow(400),
      learnsWindow: 4_096,
    },
    {
      form: 'a negative rest',
      answer: refused(400, { type: 'BadRequestError', message: 'max_tokens must be at least 1, got -186' }),
      fails: overflow(400),
    },
    cut,
  ),
  ...row('Ollama: **silent truncation with 200** (num_ctx default 4096, ignored on /v1)', {
    form: 'far fewer prompt tokens than estimated',
    skip: 'the estimate is not compared with what was reported; not built',
  }),
  ...row(
    'LM Studio GGUF: 200 empty stream on overflow',
    { form: 'no event at all is no answer', answer: rawStream(done), fails: serviceFault('llm_truncated') },
    { form: 'an end without a delta is no answer', answer: rawStream(stop + done), fails: passing('empty_output') },
    { form: 'judged by the size of the prompt', skip: 'not told apart from an empty answer; not built' },
  ),
]
