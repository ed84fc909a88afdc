import { describe, expect } from 'vitest'
import { AppError } from '../../src/errors.ts'
import type { AppOptions } from '../../src/http/app-parts.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import { openStream } from '../support/stream-client.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }

interface Started extends TestApp {
  readonly id: string
  readonly url: string
}

async function started(edge: (options?: Partial<AppOptions>) => Promise<TestApp>, options?: Partial<AppOptions>) {
  const made = await edge(options)
  const base = await made.listen()
  const { id } = (await made.app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>()
  return { ...made, id, url: `${base}/workflows/${id}/events` } satisfies Started
}

describe('a stream', () => {
  test('begins with retry, is live, and ends cleanly with its workflow', async ({ edge }) => {
    const { id, url, service, closed, openStreams } = await started(edge)
    const client = await openStream(url)
    expect(client.status).toBe(200)
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(client.headers['x-correlation-id']).toBeTruthy()
    await expect.poll(client.text).toMatch(/^retry: 2000\n\nid: wf_1\.1\nevent: workflow\.queued\ndata: \{.*\}\n\n$/)
    expect(openStreams()).toBe(1)
    const text = 'emoji 😀, CRLF \r\n, and what looks like SSE: \n\ndata: {}\n\n'
    service.emit(id, 'step.delta', { text })
    await expect.poll(() => client.fields('data').length).toBe(2)
    expect(JSON.parse(client.fields('data')[1] ?? '')).toMatchObject({ text })
    service.end(id)
    await expect.poll(client.end).toBe('clean')
    expect(client.fields('event')).toEqual(['workflow.queued', 'step.delta', 'workflow.completed'])
    await expect.poll(() => closed).toMatchObject([{ route: '/workflows/:id/events', frames: 3, end: 'done' }])
    expect([openStreams(), service.openReaders()]).toEqual([0, 0])
  })

  test('is what */* gets on events; a POST streams only when asked to', async ({ edge }) => {
    const { url, service } = await started(edge)
    const anything = await openStream(url, { headers: { accept: '*/*' } })
    expect(anything.headers['content-type']).toBe('text/event-stream')
    anything.destroy()
    await expect.poll(() => service.openReaders()).toBe(0)
    const posts = url.replace(/\/wf_1.*/, '')
    const plain = await openStream(posts, { method: 'POST', headers: { accept: '*/*' }, body: good })
    expect([plain.status, plain.headers['content-type']]).toEqual([202, 'application/json; charset=utf-8'])
    const streamed = await openStream(posts, { method: 'POST', body: good })
    expect([streamed.status, streamed.headers.location]).toEqual([200, '/workflows/wf_3'])
    service.end('wf_3')
    await expect.poll(streamed.end).toBe('clean')
    expect(streamed.fields('event')).toEqual(['workflow.queued', 'workflow.completed'])
  })

  test('a task streams the same way', async ({ edge }) => {
    const { url, service } = await started(edge)
    const base = new URL(url).origin
    const body = { task: 'Review it.' }
    const client = await openStream(`${base}/agents/developer/tasks`, { method: 'POST', body })
    expect(client.headers.location).toBe('/agents/developer/tasks/task_2')
    service.end('task_2')
    await expect.poll(client.end).toBe('clean')
  })

  test('cut and resumed at every frame it is exact, and 204 at the end', async ({ edge }) => {
    const { id, url, service } = await started(edge)
    for (let n = 0; n < 10; n += 1) service.emit(id, 'step.delta', { text: `${n}` })
    service.end(id)
    const seen: string[] = []
    let cursor = ''
    for (let reads = 0; reads < 12; reads += 1) {
      const client = await openStream(url, { headers: cursor === '' ? {} : { 'last-event-id': cursor } })
      await expect.poll(() => client.fields('id').length).toBeGreaterThan(0)
      cursor = client.fields('id')[0] ?? ''
      seen.push(client.fields('event')[0] ?? '')
      client.destroy()
    }
    expect(seen).toEqual(['workflow.queued', ...Array<string>(10).fill('step.delta'), 'workflow.completed'])
    expect((await openStream(url, { headers: { 'last-event-id': cursor } })).status).toBe(204)
    expect((await openStream(`${url}?after=${cursor}`)).status).toBe(204)
    await expect.poll(() => service.openReaders()).toBe(0)
  })

  test('sends heartbeats while nothing happens', async ({ edge }) => {
    const { url } = await started(edge, { sseHeartbeatMs: 10 })
    const client = await openStream(url)
    await expect.poll(() => client.text().split(': ping\n\n').length).toBeGreaterThan(3)
    client.destroy()
  })
})

describe('readers who do not read', () => {
  const big = 'x'.repeat(4_000_000)
  const flood = (made: Started) => {
    for (let n = 0; n < 10; n += 1) made.service.emit(made.id, 'step.delta', { text: big })
  }

  test('a slow one is disconnected, and the others are not held up', async ({ edge }) => {
    const made = await started(edge, { sseSlowClientMs: 800 })
    const slow = await openStream(made.url, { paused: true })
    const quick = await openStream(made.url)
    flood(made)
    made.service.end(made.id)
    await expect.poll(quick.end, { timeout: 20_000 }).toBe('clean')
    expect(quick.fields('event')).toHaveLength(12)
    await expect.poll(() => made.closed.map(({ end }) => end), { timeout: 20_000 }).toContain('slow')
    expect(made.service.openReaders()).toBe(0)
    slow.destroy()
  })

  test('one that takes a little all the time is not slow', async ({ edge }) => {
    const made = await started(edge, { sseSlowClientMs: 400 })
    const client = await openStream(made.url)
    flood(made)
    made.service.end(made.id)
    while (client.end() === null) {
      client.pause()
      await new Promise((resolve) => setTimeout(resolve, 20))
      client.resume()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect([client.end(), client.fields('event').length]).toEqual(['clean', 12])
  })

  test('one that vanishes under back-pressure leaves nothing behind', async ({ edge }) => {
    const made = await started(edge)
    const client = await openStream(made.url, { paused: true })
    flood(made)
    await expect.poll(() => made.service.openReaders()).toBe(1)
    client.destroy()
    await expect.poll(() => made.closed).toMatchObject([{ end: 'client-left' }])
    expect([made.service.openReaders(), made.openStreams()]).toEqual([0, 0])
  })

  test('one that vanishes while nothing happens leaves nothing behind', async ({ edge }) => {
    const made = await started(edge)
    const client = await openStream(made.url)
    client.destroy()
    await expect.poll(() => made.closed).toMatchObject([{ end: 'client-left' }])
    expect(made.service.openReaders()).toBe(0)
  })
})

describe('a server that leaves', () => {
  test('says retry and breaks the stream off', async ({ edge }) => {
    const made = await started(edge)
    const client = await openStream(made.url)
    await expect.poll(() => client.fields('event')).toHaveLength(1)
    made.leave()
    await expect.poll(client.end).toBe('broken')
    expect(client.text()).toMatch(/^retry: 2000\n\n.*\n\nretry: 2000\n\n$/s)
    expect(made.closed).toMatchObject([{ end: 'leaving' }])
    expect(made.service.openReaders()).toBe(0)
  })

  test('close() breaks off what is still open, also under back-pressure', async ({ edge }) => {
    const made = await started(edge)
    const clients = [await openStream(made.url), await openStream(made.url, { paused: true })]
    for (let n = 0; n < 10; n += 1) made.service.emit(made.id, 'step.delta', { text: 'x'.repeat(4_000_000) })
    await made.app.close()
    expect(made.service.openReaders()).toBe(0)
    for (const client of clients) client.destroy()
  })

  test('deletion cuts without an event', async ({ edge }) => {
    const made = await started(edge)
    const client = await openStream(made.url)
    await expect.poll(() => client.fields('event')).toHaveLength(1)
    made.service.drop(made.id)
    await expect.poll(client.end).toBe('broken')
    expect(client.fields('retry')).toHaveLength(1)
    expect(client.fields('event')).toHaveLength(1)
  })

  test('an error of its own breaks it off, and is told', async ({ edge }) => {
    const made = await started(edge)
    const client = await openStream(made.url)
    await expect.poll(() => client.fields('event')).toHaveLength(1)
    made.service.failure = new Error('defect')
    made.service.emit(made.id, 'step.delta')
    await expect.poll(client.end).toBe('broken')
    expect(client.fields('retry')).toHaveLength(2)
    expect(made.failed).toMatchObject([{ route: '/workflows/:id/events', error: made.service.failure }])
  })

  test('a database that is away for a moment is waited for', async ({ edge }) => {
    const made = await started(edge, { notReadyHoldMs: 5000 })
    const client = await openStream(made.url)
    await expect.poll(() => client.fields('event')).toHaveLength(1)
    made.service.failure = new AppError('unavailable', 'away')
    made.service.emit(made.id, 'step.delta')
    made.service.failure = null
    made.service.end(made.id)
    await expect.poll(client.end).toBe('clean')
    expect(client.fields('event')).toHaveLength(3)
  })
})

describe('a stream that cannot be served yet', () => {
  const states = { starting: { ready: false }, draining: { draining: true } }
  for (const [name, state] of Object.entries(states)) {
    test(`${name}: is held, then told to come back`, async ({ edge }) => {
      const made = await started(edge, { notReadyHoldMs: 50 })
      Object.assign(made.state, state)
      const client = await openStream(made.url)
      expect(client.status).toBe(200)
      await expect.poll(client.end).toBe('broken')
      expect(client.fields('event')).toEqual([])
      expect(client.text()).toMatch(/^(retry: 2000\n\n)+$/)
      expect(made.openStreams()).toBe(0)
    })
  }

  test('is served when it can be within that time', async ({ edge }) => {
    const made = await started(edge, { notReadyHoldMs: 5000 })
    made.state.ready = false
    const opening = openStream(made.url)
    made.state.ready = true
    const client = await opening
    await expect.poll(() => client.fields('event')).toHaveLength(1)
    client.destroy()
  })

  test('with the database away', async ({ edge }) => {
    const made = await started(edge, { notReadyHoldMs: 50 })
    made.service.failure = new AppError('unavailable', 'away')
    const client = await openStream(made.url)
    expect(client.status).toBe(200)
    await expect.poll(client.end).toBe('broken')
    expect(client.fields('event')).toEqual([])
  })

  test('beyond max_sse_connections it is 503, and nothing is started', async ({ edge }) => {
    const made = await started(edge, { maxSseConnections: 1 })
    const first = await openStream(made.url)
    const second = await openStream(made.url)
    expect([second.status, second.headers['retry-after']]).toEqual([503, '2'])
    const posts = made.url.replace(/\/wf_1.*/, '')
    expect((await openStream(posts, { method: 'POST', body: good })).status).toBe(503)
    expect(made.service.started).toHaveLength(1)
    first.destroy()
    await expect.poll(() => made.openStreams()).toBe(0)
    const third = await openStream(made.url)
    expect(third.status).toBe(200)
    third.destroy()
  })

  test('a POST that is refused gives its place back', async ({ edge }) => {
    const made = await started(edge, { maxSseConnections: 1 })
    const posts = made.url.replace(/\/wf_1.*/, '')
    const refused = await openStream(posts, { method: 'POST', body: { ...good, type: 'nonsense' } })
    expect(refused.status).toBe(422)
    const client = await openStream(made.url)
    expect(client.status).toBe(200)
    client.destroy()
  })
})
