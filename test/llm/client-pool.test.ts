import { describe, expect, test } from 'vitest'
import { createClientPool, poolKey } from '../../src/llm/client-pool.ts'
import { createLlmClient } from '../../src/llm/llm-client.ts'
import type { UpstreamClient } from '../../src/llm/upstream-client.ts'
import { createHandClock } from '../support/hand-clock.ts'
import { startModelServer } from '../support/fault-server.ts'
import { collect, endpointOf, neverAborted, optionsFor, plainRequest, targetOf } from './llm-fixture.ts'

const minutes = 60_000

function start() {
  const clock = createHandClock()
  const closed: number[] = []
  let made = 0
  const create = (): UpstreamClient => {
    made += 1
    const number = made
    return {
      chat: () => Promise.reject(new Error('Nobody calls.')),
      get: () => Promise.reject(new Error('Nobody asks.')),
      close: async () => void closed.push(number),
      destroy: async () => void closed.push(-number),
    }
  }
  const pool = createClientPool(create, { clock })
  return { clock, closed, pool, made: () => made }
}

describe('a share of the pool counts', () => {
  test('requests, successes, failures and what is in flight', () => {
    const share = start().pool.share()
    const loans = Array.from({ length: 5 }, () => share.borrow('request'))
    expect(share.figures()).toEqual({ requests: 5, successes: 0, failures: 0, inFlight: 5, latencyMs: null })
    for (const [index, result] of (['success', 'failure', 'fault', 'none'] as const).entries()) {
      loans[index]?.end(result, result === 'success' ? 120 : undefined)
    }
    expect(share.figures()).toEqual({ requests: 5, successes: 1, failures: 2, inFlight: 1, latencyMs: 120 })
  })

  test('no looks', () => {
    const share = start().pool.share()
    share.borrow('look').end('none')
    share.borrow('look')
    expect(share.figures()).toEqual({ requests: 0, successes: 0, failures: 0, inFlight: 0, latencyMs: null })
  })

  test('the mean duration of the latest hundred successes', () => {
    const share = start().pool.share()
    for (let n = 1; n <= 100; n += 1) share.borrow('request').end('success', 1_000)
    expect(share.figures().latencyMs).toBe(1_000)
    for (let n = 1; n <= 50; n += 1) share.borrow('request').end('success', 2_000)
    expect(share.figures().latencyMs).toBe(1_500)
    for (let n = 1; n <= 100; n += 1) share.borrow('request').end('success', 3_000)
    expect(share.figures().latencyMs).toBe(3_000)
  })

  test('only its own', () => {
    const { pool } = start()
    const [one, other] = [pool.share(), pool.share()]
    one.borrow('request').end('success', 10)
    expect(other.figures()).toEqual({ requests: 0, successes: 0, failures: 0, inFlight: 0, latencyMs: null })
  })
})

describe('the client of a pool', () => {
  test('is one, for all shares', () => {
    const { pool, made } = start()
    const clients = [pool.share(), pool.share()].map((share) => share.borrow('request').client)
    expect(clients[0]).toBe(clients[1])
    expect([made(), pool.clients()]).toEqual([1, 1])
  })

  test('is replaced after more than five faults within five minutes, whoever met them', () => {
    const { pool, made, closed } = start()
    const [one, other] = [pool.share(), pool.share()]
    for (let n = 0; n < 3; n += 1) for (const share of [one, other]) share.borrow('request').end('fault')
    expect(made()).toBe(1)
    one.borrow('request')
    expect([made(), pool.clients(), closed]).toEqual([2, 1, [1]])
  })

  test('is not replaced for failures that are no fault of the service, nor for old ones', () => {
    const { pool, made, clock } = start()
    const share = pool.share()
    for (let n = 0; n < 20; n += 1) share.borrow('request').end('failure')
    for (let n = 0; n < 20; n += 1) {
      clock.advance(61_000)
      share.borrow('request').end('fault')
    }
    expect([made(), clock.now() < 60 * minutes]).toEqual([1, true])
  })

  test('ends its calls before it is closed', () => {
    const { pool, clock, closed } = start()
    const share = pool.share()
    const old = [share.borrow('request'), share.borrow('look')]
    clock.advance(61 * minutes)
    share.borrow('request').end('success', 1)
    expect([pool.clients(), closed]).toEqual([2, []])
    old[0]?.end('success', 1)
    expect(closed).toEqual([])
    old[1]?.end('none')
    expect([pool.clients(), closed]).toEqual([1, [1]])
  })

  test('is cut with the pool, and so are those that were replaced', async () => {
    const { pool, clock, closed } = start()
    const share = pool.share()
    share.borrow('request')
    clock.advance(61 * minutes)
    share.borrow('request')
    await pool.destroy()
    expect(closed.toSorted((a, b) => a - b)).toEqual([-2, -1])
  })
})

test('the key of a pool tells neither URL nor key, and is another for another key', () => {
  const keyed = (baseUrl: string, apiKey: string): string => poolKey({ name: 'any', baseUrl, apiKey })
  expect(keyed('http://a/v1', 'canary-key')).toMatch(/^[0-9a-f]{64}$/)
  expect(keyed('http://a/v1', 'k')).toBe(poolKey({ name: 'other', baseUrl: 'http://a/v1', apiKey: 'k' }))
  const all = [
    keyed('http://a/v1', 'k'),
    keyed('http://a/v1', 'l'),
    keyed('http://a/v1', ''),
    keyed('http://b/v1', 'k'),
  ]
  expect(new Set(all).size).toBe(4)
})

describe('endpoints', () => {
  async function openTwo(apiKeys: readonly [string, string]) {
    const server = await startModelServer({ answer: () => 'ok' })
    const endpoints = apiKeys.map((apiKey, index) =>
      endpointOf({ name: 'ab'.charAt(index), baseUrl: server.url, apiKey, order: index }),
    )
    const client = createLlmClient(optionsFor('', { endpoints }), { observe: () => {} })
    await client.check()
    const call = (endpoint: string) =>
      collect(client.stream({ ...plainRequest, target: targetOf({ endpoint }) }, neverAborted))
    const close = async (): Promise<void> => {
      await client.close()
      await server.close()
    }
    return { server, client, call, [Symbol.asyncDispose]: close }
  }

  test('of one URL and key share a client, and keep their own figures and names', async () => {
    await using two = await openTwo(['same', 'same'])
    expect(two.client.status().activeClients).toBe(1)
    await two.call('a')
    two.server.answerWith(() => ({ status: 400 }))
    expect((await two.call('b')).failure).toMatchObject({ details: { endpoint: 'b' } })
    expect(two.client.status()).toMatchObject({
      requestCount: 2,
      endpoints: [
        { name: 'a', requests: 1, successes: 1, failures: 0, latencyMs: expect.any(Number) as number },
        { name: 'b', requests: 1, successes: 0, failures: 1, latencyMs: null },
      ],
    })
  })

  test('of two keys never share one', async () => {
    await using two = await openTwo(['one', 'two'])
    expect(two.client.status().activeClients).toBe(2)
    await two.call('a')
    await two.call('b')
    const [first, second] = two.server.calls
    expect([first, second].map((call) => call?.headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
    expect(first?.remotePort).not.toBe(second?.remotePort)
  })
})
