import { describe, expect, onTestFinished } from 'vitest'
import { createLlmClient } from '../../src/llm/llm-client.ts'
import { createHandClock } from '../support/hand-clock.ts'
import { startModelServer } from '../support/fault-server.ts'
import { firstTry, neverAborted, optionsFor, plainRequest, targetOf, test } from './llm-fixture.ts'

const { target } = plainRequest
const minutes = 60_000

async function openWithClock() {
  const clock = createHandClock()
  const server = await startModelServer({ answer: () => ({ status: 500 }) })
  const told: string[] = []
  const breaker = { threshold: 1_000, openMs: 1, halfOpen: 1 }
  const observe = ({ type }: { readonly type: string }): unknown => told.push(type)
  const client = createLlmClient(
    optionsFor(server.url, { breaker, callTimeoutMs: 600 * minutes, idleTimeoutMs: 600 * minutes }),
    { clock, observe },
  )
  onTestFinished(async () => {
    await client.close()
    await server.close()
  })
  await client.check()
  const call = async (): Promise<void> => {
    try {
      for await (const _ of client.stream(plainRequest, neverAborted));
    } catch {}
  }
  return { clock, server, client, call, told }
}

describe('the target', () => {
  test('is what is wanted, else the default, else the first that the server lists', async ({ openBench }) => {
    const bench = await openBench({ models: ['first', 'second'] }, { defaultModel: 'usual' })
    expect(await bench.client.targets('mine', neverAborted)).toMatchObject([{ endpoint: 'default', model: 'mine' }])
    expect(await bench.client.targets(null, neverAborted)).toMatchObject([{ model: 'usual' }])
    const free = await openBench({ models: ['first', 'second'] }, { defaultModel: null })
    const targets = await Promise.all([1, 2, 3].map(() => free.client.targets(null, neverAborted)))
    expect(targets.flat().map(({ model }) => model)).toEqual(['first', 'first', 'first'])
    expect(free.server.gets.filter((path) => path === '/v1/models')).toHaveLength(1)
  })

  test('is "default" where nobody tells', async ({ openBench }) => {
    const { server } = await openBench()
    await server.close()
    const bench = await openBench({}, { ...optionsFor(server.url), defaultModel: null })
    expect(await bench.client.targets(null, neverAborted)).toEqual([targetOf({ model: 'default' })])
    expect(bench.client.status().endpoints).toMatchObject([
      { reachable: false, detail: expect.stringContaining('ECONNREFUSED') as string },
    ])
  })

  test('does not wait for a server that is silent longer than the caller does', async ({ openBench }) => {
    const bench = await openBench({ get: () => ({ connection: 'silence' }) }, { defaultModel: null })
    const stop = new AbortController()
    const asking = bench.client.targets(null, stop.signal)
    stop.abort()
    expect(await asking).toMatchObject([{ model: 'default' }])
  })

  const windows = [
    [{ id: 'm', max_model_len: 4096 }, 4096],
    [{ id: 'm', context_length: 8192 }, 8192],
    [{ id: 'm', meta: { n_ctx: 2048, n_ctx_train: 131_072 } }, 2048],
    [{ id: 'm', meta: { n_ctx_train: 131_072 } }, 1024],
  ] as const
  for (const [row, tokens] of windows) {
    test(`learns its window from ${JSON.stringify(row)}`, async ({ openBench }) => {
      const props = { status: 200, body: { default_generation_settings: { n_ctx: 1024 } } }
      const bench = await openBench({ models: [row], get: (path) => (path === '/props' ? props : undefined) })
      expect(await bench.client.targets('m', neverAborted)).toMatchObject([{ contextWindow: tokens }])
    })
  }

  test('a configured window wins, an overflow corrects it', async ({ openBench }) => {
    const overflow = { type: 'exceed_context_size_error', message: 'too long', n_ctx: 512 }
    const bench = await openBench(
      {
        models: [{ id: 'test-model', max_model_len: 4096 }],
        answer: () => ({ status: 400, body: { error: overflow } }),
      },
      { contextWindow: 1_000 },
    )
    expect(await bench.client.targets(null, neverAborted)).toMatchObject([{ contextWindow: 1_000 }])
    expect((await bench.call()).failure).toMatchObject({ code: 'context_overflow' })
    expect(await bench.client.targets(null, neverAborted)).toMatchObject([{ contextWindow: 512 }])
  })
})

describe('the breaker of a target', () => {
  test('opens by faults of the service, refuses without a request, and is told', async ({ openBench }) => {
    const bench = await openBench(
      { answer: () => ({ status: 500 }) },
      { breaker: { threshold: 2, openMs: 5_000, halfOpen: 1 } },
    )
    await bench.call()
    await bench.call()
    expect((await bench.call()).failure).toMatchObject({ code: 'circuit_open' })
    expect(bench.server.calls).toHaveLength(2)
    expect(bench.ends()).toHaveLength(2)
    expect(bench.client.admit(firstTry(target))).toBe('closed')
    expect(bench.client.status().breakers).toMatchObject([{ state: 'open', hurting: true }])
    const other = { ...target, model: 'other' }
    expect((await bench.call({ target: other })).failure).toMatchObject({ code: 'llm_error' })
  })

  const harmless = [
    ['4xx', { status: 404 }],
    ['a loading model', { status: 503, body: { error: { message: 'Loading model', code: 503 } } }],
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
    ['an empty answer', { text: '' }],
  ] as const
  for (const [name, answer] of harmless) {
    test(`is not opened by ${name}`, async ({ openBench }) => {
      const bench = await openBench({ answer: () => answer }, { breaker: { threshold: 1, openMs: 5_000, halfOpen: 1 } })
      await bench.call()
      expect(bench.client.status().breakers).toMatchObject([{ state: 'closed' }])
    })
  }

  test('429 and a loading model set a not-before time', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ status: 429, headers: { 'retry-after': '30' } }) })
    await bench.call()
    expect(bench.client.admit(firstTry(target))).toBe('closed')
    expect(bench.client.readyInMs(firstTry(target))).toBeGreaterThan(29_000)
    expect((await bench.call()).failure).toMatchObject({
      code: 'llm_rate_limited',
      message: expect.stringContaining('Next try in 30 s') as string,
    })
    expect(bench.server.calls).toHaveLength(1)
  })
})

describe('the pool', () => {
  test('renews a client that failed more than five times in five minutes', async () => {
    const { server, call } = await openWithClock()
    for (let n = 0; n < 8; n += 1) await call()
    const ports = server.calls.map(({ remotePort }) => remotePort)
    // its pool may use two connections in turn
    const before = new Set(ports.slice(0, 6))
    expect(before.size).toBeLessThanOrEqual(2)
    expect(ports.slice(6).some((port) => before.has(port))).toBe(false)
  })

  test('renews a client after an hour, and lets its calls end', async () => {
    const { server, client, clock } = await openWithClock()
    const held = Promise.withResolvers<void>()
    server.answerWith(({ index }) => ({ text: 'a b', ...(index === 0 ? { before: () => held.promise } : {}) }))
    const first = (async () => {
      const events: string[] = []
      for await (const { type } of client.stream(plainRequest, neverAborted)) events.push(type)
      return events
    })()
    await server.called(1)
    clock.advance(61 * minutes)
    for await (const _ of client.stream(plainRequest, neverAborted));
    expect(client.status()).toMatchObject({ activeClients: 2, endpoints: [{ inFlight: 1 }] })
    held.resolve()
    expect(await first).toContain('end')
    expect(client.status()).toMatchObject({ activeClients: 1, endpoints: [{ inFlight: 0 }] })
  })

  test('asks the server at the start and every five minutes', async () => {
    const { clock, client, told } = await openWithClock()
    expect(told.filter((type) => type === 'llm.endpoint_checked')).toHaveLength(1)
    clock.advance(5 * minutes)
    await client.check()
    expect(told.filter((type) => type === 'llm.endpoint_checked')).toHaveLength(2)
  })
})
