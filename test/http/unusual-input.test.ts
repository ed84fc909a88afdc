import { describe, expect } from 'vitest'
import { test } from '../support/http-app.ts'

interface Refusal {
  readonly type: string
  readonly errors: readonly { readonly pointer: string }[]
}

const good = { type: 'feature_development', requirement: 'A REST API' }
const json = { 'content-type': 'application/json' }

test('a version that is no 32-bit number was a 500', async ({ shared: { app } }) => {
  const { id } = (await app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>()
  const statusOf = async (version: string) =>
    (await app.inject(`/workflows/${id}/artifacts/a?version=${version}`)).statusCode
  for (const version of ['2147483648', '9'.repeat(400), '-1', '1.5']) expect(await statusOf(version)).toBe(400)
  expect(await statusOf('2147483647')).toBe(404)
})

test('a number that becomes infinite was stored as null', async ({ edge }) => {
  const { app, service } = await edge()
  const payload = '{"type":"analysis","requirement":"x","context":{"a":[1,-1e400]}}'
  const answer = await app.inject({ method: 'POST', url: '/workflows', headers: json, payload })
  expect(answer.statusCode).toBe(400)
  expect(answer.json<Refusal>().errors.map(({ pointer }) => pointer)).toEqual(['/context/a/1'])
  expect(service.started).toEqual([])
})

describe('a body in another coding was taken for JSON in UTF-8', () => {
  for (const headers of [
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'identity, br' },
    { 'content-type': 'application/json; charset=iso-8859-1' },
    { 'content-type': 'application/json; Charset="utf-16"' },
  ]) {
    test(JSON.stringify(headers), async ({ shared: { app } }) => {
      const payload = JSON.stringify(good)
      const answer = await app.inject({ method: 'POST', url: '/workflows', headers: { ...json, ...headers }, payload })
      expect(answer.statusCode).toBe(415)
      expect(answer.json<Refusal>().type).toBe('/problems/unsupported-media-type')
    })
  }

  test('identity and UTF-8 are no other coding', async ({ shared: { app } }) => {
    for (const type of ['application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
      const headers = { 'content-type': type, 'content-encoding': 'Identity' }
      const answer = await app.inject({ method: 'POST', url: '/workflows', headers, payload: JSON.stringify(good) })
      expect(answer.statusCode).toBe(202)
    }
  })
})

describe('what is not there was 400 when something else was wrong too', () => {
  for (const [method, url, more] of [
    ['POST', '/agents/nope/tasks', { payload: {} }],
    ['POST', '/agents/nope/tasks', { payload: '{', headers: json }],
    ['POST', '/agents/nope/tasks', { payload: 'a=b', headers: { 'content-type': 'text/plain' } }],
    ['POST', '/agents/nope/tasks', { payload: { task: 'x' }, headers: { accept: 'text/html' } }],
    ['POST', '/workflows/nope/cancel', { payload: { why: 'x' } }],
    ['POST', '/agents/developer/tasks/nope/cancel', { payload: { why: 'x' } }],
    ['POST', '/workflows/nope/resume', { payload: { why: 'x' } }],
    ['POST', '/workflows/nope/resume', { headers: { 'idempotency-key': 'ä' } }],
    ['POST', '/workflows/nope/resume', { headers: { 'last-event-id': 'x' } }],
    ['POST', '/agents/developer/tasks/nope/resume', { payload: '{', headers: json }],
    ['POST', '/workflows/nope/steps/work/rerun', { payload: { why: 'x' } }],
    ['POST', '/workflows/nope/steps/work/approve', { headers: { accept: 'text/html' } }],
    ['POST', '/workflows/nope/steps/work/reject', {}],
    ['DELETE', '/workflows/nope?x=1', {}],
    ['GET', '/agents/nope?x=1', {}],
    ['GET', '/agents/nope/tasks?limit=0', {}],
    ['GET', '/workflows/nope?x=1', {}],
    ['GET', '/workflows/nope/events?wait=999', {}],
    ['GET', '/workflows/nope/events?after=%ff', {}],
    ['GET', '/workflows/nope/events', { headers: { accept: 'text/html' } }],
    ['GET', '/workflows/nope/artifacts?x=1', {}],
    ['GET', '/workflows/nope/artifacts.zip?x=1', {}],
    ['GET', '/workflows/nope/artifacts/a?version=x', {}],
    ['GET', '/workflows/nope/graph?format=x', {}],
    ['GET', '/workflows/nope/steps/a?x=1', {}],
    ['GET', '/agents/developer/tasks/nope/events?limit=0', {}],
    ['GET', '/workflow-types/nope?x=1', {}],
    ['GET', '/problems/nope?x=1', {}],
  ] as const) {
    test(`${method} ${url} ${JSON.stringify(more)}`, async ({ shared: { app } }) => {
      const answer = await app.inject({ method, url, ...more })
      expect(answer.statusCode).toBe(404)
      expect(answer.json<Refusal>().type).toBe('/problems/not-found')
    })
  }

  test('while it cannot be looked up, the input is judged alone', async ({ edge }) => {
    const { app, service, failed } = await edge()
    service.failure = new Error('away')
    expect((await app.inject({ method: 'POST', url: '/agents/nope/tasks', payload: {} })).statusCode).toBe(400)
    expect(failed).toEqual([])
  })
})

test('a path that cannot be decoded was 400', async ({ shared: { app } }) => {
  for (const url of ['/workflows/%', '/workflows/%zz', '/workflows/%ff', '/workflows/wf_1/artifacts/%ff']) {
    const answer = await app.inject(url)
    expect([url, answer.statusCode]).toEqual([url, 404])
    expect(answer.json<Refusal>().type).toBe('/problems/not-found')
    expect(answer.headers['x-correlation-id']).toBeTruthy()
  }
})

test('a task of white space only was started', async ({ edge }) => {
  const { app, service } = await edge()
  const answer = await app.inject({ method: 'POST', url: '/agents/developer/tasks', payload: { task: ' \n' } })
  expect([answer.statusCode, answer.json<Refusal>().errors.length]).toEqual([400, 1])
  expect(service.started).toEqual([])
})

test('caches were told nothing about lists, steps, tasks and events', async ({ edge }) => {
  const { app, service } = await edge()
  await app.inject({ method: 'POST', url: '/workflows', payload: good })
  const task = await app.inject({ method: 'POST', url: '/agents/developer/tasks', payload: { task: 'x' } })
  const { links } = task.json<{ links: { self: string } }>()
  const urls = ['/workflows', '/agents', '/agents/developer/tasks', links.self, `${links.self}/artifacts`]
  for (const url of [...urls, '/workflows/wf_1/steps/a', '/workflows/wf_1/artifacts.zip', '/workflow-types']) {
    expect([url, (await app.inject(url)).headers['cache-control']]).toEqual([url, 'private, no-cache'])
  }
  service.end('wf_1')
  const read = (accept: string) => app.inject({ url: '/workflows/wf_1/events', headers: { accept } })
  expect((await read('application/json')).headers).toMatchObject({
    'cache-control': 'private, no-cache',
    vary: 'Accept',
  })
  expect((await read('text/event-stream')).headers).toMatchObject({
    'cache-control': 'no-cache, no-transform',
    vary: 'Accept',
  })
  for (const url of ['/workflows/wf_1/graph', '/problems']) expect((await app.inject(url)).headers.vary).toBe('Accept')
  expect(task.headers.vary).toBe('Accept')
  expect((await app.inject('/livez')).headers['cache-control']).toBe('no-store')
})
