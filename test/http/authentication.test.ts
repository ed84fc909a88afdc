import { describe, expect } from 'vitest'
import type { Principal } from '../../src/workflows/principal.ts'
import { accessWith, apiKey, bearer, keyOf } from '../support/access.ts'
import { createFakeService } from '../support/fake-service.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'

interface Problem {
  readonly type: string
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string }[]
}

const good = { type: 'feature_development', requirement: 'A REST API' }
const keys = [apiKey('anna'), apiKey('reader', 'read'), apiKey('boss', 'admin'), apiKey('both', 'read', 'write')]
const access = accessWith(keys)

async function refusal(app: TestApp['app'], headers: Record<string, string>, url = '/workflows') {
  const answer = await app.inject({ url, headers })
  return { status: answer.statusCode, challenge: answer.headers['www-authenticate'], problem: answer.json<Problem>() }
}

describe('a key', () => {
  test.for([
    [{}, 'A key is needed'],
    [{ authorization: '' }, 'has to be'],
    [{ authorization: keyOf('anna') }, 'has to be'],
    [{ authorization: 'Bearer ' }, 'has to be'],
    [{ authorization: `Basic ${Buffer.from(`anna:${keyOf('anna')}`).toString('base64')}` }, 'has to be'],
    [{ authorization: `Token ${keyOf('anna')}` }, 'has to be'],
    [{ authorization: `Bearer ${keyOf('anna')} x` }, 'has to be'],
    [{ authorization: `Bearer ${keyOf('anna')}x` }, 'not known'],
    [{ authorization: `Bearer ${apiKey('anna').sha256}` }, 'not known'],
    [{ 'x-api-key': keyOf('anna') }, 'A key is needed'],
  ] as const)('that is none is 401: %j', async ([headers, why], { edge }) => {
    const { app, service } = await edge({ access })
    const { status, challenge, problem } = await refusal(app, { ...headers })
    expect([status, challenge, problem.type]).toEqual([401, 'Bearer', '/problems/unauthorized'])
    expect(problem.detail).toContain(why)
    expect(JSON.stringify(problem)).not.toContain('lma_')
    expect(service.lists).toEqual([])
  })

  test.for(['api_key', 'key', 'token', 'access_token', 'ticket'])(
    'in the query string, as %s, is none',
    async (name, { edge }) => {
      const { app } = await edge({ access })
      const { status, problem } = await refusal(app, {}, `/workflows?${name}=${keyOf('boss')}`)
      expect(status).toBe(401)
      expect(JSON.stringify(problem)).not.toContain('lma_')
    },
  )

  test.for(['Bearer', 'bearer', 'BEARER'])('is taken as "%s KEY"', async (scheme, { edge }) => {
    const { app } = await edge({ access })
    const headers = { authorization: `${scheme} ${keyOf('anna')}` }
    expect((await app.inject({ url: '/workflows', headers })).statusCode).toBe(200)
  })

  test('is asked for before anything else is judged', async ({ edge }) => {
    const made = await edge({ access, bodyLimitBytes: 10 })
    made.state.draining = true
    made.state.ready = false
    const requests = [
      { method: 'POST', url: '/workflows', payload: { ...good, nonsense: 1 } },
      { method: 'POST', url: '/workflows', headers: { 'content-type': 'text/plain' }, payload: 'text' },
      { method: 'POST', url: '/workflows', headers: { 'idempotency-key': 'x'.repeat(300) }, payload: {} },
      { method: 'GET', url: '/workflows?nonsense=1', headers: { accept: 'image/png' } },
      { method: 'GET', url: '/workflows/wf_1/events', headers: { accept: 'text/event-stream' } },
      { method: 'GET', url: '/agents/nobody' },
    ] as const
    for (const request of requests)
      expect([request, (await made.app.inject(request)).statusCode]).toEqual([request, 401])
  })

  test('is not needed to learn that a path or a method is none', async ({ edge }) => {
    const { app } = await edge({ access })
    expect((await app.inject('/nothing')).statusCode).toBe(404)
    const answer = await app.inject({ method: 'DELETE', url: '/workflows' })
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST, OPTIONS'])
    expect((await app.inject({ method: 'OPTIONS', url: '/workflows' })).statusCode).toBe(204)
  })

  test('is not needed by the preflight of a page', async ({ edge }) => {
    const origin = 'https://app.example.com'
    const { app } = await edge({ access, corsOrigins: [origin] })
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    }
    const preflight = await app.inject({ method: 'OPTIONS', url: '/workflows', headers })
    expect(preflight.statusCode).toBe(204)
    expect(String(preflight.headers['access-control-allow-headers']).toLowerCase()).toContain('authorization')
    const refused = await app.inject({ url: '/workflows', headers: { origin } })
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, origin])
  })

  test('says on whose behalf everything is done, and in the log who it was', async ({ edge }) => {
    const asked: Principal[] = []
    const service = createFakeService()
    const services = { as: (principal: Principal) => (asked.push(principal), service) }
    const { app, finished } = await edge({ access }, { services })
    for (const name of ['anna', 'boss']) await app.inject({ url: '/workflows', headers: bearer(name) })
    expect(asked).toEqual([
      { name: 'anna', seesAll: false },
      { name: 'boss', seesAll: true },
    ])
    await app.inject('/workflows')
    expect(finished.map(({ key, status }) => [key, status])).toEqual([
      ['anna', 200],
      ['boss', 200],
      ['', 401],
    ])
  })
})

describe('scopes', () => {
  const post = (app: TestApp['app'], name: string, payload: object) =>
    app.inject({ method: 'POST', url: '/workflows', headers: bearer(name), payload })

  test('read is not enough to write; write includes it', async ({ edge }) => {
    const { app, service } = await edge({ access })
    const refused = await post(app, 'reader', good)
    expect([refused.statusCode, refused.json<Problem>().type]).toEqual([403, '/problems/forbidden'])
    expect(refused.json<Problem>().detail).toContain('"write"')
    expect(service.started).toEqual([])
    for (const name of ['anna', 'both', 'boss']) {
      expect((await post(app, name, good)).statusCode).toBe(202)
      expect((await app.inject({ url: '/workflows', headers: bearer(name) })).statusCode).toBe(200)
    }
    expect((await app.inject({ url: '/workflows', headers: bearer('reader') })).statusCode).toBe(200)
  })

  test('a priority below 0 needs admin', async ({ edge }) => {
    const { app, service } = await edge({ access })
    const low = { ...good, options: { priority: -1 } }
    const refused = await post(app, 'anna', low)
    expect([refused.statusCode, refused.json<Problem>().errors?.[0]?.pointer]).toEqual([403, '/options/priority'])
    expect(refused.json<Problem>().detail).toContain('"admin"')
    const task = { method: 'POST', url: '/agents/developer/tasks', headers: bearer('anna') } as const
    const payload = { task: 'Do it.', options: { priority: -1 } }
    expect((await app.inject({ ...task, payload })).statusCode).toBe(403)
    expect(service.started).toEqual([])
    expect((await post(app, 'boss', low)).statusCode).toBe(202)
    expect((await post(app, 'anna', { ...good, options: { priority: 1 } })).statusCode).toBe(202)
  })
})

describe('without configured keys', () => {
  test('everybody may do everything, whatever he sends', async ({ shared: { app } }) => {
    const payload = { ...good, options: { priority: -1 } }
    for (const headers of [{}, { authorization: 'Basic x' }, bearer('anna')]) {
      expect((await app.inject({ method: 'POST', url: '/workflows', headers, payload })).statusCode).toBe(202)
    }
  })
})

describe('security headers', () => {
  test('are on every answer, and pages and files keep their own policy', async ({ edge }) => {
    const { app, service } = await edge({ access })
    const answers = await Promise.all([
      app.inject('/workflows'),
      app.inject('/nothing'),
      app.inject('/livez'),
      app.inject({ url: '/workflows', headers: bearer('anna') }),
    ])
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      })
      expect(headers).not.toHaveProperty('strict-transport-security')
    }
    expect((await app.inject('/docs')).headers['content-security-policy']).toContain("script-src 'self'")
    const page = await app.inject({ url: '/problems', headers: { accept: 'text/html' } })
    expect(page.headers['content-security-policy']).toContain("style-src 'unsafe-inline'")
    const started = await app.inject({ method: 'POST', url: '/workflows', headers: bearer('anna'), payload: good })
    const { id } = started.json<{ id: string }>()
    service.addFile(id, { path: 'a.html', content: Buffer.from('<p>'), media_type: 'text/html' })
    const file = await app.inject({ url: `/workflows/${id}/artifacts/a.html`, headers: bearer('anna') })
    expect(file.headers['content-security-policy']).toBe("default-src 'none'; sandbox; frame-ancestors 'none'")
  })
})
