import { describe, expect } from 'vitest'
import type { AppOptions } from '../../src/http/app-parts.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import { openStream } from '../support/stream-client.ts'

const origin = 'https://app.example.com'
const good = { type: 'feature_development', requirement: 'A REST API' }

type Edge = (options?: Partial<AppOptions>) => Promise<TestApp>

/** An application with one workflow, for pages of one origin. */
async function forPages(edge: Edge, options: Partial<AppOptions> = {}) {
  const made = await edge({ corsOrigins: [origin], ...options })
  const { id } = (await made.app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>()
  return { ...made, id, path: `/workflows/${id}/events` }
}

function preflight(made: TestApp, url: string, headers: Record<string, string>) {
  return made.app.inject({ method: 'OPTIONS', url, headers: { 'access-control-request-method': 'GET', ...headers } })
}

function words(header: unknown): readonly string[] {
  return String(header).toLowerCase().split(/,\s*/)
}

describe('without cors_origins', () => {
  test('nothing is said about origins', async ({ edge }) => {
    const made = await forPages(edge, { corsOrigins: [] })
    const answers = [
      await preflight(made, '/workflows', { origin }),
      await made.app.inject({ url: '/workflows', headers: { origin } }),
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([204, 200])
    for (const { headers } of answers) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('with cors_origins', () => {
  test('a preflight is answered with everything that a client needs', async ({ edge }) => {
    const made = await forPages(edge)
    for (const path of ['/workflows', made.path, `/workflows/${made.id}/steps/work/rerun`, '/agents/developer/tasks']) {
      const answer = await preflight(made, path, { origin })
      expect([answer.statusCode, answer.body]).toEqual([204, ''])
      expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-max-age': '600' })
      expect(answer.headers['x-correlation-id']).toBeTruthy()
      expect(answer.headers['allow']).toContain('OPTIONS')
      expect(words(answer.headers.vary)).toContain('origin')
      expect(words(answer.headers['access-control-allow-methods'])).toEqual(['get', 'head', 'post', 'delete'])
      expect(words(answer.headers['access-control-allow-headers'])).toEqual(
        expect.arrayContaining(
          words(
            'accept, authorization, content-type, cache-control, idempotency-key, if-none-match, last-event-id',
          ).concat(words('prefer, range, traceparent, x-correlation-id')),
        ),
      )
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    }
  })

  test('an OPTIONS that is no preflight, and one of nothing, are what they are without', async ({ edge }) => {
    const made = await forPages(edge)
    const plain = await made.app.inject({ method: 'OPTIONS', url: made.path })
    expect([plain.statusCode, plain.headers['allow']]).toEqual([204, 'GET, OPTIONS'])
    expect((await preflight(made, '/nothing', { origin })).statusCode).toBe(404)
    const wrong = await made.app.inject({ method: 'PUT', url: made.path })
    expect([wrong.statusCode, wrong.headers['allow']]).toEqual([405, 'GET, OPTIONS'])
  })

  test('another origin is told nothing that would let it in', async ({ edge }) => {
    const made = await forPages(edge)
    for (const other of ['https://evil.example.com', `${origin}.evil.example`, 'http://app.example.com', 'null']) {
      const answers = [
        await preflight(made, '/workflows', { origin: other }),
        await made.app.inject({ url: '/workflows', headers: { origin: other } }),
      ]
      for (const { headers } of answers) {
        expect(headers['access-control-allow-origin']).toBeUndefined()
        expect(words(headers.vary)).toContain('origin')
      }
    }
  })

  test('* is any origin', async ({ edge }) => {
    const made = await forPages(edge, { corsOrigins: ['*'] })
    const answer = await made.app.inject({ url: '/workflows', headers: { origin: 'null' } })
    expect(answer.headers['access-control-allow-origin']).toBe('*')
  })

  test('answers, refusals and 204 have it too', async ({ edge }) => {
    const made = await forPages(edge, { maxSseConnections: 1 })
    const base = await made.listen()
    const ask = (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
      fetch(`${base}${path}`, { ...init, headers: { origin, accept: 'application/json', ...init.headers } })
    const json = { 'content-type': 'application/json' }
    const answers = [
      await ask('/workflows', { method: 'POST', headers: json, body: JSON.stringify(good) }),
      await ask('/workflows', { method: 'POST', headers: json, body: '{' }),
      await ask('/workflows/wf_none'),
      await ask('/nothing'),
      await ask(made.path, { method: 'PUT' }),
      await ask(`${made.path}?after=rubbish`, { headers: { accept: 'text/event-stream' } }),
      await ask('/readyz'),
    ]
    made.service.end(made.id)
    answers.push(await ask(`${made.path}?after=${made.id}.2`, { headers: { accept: 'text/event-stream' } }))
    answers.push(await ask(`/workflows/${made.id}`, { method: 'DELETE' }))
    expect(answers.map(({ status }) => status)).toEqual([202, 400, 404, 404, 405, 400, 200, 204, 204])
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(words(headers.get('access-control-expose-headers'))).toEqual(
        expect.arrayContaining(['location', 'etag', 'x-correlation-id', 'retry-after', 'link', 'idempotency-replayed']),
      )
    }
  })

  test('streams have it too: of a GET, of a POST, and one that cannot be served yet', async ({ edge }) => {
    const made = await forPages(edge, { notReadyHoldMs: 50 })
    const base = await made.listen()
    const got = await openStream(`${base}${made.path}`, { headers: { origin } })
    const posted = await openStream(`${base}/workflows`, { method: 'POST', headers: { origin }, body: good })
    made.state.ready = false
    const held = await openStream(`${base}${made.path}`, { headers: { origin } })
    for (const { status, headers } of [got, posted, held]) {
      expect(status).toBe(200)
      expect(headers).toMatchObject({ 'access-control-allow-origin': origin, 'x-accel-buffering': 'no' })
      expect(words(headers['access-control-expose-headers'])).toContain('location')
      expect(words(headers.vary)).toEqual(['accept', 'origin'])
    }
    await expect.poll(held.end).toBe('broken')
    got.destroy()
    posted.destroy()
  })
})
