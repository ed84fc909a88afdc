import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const keyed = { 'idempotency-key': 'k-1' }

interface Refusal {
  readonly type: string
  readonly errors: readonly { readonly pointer: string }[]
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Runs in the states that every verb needs, one for each. */
async function prepared({ app, service }: TestApp): Promise<Readonly<Record<string, object | undefined>>> {
  for (let n = 0; n < 5; n += 1) await app.inject({ method: 'POST', url: '/workflows', payload: good })
  await app.inject({ method: 'POST', url: '/agents/developer/tasks', payload: { task: 'x' } })
  await app.inject({ method: 'POST', url: '/agents/developer/tasks', payload: { task: 'x' } })
  service.end('wf_2', 'failed')
  service.end('wf_3')
  service.openGate('wf_4')
  service.openGate('wf_5')
  service.end('task_7', 'failed')
  return {
    '/workflows': good,
    '/agents/developer/tasks': { task: 'x' },
    '/workflows/wf_1/cancel': undefined,
    '/agents/developer/tasks/task_6/cancel': {},
    '/workflows/wf_2/resume': { options: { model: 'm' } },
    '/agents/developer/tasks/task_7/resume': undefined,
    '/workflows/wf_3/steps/work/rerun': { feedback: 'x' },
    '/workflows/wf_4/steps/work/approve': undefined,
    '/workflows/wf_5/steps/work/reject': { feedback: 'x' },
  }
}

describe('a request under a key', () => {
  test('is done once, and every repetition is answered as the first', async ({ edge }) => {
    const made = await edge()
    const { app, service } = made
    for (const [url, payload] of Object.entries(await prepared(made))) {
      const before = service.started.length + service.asked.length
      const headers = { 'idempotency-key': `key of ${url}` }
      const post = () => app.inject({ method: 'POST', url, headers, ...(payload ? { payload } : {}) })
      const first = await post()
      expect([url, first.statusCode, first.headers['idempotency-replayed']]).toEqual([url, 202, undefined])
      for (const again of [await post(), await post()]) {
        expect([url, again.statusCode, again.headers['idempotency-replayed']]).toEqual([url, 202, 'true'])
        expect(again.headers.location).toBe(first.headers.location)
        expect(again.json()).toEqual(first.json())
      }
      expect(service.started.length + service.asked.length).toBe(before + 1)
    }
  })

  test('tells the service key and digest of method, path and canonical body', async ({ edge }) => {
    const { app, service } = await edge()
    const payload = '{"requirement": "A REST API", "type": "feature_development", "context": {"b": [1.0], "a": "ä"}}'
    const headers = { ...keyed, 'content-type': 'application/json' }
    await app.inject({ method: 'POST', url: '/workflows', headers, payload })
    const body = '{"context":{"a":"ä","b":[1]},"requirement":"A REST API","type":"feature_development"}'
    const digest = sha256(`POST\n/workflows\n${body}`)
    expect(service.started[0]?.caller.idempotency).toEqual({ key: 'k-1', digest })
    await app.inject({ method: 'POST', url: '/workflows/wf%5F1/cancel', headers: { 'idempotency-key': 'k-2' } })
    const cancelled = sha256('POST\n/workflows/wf_1/cancel\n')
    expect(service.asked[0]?.caller.idempotency).toEqual({ key: 'k-2', digest: cancelled })
  })

  test('is the same in whatever order its members come, and with escapes in its path', async ({ edge }) => {
    const { app } = await edge()
    const post = (payload: string) => {
      const headers = { ...keyed, 'content-type': 'application/json' }
      return app.inject({ method: 'POST', url: '/workflows', headers, payload })
    }
    await post('{"type":"analysis","requirement":"x","context":{"a":1,"b":{"c":2,"d":3}}}')
    const again = await post(
      '{"context": {"b": {"d": 3, "c": 2}, "a": 1.0}, "requirement": "\\u0078", "type": "analysis"}',
    )
    expect(again.headers['idempotency-replayed']).toBe('true')
    const cancel = (id: string) =>
      app.inject({ method: 'POST', url: `/workflows/${id}/cancel`, headers: { 'idempotency-key': 'k-2' } })
    await cancel('wf_1')
    expect((await cancel('%77f_1')).headers['idempotency-replayed']).toBe('true')
  })

  test('is 422 with another path or body', async ({ edge }) => {
    const { app, service } = await edge()
    const post = (url: string, payload?: object) =>
      app.inject({ method: 'POST', url, headers: keyed, ...(payload ? { payload } : {}) })
    await post('/workflows', good)
    for (const answer of [
      await post('/workflows', { ...good, requirement: 'Another' }),
      await post('/workflows', { ...good, metadata: {} }),
      await post('/agents/developer/tasks', { task: 'x' }),
      await post('/workflows/wf_1/cancel'),
    ]) {
      expect([answer.statusCode, answer.headers['idempotency-replayed']]).toEqual([422, undefined])
      expect(answer.json<Refusal>().type).toBe('/problems/idempotency-key-reused')
    }
    expect([service.started.length, service.asked.length]).toEqual([1, 0])
  })

  test('is done once when it comes twice at the same time', async ({ edge }) => {
    const { app, service } = await edge()
    const post = () => app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    const answers = await Promise.all([post(), post()])
    expect(answers.map((answer) => [answer.statusCode, answer.json<{ id: string }>().id])).toEqual([
      [202, 'wf_1'],
      [202, 'wf_1'],
    ])
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(1)
    expect(service.started).toHaveLength(1)
  })

  test('binds nothing when it is refused, and is free again after deletion', async ({ edge }) => {
    const { app, service } = await edge()
    const post = (payload: object) => app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload })
    expect((await post({ ...good, type: 'nonsense' })).statusCode).toBe(422)
    expect((await post({})).statusCode).toBe(400)
    service.failure = new AppError('unavailable', 'away')
    expect((await post(good)).statusCode).toBe(503)
    service.failure = null
    expect((await post(good)).headers['idempotency-replayed']).toBeUndefined()
    service.drop('wf_1')
    const anew = await post({ type: 'analysis', requirement: 'x' })
    expect([anew.statusCode, anew.headers['idempotency-replayed']]).toEqual([202, undefined])
  })
})

describe('a repetition that asks to wait', () => {
  const headers = { ...keyed, prefer: 'wait=30' }

  test('is 200 at once when it has ended meanwhile, or waits for a person', async ({ edge }) => {
    const { app, service } = await edge()
    const post = () => app.inject({ method: 'POST', url: '/workflows', headers, payload: good })
    await app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    service.openGate('wf_1')
    // nothing has to be read to know it
    service.openEvents = () => Promise.reject(new Error('not needed'))
    for (const status of ['waiting', 'completed']) {
      const answer = await post()
      expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, status])
      expect(answer.headers).toMatchObject({
        'idempotency-replayed': 'true',
        'preference-applied': 'wait=30',
        location: '/workflows/wf_1',
      })
      service.end('wf_1')
    }
    expect(service.openReaders()).toBe(0)
  })

  test('waits for what runs, though it had ended before', async ({ edge }) => {
    const { app, service } = await edge()
    const post = () => app.inject({ method: 'POST', url: '/workflows', headers, payload: good })
    await app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    service.end('wf_1', 'failed')
    await app.inject({ method: 'POST', url: '/workflows/wf_1/resume' })
    const waiting = post()
    await expect.poll(() => service.openReaders()).toBe(1)
    service.end('wf_1')
    const answer = await waiting
    expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, 'completed'])
    expect(answer.headers['idempotency-replayed']).toBe('true')
  })

  test('is 202 when the time is over', async ({ edge }) => {
    const { app } = await edge()
    await app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    const short = { ...keyed, prefer: 'wait=1' }
    const answer = await app.inject({ method: 'POST', url: '/workflows', headers: short, payload: good })
    expect([answer.statusCode, answer.headers['idempotency-replayed']]).toEqual([202, 'true'])
  })
})

describe('a key', () => {
  const post = ({ app }: TestApp, key: string) =>
    app.inject({ method: 'POST', url: '/workflows', headers: { 'idempotency-key': key }, payload: good })

  for (const [name, key] of [
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['with ä', 'schlüssel'],
    ['with an emoji', 'k😀'],
    ['with a tab', 'a\tb'],
    ['with DEL', 'a\x7fb'],
  ] as const) {
    test(`${name} is refused`, async ({ shared }) => {
      const answer = await post(shared, key)
      expect([answer.statusCode, answer.json<Refusal>().type]).toEqual([400, '/problems/invalid-request'])
      expect(answer.json<Refusal>().errors[0]?.pointer).toBe('Idempotency-Key')
      expect(shared.service.started).toEqual([])
    })
  }

  test('of 1 to 255 printable characters is taken as it is', async ({ edge }) => {
    const made = await edge()
    const keys = ['x', 'x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a, b; c=~!']
    for (const key of keys) expect((await post(made, key)).statusCode).toBe(202)
    expect(made.service.started.map(({ caller }) => caller.idempotency?.key)).toEqual(keys)
  })

  test('that comes in two headers is refused', async ({ edge }) => {
    const { listen, service } = await edge()
    const url = `${await listen()}/workflows`
    const headers = { 'content-type': 'application/json', 'idempotency-key': ['a', 'a'] }
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
    const sent = httpRequest(url, { method: 'POST', agent: false, headers }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(good))
    const answer = await promise
    expect(answer.status).toBe(400)
    expect((JSON.parse(answer.body) as Refusal).errors[0]?.pointer).toBe('Idempotency-Key')
    expect(service.started).toEqual([])
  })

  test('is not taken by a POST that changes nothing', async ({ edge }) => {
    const { app } = await edge()
    app.post('/nothing-changes', { config: { scope: 'read' } }, async () => ({}))
    const ask = (headers: Record<string, string>) => app.inject({ method: 'POST', url: '/nothing-changes', headers })
    expect((await ask({})).statusCode).toBe(200)
    const answer = await ask(keyed)
    expect([answer.statusCode, answer.json<Refusal>().errors[0]?.pointer]).toEqual([400, 'Idempotency-Key'])
  })

  test('means nothing to GET and DELETE', async ({ edge }) => {
    const { app, service } = await edge()
    await app.inject({ method: 'POST', url: '/workflows', payload: good })
    service.end('wf_1')
    const ask = (method: 'GET' | 'DELETE') => app.inject({ method, url: '/workflows/wf_1', headers: keyed })
    expect((await ask('GET')).statusCode).toBe(200)
    expect((await ask('DELETE')).statusCode).toBe(204)
    expect((await ask('DELETE')).statusCode).toBe(404)
  })
})

test('Last-Event-ID on a POST needs a key', async ({ edge }) => {
  const made = await edge()
  for (const [url, payload] of Object.entries(await prepared(made))) {
    const before = made.service.asked.length
    const headers = { 'last-event-id': 'wf_1.1' }
    const answer = await made.app.inject({ method: 'POST', url, headers, ...(payload ? { payload } : {}) })
    expect([url, answer.statusCode]).toEqual([url, 400])
    expect(answer.json<Refusal>().errors[0]?.pointer).toBe('Last-Event-ID')
    expect(made.service.asked.length).toBe(before)
  }
  expect(made.service.started).toHaveLength(7)
})
