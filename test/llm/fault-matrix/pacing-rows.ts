import { expect } from 'vitest'
import type { TextAnswer } from '../../support/fault-answers.ts'
import { firstTry, neverAborted, plainRequest, watch } from '../llm-fixture.ts'
import { until } from '../watched-clock.ts'
import { expectBetween } from './expectations.ts'
import { type FaultCase, passing, type PlayedCase, refused, row, type Scene } from './fault-case.ts'

const wanted = firstTry(plainRequest.target)
const spent = { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '0' }

/** Milliseconds, or the least and the most. */
type Wait = number | readonly [number, number]

/** A good answer whose headers say that the next call must wait so long; 0: it need not. */
function paced(form: string, headers: Record<string, string>, waitMs: Wait): Omit<PlayedCase, 'row'> {
  const answer: TextAnswer = { text: 'ok', headers }
  return { form, answer, gives: { text: 'ok' }, also: (scene) => expectPause(scene, waitMs) }
}

async function expectPause(scene: Scene, waitMs: Wait): Promise<void> {
  const { clock, client, server, call } = scene
  const leftMs = client.readyInMs(wanted)
  expectBetween(leftMs, typeof waitMs === 'number' ? [waitMs, waitMs] : waitMs)
  if (waitMs === 0) return
  expect(client.admit(wanted)).toBe('closed')
  expect((await call()).failure).toMatchObject({ code: 'llm_rate_limited', message: /limits the rate of calls/ })
  expect(server.calls).toHaveLength(1)
  expect(client.status().breakers).toMatchObject([{ state: 'closed', hurting: false }])
  const ready = client.whenReady(wanted, neverAborted)
  clock.advance(leftMs)
  await ready
  expect((await call()).text).toBe('ok')
  expect(server.calls).toHaveLength(2)
}

function limitedWith(headers: Record<string, string>) {
  return refused(429, { message: 'Rate limit reached' }, headers)
}

const loadingError = { code: 503, message: 'Loading model', type: 'unavailable_error' }
const loading = refused(503, loadingError)
const isLoading = passing('llm_error', {
  status: 503,
  retryAfterMs: 1_000,
  uncounted: true,
  message: /503: Loading model$/,
})

/** The server lists its models, or says that it is loading them, until `looks` looks have been made. */
function loadsFor(looks: number, path: '/v1/models' | '/health') {
  const seen: string[] = []
  return {
    seen,
    get: (asked: string) => {
      if (asked !== path) return undefined
      seen.push(asked)
      return seen.length <= looks ? loading : { status: 200, body: { status: 'ok', data: [{ id: 'test-model' }] } }
    },
  }
}

/** The client was told "loading": it looks once a second, and lets the next call through as soon as that is over. */
async function expectLifted(scene: Scene, about: { readonly seen: readonly string[]; readonly looks: number }) {
  const { clock, client, server, call } = scene
  const { seen, looks } = about
  const before = seen.length
  server.answerWith(() => loading)
  expect((await call()).failure).toMatchObject({ code: 'llm_error', details: { uncounted: true } })
  expect(client.refusal(wanted)).toMatchObject({
    code: 'llm_error',
    message: /^The model server is loading its model\./,
  })
  server.answerWith(() => 'ok')
  const ready = client.whenReady(wanted, neverAborted)
  const seenReady = watch(ready)
  for (let look = 1; look <= looks; look += 1) {
    await clock.dueIn(1_000)
    expect([seenReady.over, seen.length - before]).toEqual([false, look - 1])
    clock.advance(1_000)
    await until(() => seen.length - before === look)
  }
  await ready
  expect(clock.now()).toBe(looks * 1_000)
  expect(await call()).toMatchObject({ text: 'ok', failure: null })
  expect(server.calls).toHaveLength(2)
  expect(client.status().breakers).toMatchObject([{ state: 'closed', hurting: false }])
}

const untilTheLook = loadsFor(4, '/v1/models')
const whileListing = loadsFor(2, '/health')

/** Servers that ask for patience. */
export const pacingRows: readonly FaultCase[] = [
  ...row(
    '`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`',
    paced('a Go duration (OpenAI)', { ...spent, 'x-ratelimit-reset-requests': '6m0s' }, 360_000),
    paced('a part of a second', { ...spent, 'x-ratelimit-reset-requests': '120ms' }, 120),
    paced('seconds', { ...spent, 'x-ratelimit-reset-requests': '7' }, 7_000),
    paced(
      'a date',
      { ...spent, 'x-ratelimit-reset-requests': new Date(Date.now() + 1_800_000).toISOString() },
      [1_500_000, 1_800_000],
    ),
    paced('tokens', { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m30.5s' }, 90_500),
    paced(
      'both: the longer',
      {
        ...spent,
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '3s',
      },
      3_000,
    ),
    paced(
      'more than an hour is looked at again after one',
      { ...spent, 'x-ratelimit-reset-requests': '7h' },
      3_600_000,
    ),
    {
      ...paced('without a stream', { ...spent, 'x-ratelimit-reset-requests': '1h' }, 3_600_000),
      stream: false,
    },
    paced('something left', { 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '6m' }, 0),
    paced('nothing said of the reset', spent, 0),
    paced('nonsense', { ...spent, 'x-ratelimit-reset-requests': 'soon' }, 0),
    paced('a reset that is over', { ...spent, 'x-ratelimit-reset-requests': '2020-01-01T00:00:00Z' }, 0),
    {
      form: 'on a 429: it says more than the second that is waited without a word',
      answer: limitedWith({ ...spent, 'x-ratelimit-reset-requests': '9s' }),
      plays: async (scene) => {
        expect((await scene.call()).failure).toMatchObject({ code: 'llm_rate_limited' })
        await expectPause(scene, 9_000)
      },
    },
    {
      form: 'on a 429 with Retry-After: the longer',
      answer: limitedWith({ ...spent, 'x-ratelimit-reset-requests': '9s', 'retry-after': '30' }),
      plays: async (scene) => {
        expect((await scene.call()).failure).toMatchObject({
          code: 'llm_rate_limited',
          details: { retryAfterMs: 30_000 },
        })
        await expectPause(scene, 30_000)
      },
    },
  ),
  ...row(
    'llama.cpp 503 `unavailable_error` "Loading model"',
    { form: 'is waited for', answer: loading, fails: isLoading },
    { form: 'is waited for, without a stream', stream: false, answer: loading, fails: isLoading },
    {
      form: 'is looked at each second, and over as soon as the model is there',
      server: { get: untilTheLook.get },
      plays: async (scene) => {
        await scene.client.check()
        await expectLifted(scene, { seen: untilTheLook.seen, looks: 5 - untilTheLook.seen.length })
      },
    },
    {
      form: 'the same where models are listed while they are loaded',
      server: { get: whileListing.get },
      plays: (scene) => expectLifted(scene, { seen: whileListing.seen, looks: 3 }),
    },
    {
      form: 'for 2 minutes it uses up no try, then it does; the breaker never counts it',
      server: { get: () => loading },
      plays: async ({ server, call, client, clock }) => {
        server.answerWith(() => loading)
        const together = await Promise.all([1, 2, 3].map(() => call()))
        for (const { failure } of together) expect(failure?.details).toMatchObject({ retryable: true, uncounted: true })
        expect(client.readyInMs(wanted)).toBe(120_000)
        expect(client.admit(wanted)).toBe('closed')
        clock.advance(120_000)
        for (let n = 1; n <= 3; n += 1) {
          const { failure } = await call()
          expect(failure).toMatchObject({ code: 'llm_error', details: { retryable: true } })
          expect(failure?.details.uncounted).toBeUndefined()
        }
        expect(client.status().breakers).toMatchObject([{ state: 'closed', hurting: false }])
        expect(server.calls).toHaveLength(6)
      },
    },
    {
      form: 'the step’s tries',
      skip: 'it uses up none: test/workflows/failover.test.ts',
    },
  ),
]
