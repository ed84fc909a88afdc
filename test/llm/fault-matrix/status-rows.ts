import { expect } from 'vitest'
import type { HttpAnswer } from '../../support/fault-answers.ts'
import { firstTry, targetOf } from '../llm-fixture.ts'
import { breakerStates } from './expectations.ts'
import {
  bothWays,
  type ExpectedFailure,
  type FaultCase,
  final,
  passing,
  refused,
  row,
  serviceFault,
  tooLong,
} from './fault-case.ts'

// what a careless server may say of whom it talks to
const careless = 'Incorrect API key provided: canary-key-123 (sk-proj-abc***xyz), Bearer canary.token at Error.stack'

function limited(headers: Record<string, string>, expected: Partial<ExpectedFailure>) {
  return {
    answer: refused(429, { message: 'Rate limit reached' }, headers),
    fails: passing('llm_rate_limited', { status: 429, message: /429: Rate limit reached/, ...expected }),
  }
}

function overloaded(status: number, type: string) {
  return {
    form: `${status}`,
    answer: refused(status, { message: 'The server had an error', type }),
    fails: serviceFault('llm_error', {
      status,
      message: new RegExp(`^The model server answered ${status}: The server had an error$`),
    }),
  }
}

function page(status: number, body: string): HttpAnswer {
  return { status, headers: { 'content-type': 'text/html' }, body }
}

/** Error statuses. */
export const statusRows: readonly FaultCase[] = [
  ...row(
    '400 invalid request',
    ...bothWays({
      form: 'an error object',
      answer: refused(400, { message: "Unsupported value: 'temperature'", type: 'invalid_request_error' }),
      fails: final('llm_rejected', { status: 400, message: /answered 400: Unsupported value: 'temperature'$/ }),
    }),
    {
      form: 'a Retry-After of a final failure holds up nobody',
      answer: refused(400, { message: 'No such parameter' }, { 'retry-after': '30' }),
      fails: final('llm_rejected', { status: 400, retryAfterMs: 30_000 }),
    },
    {
      form: 'with a secret and a page of text',
      answer: refused(400, { message: `${careless}\n${'<b>x</b> '.repeat(4_000)}` }),
      fails: final('llm_rejected', { status: 400, message: /^The model server answered 400: .{100,200}$/ }),
    },
    {
      form: 'an object that says nothing known',
      answer: { status: 400, body: { fault: { at: 'top_k' } } },
      fails: final('llm_rejected', { status: 400, message: /top_k/ }),
    },
  ),
  ...row(
    '401/403',
    ...[401, 403].flatMap((status) =>
      bothWays({
        form: `${status}`,
        answer: refused(status, { message: careless, code: 'invalid_api_key' }),
        fails: final('llm_unauthorized', { status, message: /Incorrect API key provided: ….*\(OPENAI_API_KEY\)$/ }),
      }),
    ),
    {
      form: 'a circuit `auth` of its own',
      skip: 'the design counts only faults of the service; instead its endpoint comes last, as the rows of failover say',
    },
  ),
  ...row(
    '404 model (Ollama `{"error":"model x not found"}` string body)',
    ...bothWays({
      form: 'a string',
      answer: refused(404, 'model "x" not found, try pulling it first'),
      fails: final('llm_rejected', { status: 404, message: /404: model "x" not found, try pulling it first$/ }),
    }),
    {
      form: 'an object',
      answer: refused(404, { message: 'The model `x` does not exist', code: 'model_not_found' }),
      fails: final('llm_rejected', { status: 404, message: /The model `x` does not exist/ }),
    },
    {
      form: 'FastAPI’s detail',
      answer: { status: 404, body: { detail: 'Not Found' } },
      fails: final('llm_rejected', { status: 404, message: /404: Not Found$/ }),
    },
  ),
  ...row(
    '408 / 409',
    {
      form: '408',
      answer: refused(408, { message: 'Request timeout' }),
      fails: serviceFault('llm_error', { status: 408 }),
    },
    {
      form: '409 of a lock',
      answer: refused(409, { message: 'The resource is locked by another request', type: 'conflict_error' }),
      fails: serviceFault('llm_error', { status: 409, message: /409: The resource is locked/ }),
    },
    {
      form: '409 of anything else',
      answer: refused(409, { message: 'The block is already there' }),
      fails: final('llm_rejected', { status: 409 }),
    },
  ),
  ...row(
    '413 / 422',
    {
      form: '422',
      answer: refused(422, { message: 'It does not fit the schema' }),
      fails: final('llm_rejected', { status: 422 }),
    },
    {
      form: '413',
      answer: refused(413, { message: 'Too much' }),
      fails: final('llm_rejected', { status: 413, ...tooLong() }),
    },
    {
      form: '413 of a proxy',
      answer: page(413, '<h1>413</h1>'),
      fails: final('llm_rejected', { status: 413, ...tooLong() }),
    },
    {
      form: '413 of a limit per minute that the request alone exceeds (Groq)',
      answer: refused(413, {
        message:
          'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14810, please reduce your message size and try again.',
        type: 'tokens',
        code: 'rate_limit_exceeded',
      }),
      fails: final('context_overflow', { status: 413, ...tooLong(null, 6_000) }),
      learnsWindow: 6_000,
    },
    { form: '413, then a shorter prompt', skip: 'the step runner’s: test/workflows/prompt-repair.test.ts' },
  ),
  ...row(
    '429 + Retry-After (s / HTTP-date / `retry-after-ms`)',
    ...bothWays({ form: '1 s', ...limited({ 'retry-after': '1' }, { retryAfterMs: 1_000 }) }),
    { form: '120 s', ...limited({ 'retry-after': '120' }, { retryAfterMs: 120_000 }) },
    { form: '90 minutes', ...limited({ 'retry-after': '5400' }, { retryAfterMs: 5_400_000 }) },
    {
      form: 'a date',
      ...limited(
        { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() },
        { retryAfterMs: [3_400_000, 3_600_000] },
      ),
    },
    {
      form: 'a date that is over',
      ...limited({ 'retry-after': new Date(Date.now() - 60_000).toUTCString() }, { retryAfterMs: 0 }),
    },
    {
      form: 'milliseconds win',
      ...limited({ 'retry-after-ms': '1500', 'retry-after': '9' }, { retryAfterMs: 1_500 }),
    },
    { form: 'nonsense', ...limited({ 'retry-after': 'soon' }, {}) },
    { form: 'none', ...limited({}, {}) },
    {
      form: 'holds up its endpoint and model, and no other',
      answer: refused(429, { message: 'Rate limit reached' }, { 'retry-after': '20' }),
      plays: async ({ call, client, clock }) => {
        const other = targetOf({ model: 'other' })
        await call()
        expect(client.admit(firstTry(targetOf()))).toBe('closed')
        expect(await call({ target: other })).toMatchObject({ text: 'ok', failure: null })
        expect(client.admit(firstTry(targetOf(), other))).toMatchObject({ target: other })
        clock.advance(20_000)
        expect(client.admit(firstTry(targetOf(), other))).toMatchObject({ target: targetOf() })
      },
    },
    {
      form: 'the step gives its place up',
      skip: 'the step runner’s: test/workflows/step-runner.test.ts',
    },
  ),
  ...row(
    '429 `insufficient_quota` / billing',
    ...['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active'].map((code) => ({
      form: code,
      answer: refused(429, { code, type: code, message: 'You exceeded your current quota' }),
      fails: final('quota_exhausted', { status: 429, message: /You exceeded your current quota/ }),
    })),
    {
      form: '402',
      answer: refused(402, { message: 'Insufficient Balance' }),
      fails: final('quota_exhausted', { status: 402 }),
    },
    { form: 'fall back', skip: 'the step runner’s: test/workflows/failover.test.ts' },
  ),
  ...row(
    '500/502/503/504',
    ...[500, 502, 503, 504].flatMap((status) => bothWays(overloaded(status, 'server_error'))),
    {
      form: '503 + Retry-After',
      answer: refused(503, { message: 'busy' }, { 'retry-after': '7' }),
      fails: serviceFault('llm_error', { status: 503, retryAfterMs: 7_000 }),
    },
    {
      form: '503 + Retry-After is a not-before time for everybody, whatever the breaker says',
      options: { breaker: { threshold: 5, openMs: 60_000, halfOpen: 3 } },
      answer: refused(503, { message: 'busy' }, { 'retry-after': '7' }),
      plays: async ({ call, client, clock, server, told }) => {
        expect((await call()).failure).toMatchObject({ code: 'llm_error', details: { retryAfterMs: 7_000 } })
        clock.advance(6_999)
        expect((await call()).failure).toMatchObject({ code: 'llm_error', details: { retryAfterMs: 1 } })
        expect(client.refusal(firstTry(targetOf()))?.message).toBe('The model server asked to wait. Next try in 1 s.')
        clock.advance(1)
        expect((await call()).text).toBe('ok')
        expect(server.calls).toHaveLength(2)
        expect(breakerStates(told)).toEqual([])
      },
    },
    {
      form: '500 without a body',
      answer: { status: 500 },
      fails: serviceFault('llm_error', { status: 500, message: /^The model server answered 500$/ }),
    },
  ),
  ...row('529 overloaded (Anthropic-style)', ...bothWays(overloaded(529, 'overloaded_error')), {
    form: 'a longer base',
    skip: 'the design has one schedule',
  }),
  ...row(
    '502 HTML page',
    ...bothWays({
      form: 'a long page',
      answer: page(502, `<html><style>p{}</style><body><h1>502 Bad Gateway</h1>${'x'.repeat(5_000)}</body></html>`),
      fails: serviceFault('llm_error', {
        status: 502,
        message: /^The model server answered 502: 502 Bad Gateway x{100,200}…$/,
      }),
    }),
    {
      form: 'a page in logs only',
      skip: 'its first 200 characters, without tags and secrets, are in the message, as those of any error',
    },
  ),
]
