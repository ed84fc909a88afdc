import { chunkOf, type HttpAnswer, rawStream, sseEvent } from '../../support/fault-answers.ts'
import { done, type FaultCase, final, passing, refused, row, say, serviceFault, stop, tooLong } from './fault-case.ts'

const login = '<!doctype html><title>Sign in</title><form action="/login?token=canary">…</form>'
const whole = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] }

function ok(body: unknown, type = 'application/json'): HttpAnswer {
  return { status: 200, headers: { 'content-type': type }, body }
}

function choice(index: number, content: string, finishReason: string | null = null): object {
  return { index, delta: { content }, finish_reason: finishReason }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) {
    yield Buffer.of(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const hard = 'é漢😀 👩‍👩‍👧'
const answer = say(hard) + stop + done
const wellParsed = {
  'UTF-8 split at every byte': () => bytesOf(answer),
  CRLF: answer.replaceAll('\n', '\r\n'),
  'CRLF split at every byte': () => bytesOf(answer.replaceAll('\n', '\r\n')),
  'bare CR': answer.replaceAll('\n', '\r'),
  'a BOM': `\uFEFF${answer}`,
  'comment lines': `: hi\n\n:\n${answer.replaceAll('\n\n', '\n: ping\n\n')}`,
  'event names, ids and retry': answer.replaceAll('data: ', 'event: message\nid: 7\nretry: 10\ndata: '),
  'no space after the colon': answer.replaceAll('data: ', 'data:'),
  'data over several lines': `data: {"choices":\ndata: [${JSON.stringify(choice(0, hard))}]}\n\n${stop}`,
  'no empty line at the end': (say(hard) + stop).trimEnd(),
  'no [DONE]': say(hard) + stop,
}

/** Bodies that are not what they should be. */
export const bodyRows: readonly FaultCase[] = [
  ...row(
    'HTML login page / JSON with 200 on stream',
    {
      form: 'HTML',
      answer: ok(login, 'text/html; charset=utf-8'),
      fails: serviceFault('llm_error', { message: /^The model server sent text\/html instead of a stream/ }),
    },
    {
      form: 'JSON',
      answer: ok(whole),
      fails: serviceFault('llm_error', { message: /^The model server sent application\/json instead of a stream/ }),
    },
    {
      form: 'no content type',
      answer: { status: 200, body: answer },
      fails: serviceFault('llm_error', { message: /instead of a stream/ }),
    },
    {
      form: 'HTML, without a stream',
      stream: false,
      answer: ok(login, 'text/html'),
      fails: serviceFault('llm_error', { message: /no JSON object/ }),
    },
  ),
  ...row(
    'empty body 200 / `choices:[]` / missing message',
    { form: 'nothing', stream: false, answer: ok(''), fails: passing('empty_output') },
    { form: '`choices: []`', stream: false, answer: ok({ choices: [] }), fails: passing('empty_output') },
    { form: 'no choices', stream: false, answer: ok({ id: 'x' }), fails: passing('empty_output') },
    {
      form: 'no message',
      stream: false,
      answer: ok({ choices: [{ index: 0, finish_reason: 'stop' }] }),
      fails: passing('empty_output'),
    },
    {
      form: 'a stream of empty choices ends without an end',
      answer: rawStream(sseEvent({ choices: [] }) + done),
      fails: serviceFault('llm_truncated'),
    },
    { form: 'a string', stream: false, answer: ok('"hello"'), fails: serviceFault('llm_error') },
  ),
  ...row(
    'malformed SSE JSON chunk',
    {
      form: 'half an object',
      answer: rawStream(`${say('Hello')}data: {"choices":[{"secret canary\n\n${stop}`),
      before: 'Hello',
      fails: serviceFault('llm_error', { message: /event of 27 characters \(SHA-256 [0-9a-f]{12}…\)/ }),
    },
    { form: 'no object', answer: rawStream(`data: "hello"\n\n${stop}`), fails: serviceFault('llm_error') },
    { form: 'null', answer: rawStream(`data: null\n\n${stop}`), fails: serviceFault('llm_error') },
    { form: 'after the finish reason', answer: rawStream(`${say('a')}${stop}data: {\n\n`), gives: { text: 'a' } },
  ),
  ...row(
    '`data: {"error":{…}}` mid-stream (llama.cpp: then closes without [DONE] [src]; vLLM, OpenRouter)',
    {
      form: '5xx',
      answer: rawStream(say('Hello') + sseEvent({ error: { code: 502, message: 'upstream canary-key-123' } })),
      before: 'Hello',
      fails: serviceFault('llm_error', { status: 502, message: /^The model server broke off: upstream …$/ }),
    },
    {
      form: '400',
      answer: rawStream(say('Hello') + sseEvent({ error: { code: 400, message: 'bad' } })),
      fails: final('llm_rejected', { status: 400 }),
    },
    {
      form: '429',
      answer: rawStream(sseEvent({ error: { code: 429, message: 'slow down' } })),
      fails: passing('llm_rate_limited', { status: 429 }),
    },
    {
      form: 'a rate limit by name',
      answer: rawStream(say('Hello') + sseEvent({ error: { type: 'rate_limit_error', message: 'slow' } })),
      fails: passing('llm_rate_limited'),
    },
    {
      form: 'the context',
      answer: rawStream(say('Hello') + sseEvent({ error: { code: 500, message: 'Context size has been exceeded.' } })),
      fails: final('context_overflow', { status: 500, ...tooLong() }),
    },
    {
      form: 'vLLM’s flat object',
      answer: rawStream(say('Hello') + sseEvent({ object: 'error', code: 500, message: 'EngineDeadError' })),
      fails: serviceFault('llm_error', { status: 500 }),
    },
    {
      form: 'an event of that name',
      answer: rawStream(`${say('Hello')}event: error\ndata: {"message":"dead"}\n\n`),
      fails: serviceFault('llm_error', { message: /dead/ }),
    },
    {
      form: '`finish_reason: error`',
      answer: rawStream(say('Hello') + sseEvent(chunkOf({}, 'error'))),
      fails: serviceFault('llm_error'),
    },
    {
      form: 'with 200, without a stream',
      stream: false,
      answer: { ...refused(500, { code: 500, message: 'x' }), status: 200 },
      fails: serviceFault('llm_error', { status: 500 }),
    },
    {
      form: '`error: null` is none',
      answer: rawStream(sseEvent({ ...chunkOf({ content: 'a' }), error: null }) + stop),
      gives: { text: 'a' },
    },
  ),
  ...row('`error: {…}` line (old llama.cpp)', {
    form: 'no finish reason follows',
    answer: rawStream(`${say('Hello')}error: {"code":500,"message":"canary"}\n\n`),
    before: 'Hello',
    fails: serviceFault('llm_truncated'),
  }),
  ...row(
    'UTF-8 split across chunks, CRLF, `\\r` only, BOM, comment lines, `event:` names, 64 KiB lines, no trailing blank line',
    ...Object.entries(wellParsed).map(([form, body]) => ({
      form,
      answer: () => rawStream(typeof body === 'function' ? body() : body),
      gives: { text: hard },
    })),
    {
      form: 'lines of 64 KiB and of 1 MiB',
      answer: rawStream(say('x'.repeat(65_536)) + say('😀'.repeat(262_144)) + stop + done),
      gives: { text: 'x'.repeat(65_536) + '😀'.repeat(262_144) },
    },
    {
      form: 'any text, cut anywhere',
      skip: 'a property: test/llm/answers.test.ts',
    },
  ),
  ...row(
    'duplicate / out-of-order chunk, `index` != 0, n>1',
    {
      form: 'a second choice beside the first',
      answer: rawStream(sseEvent({ choices: [choice(1, 'x'), choice(0, 'a')] }) + stop),
      gives: { text: 'a' },
    },
    {
      form: 'a second choice that ends first',
      answer: rawStream(sseEvent({ choices: [choice(1, 'x', 'length')] }) + say('a') + stop),
      gives: { text: 'a' },
    },
    {
      form: 'text after the finish reason',
      answer: rawStream(say('a') + stop + say('b') + sseEvent(chunkOf({}, 'length')) + done),
      gives: { text: 'a' },
    },
    { form: 'an end that comes twice', answer: rawStream(say('a') + stop + stop + done + done), gives: { text: 'a' } },
    {
      form: 'choices out of order, without a stream',
      stream: false,
      answer: ok({
        choices: [
          { index: 1, message: { content: 'x' }, finish_reason: 'stop' },
          { index: 0, message: { content: 'a' }, finish_reason: 'stop' },
        ],
      }),
      gives: { text: 'a' },
    },
    { form: 'deltas out of order', skip: 'a delta has no number: nobody can see it' },
  ),
]
