import { describe, expect, vi } from 'vitest'
import { watchLoopDelay } from '../../src/http/loop-delay.ts'
import { accessWith, apiKey, bearer } from '../support/access.ts'
import { test } from '../support/http-app.ts'
import { openStream } from '../support/stream-client.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const keys = [apiKey('anna'), apiKey('bert')]

interface Problem {
  readonly type: string
}

describe('rate_limit_per_minute', () => {
  test('counts each key for itself, and says what is left', async ({ edge }) => {
    const limited: string[] = []
    const observer = { requestLimited: ({ key }: { key: string }) => limited.push(key) }
    const { app } = await edge({ access: accessWith(keys, { ratePerMinute: 3 }) }, { observer })
    const ask = (name: string) => app.inject({ url: '/workflows', headers: bearer(name) })
    for (const left of ['2', '1', '0']) {
      const { statusCode, headers } = await ask('anna')
      expect([statusCode, headers['ratelimit-remaining'], headers['ratelimit-limit']]).toEqual([200, left, '3'])
      expect(Number(headers['ratelimit-reset'])).toBeGreaterThan(0)
    }
    const refused = await ask('anna')
    expect([refused.statusCode, refused.json<Problem>().type]).toEqual([429, '/problems/rate-limited'])
    expect(refused.headers['retry-after']).toBe(refused.headers['ratelimit-reset'])
    expect(refused.headers['ratelimit-remaining']).toBe('0')
    expect((await ask('bert')).statusCode).toBe(200)
    expect(limited).toEqual(['anna'])
    for (const probe of ['/livez', '/readyz', '/health']) {
      const answer = await app.inject(probe)
      expect([answer.statusCode, answer.headers['ratelimit-limit']]).toEqual([200, undefined])
    }
  })

  test('counts each address where nobody has a key, and on open pages', async ({ edge }) => {
    const open = await edge({ access: accessWith([], { ratePerMinute: 1 }) })
    const ask = (remoteAddress: string, url = '/workflows') => open.app.inject({ url, remoteAddress })
    expect((await ask('10.0.0.1')).statusCode).toBe(200)
    expect((await ask('10.0.0.1')).statusCode).toBe(429)
    expect((await ask('10.0.0.1', '/problems')).statusCode).toBe(429)
    expect((await ask('10.0.0.2')).statusCode).toBe(200)
  })

  test('is off by default', async ({ shared: { app } }) => {
    expect((await app.inject('/workflows')).headers).not.toHaveProperty('ratelimit-limit')
  })
})

describe('wrong keys', () => {
  test('are limited by address, and lock out nobody who was let in from there before', async ({ edge }) => {
    const { app } = await edge({ access: accessWith(keys, { failuresPerMinute: 2 }) })
    const ask = async (name: string, remoteAddress = '10.0.0.1') => {
      return (await app.inject({ url: '/workflows', headers: bearer(name), remoteAddress })).statusCode
    }
    expect(await ask('anna')).toBe(200)
    expect([await ask('x'), await ask('y'), await ask('z')]).toEqual([401, 401, 429])
    expect(await ask('anna')).toBe(200)
    expect(await ask('bert')).toBe(429)
    expect(await ask('bert', '10.0.0.2')).toBe(200)
    const refused = await app.inject({ url: '/workflows', headers: bearer('x'), remoteAddress: '10.0.0.1' })
    expect(refused.json<Problem>().type).toBe('/problems/rate-limited')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await app.inject({ url: '/workflows', remoteAddress: '10.0.0.1' })).statusCode).toBe(401)
  })
})

describe('max_sse_connections_per_key', () => {
  test('is each key’s own, and 429', async ({ edge }) => {
    const made = await edge({ access: accessWith(keys, { maxStreamsPerKey: 2 }) })
    const base = await made.listen()
    const { id } = (
      await made.app.inject({ method: 'POST', url: '/workflows', headers: bearer('anna'), payload: good })
    ).json<{ id: string }>()
    const open = (name: string) => openStream(`${base}/workflows/${id}/events`, { headers: bearer(name) })
    const first = await open('anna')
    const second = await open('anna')
    const third = await open('anna')
    expect([first.status, second.status, third.status]).toEqual([200, 200, 429])
    expect(third.headers['retry-after']).toBeTruthy()
    const started = { method: 'POST', headers: bearer('anna'), body: good }
    expect((await openStream(`${base}/workflows`, started)).status).toBe(429)
    expect(made.service.started).toHaveLength(1)
    const other = await open('bert')
    expect(other.status).toBe(200)
    first.destroy()
    await vi.waitFor(async () => {
      const again = await open('anna')
      expect(again.status).toBe(200)
      again.destroy()
    }, 10_000)
    for (const stream of [second, other]) stream.destroy()
  })
})

describe('overload', () => {
  const access = accessWith([], { overloadDelayMs: 1000 })

  test('refuses new work; reads, cancels and probes go on', async ({ edge }) => {
    let delay = 0
    const { app, service } = await edge({ access }, { loopDelayMs: () => delay })
    const start = () => app.inject({ method: 'POST', url: '/workflows', payload: good })
    const { id } = (await start()).json<{ id: string }>()
    delay = 1001
    const refused = await start()
    expect([refused.statusCode, refused.json<Problem>().type]).toEqual([503, '/problems/overloaded'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    const verbs = ['/agents/developer/tasks', `/workflows/${id}/resume`, `/workflows/${id}/steps/work/rerun`]
    for (const url of verbs) expect((await app.inject({ method: 'POST', url, payload: {} })).statusCode).toBe(503)
    expect(service.started).toHaveLength(1)
    const reads = ['/workflows', `/workflows/${id}`, '/livez', '/readyz', '/health']
    for (const url of reads) expect([url, (await app.inject(url)).statusCode]).toEqual([url, 200])
    const json = { url: `/workflows/${id}/events`, headers: { accept: 'application/json' } }
    expect((await app.inject(json)).statusCode).toBe(200)
    expect((await app.inject({ method: 'POST', url: `/workflows/${id}/cancel` })).statusCode).toBeLessThan(300)
    delay = 1000
    expect((await start()).statusCode).toBe(202)
  })

  test('holds a new stream, and sends it away with retry: a browser never comes back from a 503', async ({ edge }) => {
    let delay = 0
    const made = await edge({ access }, { loopDelayMs: () => delay })
    const base = await made.listen()
    const { id } = (await made.app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>()
    delay = 5000
    const stream = await openStream(`${base}/workflows/${id}/events`)
    expect(stream.status).toBe(200)
    await vi.waitFor(() => expect(stream.end()).toBe('broken'), 10_000)
    expect(stream.text()).toContain('retry: 2000')
    expect(stream.fields('id')).toEqual([])
  })

  test('is measured as soon as the service listens', async ({ edge }) => {
    const made = await edge({ access: accessWith([], { overloadDelayMs: 1 }) })
    const base = await made.listen()
    const headers = { 'content-type': 'application/json' }
    const start = () => fetch(`${base}/workflows`, { method: 'POST', headers, body: JSON.stringify(good) })
    const blocked = async () => {
      const since = performance.now()
      while (performance.now() - since < 300);
      expect((await start()).status).toBe(503)
    }
    await vi.waitFor(blocked, 20_000)
  })

  test('0: never', async ({ edge }) => {
    const { app } = await edge({ access: accessWith([]) }, { loopDelayMs: () => 1_000_000 })
    expect((await app.inject({ method: 'POST', url: '/workflows', payload: good })).statusCode).toBe(202)
  })
})

describe('the delay of the event loop', () => {
  /** A loop that is blocked for so many milliseconds after each tick. */
  function watched() {
    let now = 0
    let tick = () => {}
    const delay = watchLoopDelay({
      now: () => now,
      every: (_ms, callback) => {
        tick = callback
        return () => (tick = () => {})
      },
    })
    const pass = (ms: number, times = 1) => {
      for (let i = 0; i < times; i += 1) {
        now += ms
        tick()
      }
      return delay.now()
    }
    return { pass, delay }
  }

  test('is 0 while timers come in time', () => {
    expect(watched().pass(100, 1000)).toBe(0)
  })

  test('does not take one hiccup for a state', () => {
    const { pass } = watched()
    pass(100, 100)
    expect(pass(1200)).toBeLessThan(1000)
    expect(pass(100, 60)).toBeLessThan(50)
  })

  test('is what it is when the loop is always late, or late most of the time', () => {
    expect(watched().pass(1600, 5)).toBeGreaterThan(1000)
    const { pass } = watched()
    for (let i = 0; i < 5; i += 1) {
      pass(3100)
      expect(pass(100, 10)).toBeGreaterThan(1000)
    }
  })

  test('is not watched any more after the end', () => {
    const { pass, delay } = watched()
    delay.close()
    expect(pass(10_000)).toBe(0)
  })
})
