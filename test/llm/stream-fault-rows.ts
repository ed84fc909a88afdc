import { gzipSync } from 'node:zlib'
import { chunkOf, rawStream, sseEvent } from '../support/fault-answers.ts'
import { error, type Row } from './http-fault-rows.ts'

const hello = sseEvent(chunkOf({ content: 'Hello' }))
const stop = sseEvent(chunkOf({}, 'stop'))

/** Faults inside a stream, or instead of one. */
export const streamRows: readonly Row[] = [
  {
    name: 'hangup before the answer',
    answer: { connection: 'hangup' },
    code: 'llm_error',
    retryable: true,
    message: /before it answered/,
  },
  { name: 'cut', answer: rawStream(hello, 'cut'), code: 'llm_truncated', retryable: true, message: /in the middle/ },
  { name: 'clean end without a finish reason', answer: rawStream(hello), code: 'llm_truncated', retryable: true },
  {
    name: '[DONE] without a finish reason',
    answer: rawStream(hello + sseEvent('[DONE]')),
    code: 'llm_truncated',
    retryable: true,
  },
  { name: 'nothing at all', answer: rawStream(''), code: 'llm_truncated', retryable: true },
  {
    name: 'half an event at the end',
    answer: rawStream(hello + stop.slice(0, 40)),
    code: 'llm_truncated',
    retryable: true,
  },
  {
    name: 'error field instead of data',
    answer: rawStream(`${hello}error: {"code":500}\n\n`),
    code: 'llm_truncated',
    retryable: true,
  },
  {
    name: 'finish_reason abort',
    answer: rawStream(hello + sseEvent(chunkOf({}, 'abort'))),
    code: 'llm_truncated',
    retryable: true,
  },
  {
    name: 'finish_reason error',
    answer: rawStream(hello + sseEvent(chunkOf({}, 'error'))),
    code: 'llm_error',
    retryable: true,
  },
  {
    name: 'malformed chunk',
    answer: rawStream(`${hello}data: {"choices":[\n\n${stop}`),
    code: 'llm_error',
    retryable: true,
    message: /12 characters/,
  },
  {
    name: 'chunk that is no object',
    answer: rawStream(`data: "hello"\n\n${stop}`),
    code: 'llm_error',
    retryable: true,
  },
  {
    name: 'HTML with 200',
    answer: { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<h1>Sign in</h1>' },
    code: 'llm_error',
    retryable: true,
    message: 'The model server sent text/html instead of a stream.',
  },
  { name: 'JSON with 200', answer: { status: 200, body: { choices: [] } }, code: 'llm_error', retryable: true },
  {
    name: 'error chunk with a status',
    answer: rawStream(hello + sseEvent({ error: { code: 502, message: 'upstream' } })),
    code: 'llm_error',
    retryable: true,
    status: 502,
    message: 'The model server broke off: upstream',
  },
  {
    name: 'error chunk, rate limit',
    answer: rawStream(hello + sseEvent({ error: { type: 'rate_limit_error', message: 'slow' } })),
    code: 'llm_rate_limited',
    retryable: true,
  },
  {
    name: 'error chunk, ours',
    answer: rawStream(sseEvent({ error: { code: 400, message: 'bad' } })),
    code: 'llm_rejected',
    retryable: false,
  },
  {
    name: 'error event',
    answer: rawStream(`${hello}event: error\ndata: {"message":"dead"}\n\n`),
    code: 'llm_error',
    retryable: true,
    message: /dead/,
  },
  {
    name: 'content filter',
    answer: rawStream(hello + sseEvent(chunkOf({}, 'content_filter'))),
    code: 'content_filtered',
    retryable: false,
  },
  {
    name: 'refusal',
    answer: rawStream(sseEvent(chunkOf({ refusal: "I can't " })) + sseEvent(chunkOf({ refusal: 'do that' })) + stop),
    code: 'content_filtered',
    retryable: false,
    message: "The model refused: I can't do that",
  },
  { name: 'empty answer', answer: { text: '' }, code: 'empty_output', retryable: true },
  { name: 'whitespace', answer: { text: '', chunks: [' ', '\n\t'] }, code: 'empty_output', retryable: true },
  { name: 'reasoning alone', answer: { text: '', reasoning: 'I think' }, code: 'empty_output', retryable: true },
  {
    name: 'too long',
    answer: 'word '.repeat(20_000),
    code: 'response_too_large',
    retryable: false,
    message: /LLM_MAX_RESPONSE_BYTES/,
  },
  {
    name: 'too long once unpacked',
    answer: {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(5_000_000, ':')),
    },
    code: 'response_too_large',
    retryable: false,
  },
  {
    name: 'broken gzip',
    answer: {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
      body: gzipSync(hello + stop).subarray(0, 40),
    },
    code: 'llm_truncated',
    retryable: true,
  },
]

/** Faults of an answer that was not to be a stream. */
export const plainRows: readonly Row[] = [
  { name: 'HTML', answer: { status: 200, body: '<h1>Sign in</h1>' }, code: 'llm_error' as const, retryable: true },
  { name: 'a string', answer: { status: 200, body: '"hello"' }, code: 'llm_error' as const, retryable: true },
  { name: 'nothing', answer: { status: 200 }, code: 'empty_output' as const, retryable: true },
  {
    name: 'no choices',
    answer: { status: 200, body: { choices: [] } },
    code: 'empty_output' as const,
    retryable: true,
  },
  { name: 'empty', answer: { text: ' ' }, code: 'empty_output' as const, retryable: true },
  {
    name: 'no finish reason',
    answer: { text: 'a', finishReason: null },
    code: 'llm_truncated' as const,
    retryable: true,
  },
  {
    name: 'an error with 200',
    answer: { status: 200, body: { error: { code: 500, message: 'x' } } },
    code: 'llm_error' as const,
    retryable: true,
  },
  {
    name: 'cut',
    answer: { status: 200, body: '{"choices":[', ending: 'cut' as const },
    code: 'llm_truncated' as const,
    retryable: true,
  },
  { name: '404', answer: error(404, 'gone'), code: 'llm_rejected' as const, retryable: false },
].map((row) => Object.assign(row, { stream: false }))
