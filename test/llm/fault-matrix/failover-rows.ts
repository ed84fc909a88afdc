import { expect } from 'vitest'
import type { Behaviour } from '../../support/fault-answers.ts'
import { firstTry } from '../llm-fixture.ts'
import { type FaultCase, refused, row, type Scene } from './fault-case.ts'
import { answers, openPair, orderOf, type Pair } from './several-endpoints.ts'
import { closedPort, listenWithCertificate } from './sockets.ts'

const broken: Behaviour = { status: 500, body: { error: { message: 'The engine is dead' } } }
const fiveMinutes = 5 * 60_000
const inOneTry = 'inside one try, under one deadline: test/workflows/failover.test.ts'

async function openA(pair: Pair): Promise<void> {
  answers(pair.a, broken)
  for (let n = 1; n <= 2; n += 1)
    expect(await pair.call()).toMatchObject({ endpoint: 'a', failure: { code: 'llm_error' } })
}

/** A refuses us: it comes last for 5 minutes, B first; then the old order holds again. */
async function comesLast(scene: Scene, answer: Behaviour, code: string): Promise<void> {
  const pair = await openPair(scene)
  answers(pair.a, answer)
  expect(await pair.call()).toMatchObject({ endpoint: 'a', failure: { code, details: { endpoint: 'a' } } })
  expect(await orderOf(pair)).toBe('ba')
  expect(await pair.call()).toMatchObject({ endpoint: 'b', text: 'ok' })
  expect(pair.client.status().breakers).toMatchObject([{ state: 'closed' }, { state: 'closed' }])
  pair.clock.advance(fiveMinutes - 1)
  expect(await orderOf(pair)).toBe('ba')
  pair.clock.advance(1)
  expect(await orderOf(pair)).toBe('ab')
}

const unauthorized = refused(401, { message: 'Incorrect API key provided', code: 'invalid_api_key' })
const noQuota = refused(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' })

/** What a second endpoint is good for, as far as the model client decides it. */
export const failoverRows: readonly FaultCase[] = [
  ...row(
    'provider A down, B up',
    {
      form: 'an open breaker sends the next calls to B at once',
      plays: async (scene) => {
        const pair = await openPair(scene)
        await openA(pair)
        for (let n = 1; n <= 5; n += 1) expect(await pair.call()).toMatchObject({ endpoint: 'b', text: 'ok' })
        expect([pair.a.calls.length, pair.b.calls.length, pair.clock.now()]).toEqual([2, 5, 0])
        expect(await orderOf(pair)).toBe('ab')
        expect(pair.client.readyInMs(firstTry(...(await pair.targets())))).toBe(0)
        expect(pair.client.refusal(firstTry(...(await pair.targets())))).toBeNull()
      },
    },
    {
      form: 'every event says which endpoint',
      plays: async (scene) => {
        const pair = await openPair(scene)
        await openA(pair)
        await pair.call()
        const ends = pair.told.filter((event) => event.type === 'llm.call_ended')
        expect(ends.map(({ endpoint, outcome }) => `${endpoint} ${outcome}`)).toEqual([
          'a llm_error',
          'a llm_error',
          'b success',
        ])
        expect(pair.client.status()).toMatchObject({
          endpoints: [
            { name: 'a', requests: 2, successes: 0, failures: 2 },
            { name: 'b', requests: 1, successes: 1, failures: 0 },
          ],
          breakers: [
            { endpoint: 'a', state: 'open', hurting: true },
            { endpoint: 'b', state: 'closed', hurting: false },
          ],
        })
      },
    },
    {
      form: 'A is tried again when its breaker lets it',
      plays: async (scene) => {
        const pair = await openPair(scene)
        await openA(pair)
        answers(pair.a, 'well again')
        pair.clock.advance(59_999)
        expect(await pair.call()).toMatchObject({ endpoint: 'b' })
        pair.clock.advance(1)
        expect(await pair.call()).toMatchObject({ endpoint: 'a', text: 'well again' })
      },
    },
    {
      form: 'a rate limit of A sends calls to B meanwhile',
      plays: async (scene) => {
        const pair = await openPair(scene)
        answers(pair.a, refused(429, { message: 'slow down' }, { 'retry-after': '20' }))
        await pair.call()
        pair.clock.advance(19_999)
        expect(await pair.call()).toMatchObject({ endpoint: 'b' })
        answers(pair.a, 'ok')
        pair.clock.advance(1)
        expect(await pair.call()).toMatchObject({ endpoint: 'a' })
      },
    },
    {
      form: 'both down: the one that may be tried first is waited for',
      plays: async (scene) => {
        const pair = await openPair(scene)
        await openA(pair)
        answers(pair.b, refused(429, { message: 'slow down' }, { 'retry-after': '20' }))
        await pair.call()
        const candidates = firstTry(...(await pair.targets()))
        expect(pair.client.admit(candidates)).toBe('closed')
        expect(pair.client.readyInMs(candidates)).toBe(20_000)
        expect(pair.client.refusal(candidates)).toMatchObject({ code: 'llm_rate_limited', details: { endpoint: 'b' } })
        const ready = pair.client.whenReady(candidates, new AbortController().signal)
        pair.clock.advance(20_000)
        await ready
        expect(pair.client.admit(candidates)).toMatchObject({ target: { endpoint: 'b' } })
      },
    },
    { form: 'failover', skip: inOneTry },
  ),
  ...row(
    '401/403',
    {
      form: 'its endpoint comes last for 5 minutes',
      plays: (scene) => comesLast(scene, unauthorized, 'llm_unauthorized'),
    },
    {
      form: 'is told loudly',
      plays: async (scene) => {
        const pair = await openPair(scene)
        answers(pair.a, unauthorized)
        await pair.call()
        const detail = expect.stringContaining('Incorrect API key provided (OPENAI_API_KEY)') as string
        expect(pair.told.at(-1)).toMatchObject({
          type: 'llm.call_ended',
          endpoint: 'a',
          outcome: 'llm_unauthorized',
          status: 401,
          message: detail,
        })
        const { endpoints } = pair.client.status()
        expect(endpoints).toMatchObject([{ reachable: false, detail }, { reachable: true }])
      },
    },
    {
      form: 'a success ends that',
      plays: async (scene) => {
        const pair = await openPair(scene)
        answers(pair.a, unauthorized)
        await pair.call()
        answers(pair.a, 'a new key')
        const [, last] = await pair.targets()
        if (last === undefined) throw new Error('There must be two.')
        expect(await pair.call(firstTry(last))).toMatchObject({ endpoint: 'a', text: 'a new key' })
        expect(await orderOf(pair)).toBe('ab')
      },
    },
    {
      form: 'comes last among endpoints of one order, too',
      plays: async (scene) => {
        const pair = await openPair(scene, { b: { order: 1 } })
        answers(pair.a, unauthorized)
        expect(await pair.call()).toMatchObject({ endpoint: 'a' })
        const candidates = firstTry(...(await pair.targets()))
        const permits = [1, 2, 3].map(() => pair.client.admit(candidates))
        expect(permits).toMatchObject([1, 2, 3].map(() => ({ target: { endpoint: 'b' } })))
      },
    },
    {
      form: 'is used all the same when nobody else can be',
      plays: async (scene) => {
        const pair = await openPair(scene)
        answers(pair.a, unauthorized)
        answers(pair.b, broken)
        for (const endpoint of ['a', 'b', 'b']) expect(await pair.call()).toMatchObject({ endpoint })
        answers(pair.a, 'a new key')
        expect(await pair.call()).toMatchObject({ endpoint: 'a', text: 'a new key' })
      },
    },
  ),
  ...row('429 `insufficient_quota` / billing', {
    form: 'its endpoint comes last for 5 minutes',
    plays: (scene) => comesLast(scene, noQuota, 'quota_exhausted'),
  }),
  ...row('TLS error (expired, wrong host, wrong version)', {
    form: 'a certificate that nobody trusts puts its endpoint last for 5 minutes',
    plays: async (scene) => {
      const port = await listenWithCertificate(scene, { trusted: false, daysLeft: 2 })
      const pair = await openPair(scene, { a: { baseUrl: `https://localhost:${port}/v1` } })
      expect(await pair.call()).toMatchObject({ endpoint: 'a', failure: { code: 'llm_unreachable' } })
      expect(await orderOf(pair)).toBe('ba')
      expect(await pair.call()).toMatchObject({ endpoint: 'b', text: 'ok' })
    },
  }),
  ...row('connection refused', {
    form: 'is no reason to be put last: the breaker counts it',
    plays: async (scene) => {
      const { port } = await closedPort(scene)
      const pair = await openPair(scene, { a: { baseUrl: `http://127.0.0.1:${port}/v1` } })
      expect(await pair.call()).toMatchObject({ endpoint: 'a', failure: { code: 'llm_unreachable' } })
      expect(await orderOf(pair)).toBe('ab')
      expect(await pair.call()).toMatchObject({ endpoint: 'a' })
      expect(await pair.call()).toMatchObject({ endpoint: 'b', text: 'ok' })
    },
  }),
]
