import type { FailureCode } from '../../src/errors.ts'
import { type Behaviour, chunkOf, type HttpAnswer, rawStream, sseEvent } from '../support/fault-answers.ts'

/** A fault of a model server, and what a call must make of it. */
export interface Row {
  readonly name: string
  readonly answer: Behaviour
  readonly code: FailureCode
  readonly retryable: boolean
  readonly message?: string | RegExp
  readonly status?: number
  readonly retryAfterMs?: number
  readonly stream?: boolean
}

/** An answer with an error object as OpenAI has it. */
export const error = (status: number, fields: object | string, headers: Record<string, string> = {}): HttpAnswer => ({
  status,
  headers,
  body: { error: fields },
})
const hello = sseEvent(chunkOf({ content: 'Hello' }))

/** Error statuses. */
export const statusRows: readonly Row[] = [
  ...[400, 404, 409, 413, 422].map((status) => ({
    name: `${status}`,
    answer: error(status, { message: 'no such model' }),
    code: 'llm_rejected' as const,
    retryable: false,
    status,
    message: `The model server answered ${status}: no such model`,
  })),
  ...[401, 403].map((status) => ({
    name: `${status}`,
    answer: error(status, { message: 'Incorrect API key provided: canary-key-123' }),
    code: 'llm_unauthorized' as const,
    retryable: false,
    status,
    message: /Incorrect API key provided: … \(OPENAI_API_KEY\)/,
  })),
  ...[408, 500, 502, 503, 504, 529].map((status) => ({
    name: `${status}`,
    answer: error(status, { message: 'overloaded' }),
    code: 'llm_error' as const,
    retryable: true,
    status,
  })),
  {
    name: 'redirect',
    answer: { status: 307, headers: { location: 'http://other/' } },
    code: 'llm_rejected',
    retryable: false,
    message: /redirect/,
  },
  {
    name: 'string error of Ollama',
    answer: error(404, 'model "x" not found'),
    code: 'llm_rejected',
    retryable: false,
    message: /model "x" not found/,
  },
  {
    name: 'FastAPI detail',
    answer: { status: 404, body: { detail: 'Not Found' } },
    code: 'llm_rejected',
    retryable: false,
    message: /404: Not Found/,
  },
  {
    name: '502 page',
    answer: {
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: `<html><style>p{}</style><body><h1>502 Bad Gateway</h1>${'x'.repeat(5000)}</body></html>`,
    },
    code: 'llm_error',
    retryable: true,
    message: /^The model server answered 502: 502 Bad Gateway x+…$/,
  },
  {
    name: 'empty 500',
    answer: { status: 500 },
    code: 'llm_error',
    retryable: true,
    message: 'The model server answered 500',
  },
  { name: '429', answer: error(429, { message: 'slow down' }), code: 'llm_rate_limited', retryable: true, status: 429 },
  {
    name: '429 in seconds',
    answer: error(429, {}, { 'retry-after': '120' }),
    code: 'llm_rate_limited',
    retryable: true,
    retryAfterMs: 120_000,
  },
  {
    name: '429 in milliseconds',
    answer: error(429, {}, { 'retry-after-ms': '1500', 'retry-after': '9' }),
    code: 'llm_rate_limited',
    retryable: true,
    retryAfterMs: 1_500,
  },
  {
    name: 'quota',
    answer: error(429, { code: 'insufficient_quota', message: 'You exceeded your current quota' }),
    code: 'quota_exhausted',
    retryable: false,
  },
  { name: '402', answer: error(402, { message: 'Insufficient Balance' }), code: 'quota_exhausted', retryable: false },
  {
    name: 'Azure filter',
    answer: error(400, { code: 'content_filter', message: 'filtered' }),
    code: 'content_filtered',
    retryable: false,
  },
  {
    name: 'llama.cpp loading',
    answer: error(503, { code: 503, message: 'Loading model', type: 'unavailable_error' }),
    code: 'llm_error',
    retryable: true,
    retryAfterMs: 1_000,
  },
]

/** The ways to say that the prompt is too long. */
export const overflowRows: readonly Row[] = [
  {
    name: 'llama.cpp 400',
    answer: error(400, {
      code: 400,
      message: 'the request exceeds the available context size',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 9000,
      n_ctx: 4096,
    }),
  },
  {
    name: 'llama.cpp 500',
    answer: error(500, { code: 500, message: 'Context size has been exceeded.', type: 'server_error' }),
  },
  {
    name: 'OpenAI',
    answer: error(400, {
      code: 'context_length_exceeded',
      message: "This model's maximum context length is 8192 tokens.",
    }),
  },
  {
    name: 'vLLM before 0.16',
    answer: {
      status: 400,
      body: {
        object: 'error',
        type: 'BadRequestError',
        code: 400,
        message:
          "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).",
      },
    },
  },
  {
    name: 'vLLM since 0.16',
    answer: error(400, {
      type: 'BadRequestError',
      param: 'input_tokens',
      message:
        "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096",
    }),
  },
  { name: 'vLLM, negative rest', answer: error(400, { message: 'max_tokens must be at least 1, got -186' }) },
  {
    name: 'in a stream',
    answer: rawStream(hello + sseEvent({ error: { code: 500, message: 'Context size has been exceeded.' } })),
  },
].map((row) => Object.assign(row, { code: 'context_overflow' as const, retryable: false }))
