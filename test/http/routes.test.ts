import { describe, expect } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const json = { accept: 'application/json' }

async function start({ app }: TestApp): Promise<string> {
  return (await app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>().id
}

describe('workflows', () => {
  test('start answers 202 with Location and the ids of the request', async ({ edge }) => {
    const { app, service } = await edge()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const headers = { 'x-request-id': 'mine', traceparent }
    const answer = await app.inject({ method: 'POST', url: '/workflows', headers, payload: good })
    expect(answer.statusCode).toBe(202)
    expect(answer.headers.location).toBe('/workflows/wf_1')
    expect(answer.headers['x-correlation-id']).toBe('mine')
    expect(answer.json()).toMatchObject({ id: 'wf_1', status: 'queued', correlation_id: 'mine' })
    expect(service.started).toEqual([{ body: good, caller: { correlationId: 'mine', traceparent, idempotency: null } }])
  })

  test('bug_fix with its description, and files', async ({ edge }) => {
    const { app, service } = await edge()
    const payload = {
      type: 'bug_fix',
      requirement: 'Fix it',
      context: { bug_description: 'It breaks.' },
      files: [{ path: 'src/a.py', content: '😀\r\n' }],
    }
    expect((await app.inject({ method: 'POST', url: '/workflows', payload })).statusCode).toBe(202)
    expect(service.started[0]?.body).toEqual(payload)
  })

  test('one workflow has a weak ETag, and 304 while it is the same', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    const first = await made.app.inject(`/workflows/${id}`)
    expect(first.headers['cache-control']).toBe('private, no-cache')
    const etag = String(first.headers.etag)
    expect(etag).toMatch(/^W\/"[^"]+"$/)
    const again = () => made.app.inject({ url: `/workflows/${id}`, headers: { 'if-none-match': etag } })
    expect((await again()).statusCode).toBe(304)
    made.service.emit(id, 'workflow.started')
    expect((await again()).statusCode).toBe(200)
  })

  test('the list takes filters and links to the next page', async ({ edge }) => {
    const made = await edge()
    await start(made)
    await start(made)
    const query =
      'status=queued&status=running&type=analysis&limit=1&metadata.ticket=A%201&created_after=2026-01-01T00:00:00Z'
    const answer = await made.app.inject(`/workflows?${query}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.json<{ next: string }>().next).toBe('next-page')
    expect(answer.headers.link).toContain('after=next-page>; rel="next"')
    expect(answer.headers.link).toContain('metadata.ticket=A+1')
    expect(made.service.lists[0]).toEqual({
      statuses: ['queued', 'running'],
      stepStatuses: [],
      type: 'analysis',
      createdAfter: Date.UTC(2026, 0, 1),
      createdBefore: null,
      metadata: { ticket: 'A 1' },
      limit: 1,
      after: null,
    })
    const single = await made.app.inject('/workflows?status=failed')
    expect(single.headers.link).toBeUndefined()
    expect(made.service.lists[1]).toMatchObject({ statuses: ['failed'], limit: 20 })
  })

  test('cancel is 202, and 200 when it had ended; delete needs an end', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    const remove = () => made.app.inject({ method: 'DELETE', url: `/workflows/${id}` })
    const conflict = await remove()
    expect(conflict.statusCode).toBe(409)
    expect(conflict.json()).toMatchObject({ type: '/problems/conflict', status: 409, workflow_status: 'queued' })
    const cancel = (payload?: object) =>
      made.app.inject({ method: 'POST', url: `/workflows/${id}/cancel`, ...(payload ? { payload } : {}) })
    expect((await cancel({ why: 'x' })).statusCode).toBe(400)
    expect((await cancel()).statusCode).toBe(202)
    expect((await cancel({})).statusCode).toBe(200)
    expect((await remove()).statusCode).toBe(204)
    expect((await remove()).statusCode).toBe(404)
  })

  test('Prefer: wait answers 200 at the end, and 202 when the time is over', async ({ edge }) => {
    const { app, service } = await edge()
    const post = (seconds: number) =>
      app.inject({ method: 'POST', url: '/workflows', headers: { prefer: `wait=${seconds}` }, payload: good })
    const waiting = post(30)
    await expect.poll(() => service.openReaders()).toBe(1)
    service.end('wf_1')
    const ended = await waiting
    expect([ended.statusCode, ended.headers['preference-applied']]).toEqual([200, 'wait=30'])
    expect(ended.json()).toMatchObject({ status: 'completed' })
    const late = await post(1)
    expect([late.statusCode, late.headers['preference-applied']]).toEqual([202, 'wait=1'])
    expect(service.openReaders()).toBe(0)
  })

  test('Prefer: wait gives up when the service drains', async ({ edge }) => {
    const { app, service, state } = await edge()
    const headers = { prefer: 'wait=30' }
    const waiting = app.inject({ method: 'POST', url: '/workflows', headers, payload: good })
    await expect.poll(() => service.openReaders()).toBe(1)
    state.draining = true
    expect((await waiting).statusCode).toBe(202)
  })

  test('the graph is JSON or Mermaid', async ({ edge }) => {
    const made = await edge()
    const url = `/workflows/${await start(made)}/graph`
    expect((await made.app.inject(url)).json()).toMatchObject({ edges: [{ from: 'begin', to: 'end' }] })
    for (const request of [{ url: `${url}?format=mermaid` }, { url, headers: { accept: 'text/vnd.mermaid' } }]) {
      const answer = await made.app.inject(request)
      expect(answer.headers['content-type']).toBe('text/vnd.mermaid; charset=utf-8')
      expect(answer.body).toMatch(/^flowchart TD/)
    }
  })
})

describe('tasks', () => {
  test('have the same door under their agent', async ({ edge }) => {
    const { app, service } = await edge()
    const post = (role: string) =>
      app.inject({ method: 'POST', url: `/agents/${role}/tasks`, payload: { task: 'Review it.' } })
    const answer = await post('developer')
    expect([answer.statusCode, answer.headers.location]).toEqual([202, '/agents/developer/tasks/task_1'])
    expect((await post('nobody')).statusCode).toBe(404)
    expect((await app.inject('/agents/developer/tasks/task_1')).statusCode).toBe(200)
    expect((await app.inject('/agents/qa_engineer/tasks/task_1')).statusCode).toBe(404)
    expect((await app.inject('/workflows/task_1')).statusCode).toBe(404)
    expect((await app.inject('/agents/developer/tasks')).json()).toMatchObject({ next: null })
    const events = await app.inject({ url: '/agents/developer/tasks/task_1/events', headers: json })
    expect(events.json()).toMatchObject({ done: false })
    service.end('task_1')
    expect((await app.inject({ method: 'DELETE', url: '/agents/developer/tasks/task_1' })).statusCode).toBe(204)
  })

  test('agents and workflow types', async ({ shared: { app } }) => {
    expect((await app.inject('/agents')).json<{ data: unknown[] }>().data).toHaveLength(2)
    expect((await app.inject('/agents/developer')).json()).toMatchObject({ id: 'developer', status: 'idle' })
    expect((await app.inject('/agents/nobody')).statusCode).toBe(404)
    expect((await app.inject('/workflow-types')).json<{ data: unknown[] }>().data).toHaveLength(3)
    expect((await app.inject('/workflow-types/bug_fix')).json()).toMatchObject({ type: 'bug_fix' })
    expect((await app.inject('/workflow-types/nonsense')).statusCode).toBe(404)
  })
})

describe('events as JSON', () => {
  test('come in pages with a cursor', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    made.service.emit(id, 'workflow.started', { seq: 2 })
    const read = async (query = '') => {
      const answer = await made.app.inject({ url: `/workflows/${id}/events${query}`, headers: json })
      return answer.json<{ data: { id: string; type: string }[]; next: string; done: boolean }>()
    }
    const first = await read('?limit=1')
    expect(first.data).toMatchObject([{ id: `${id}.1`, type: 'workflow.queued', workflow_id: id }])
    const second = await read(`?after=${first.next}`)
    expect(second).toMatchObject({ data: [{ type: 'workflow.started' }], next: `${id}.2`, done: false })
    const nothing = await read(`?after=${second.next}`)
    expect(nothing).toEqual({ data: [], next: `${id}.2`, done: false })
    made.service.end(id)
    expect(await read(`?after=${second.next}`)).toMatchObject({ data: [{ type: 'workflow.completed' }], done: true })
    expect(await read(`?after=${id}.3`)).toEqual({ data: [], next: `${id}.3`, done: true })
    expect(made.service.openReaders()).toBe(0)
  })

  test('a long poll answers at the first event', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    const url = `/workflows/${id}/events?after=${id}.1&wait=30`
    const poll = made.app.inject({ url, headers: json })
    await expect.poll(() => made.service.openReaders()).toBe(1)
    made.service.emit(id, 'workflow.started')
    expect((await poll).json()).toMatchObject({ data: [{ type: 'workflow.started' }], next: `${id}.2` })
    const other = made.app.inject({ url: `/workflows/${id}/events?after=${id}.2&wait=30`, headers: json })
    await expect.poll(() => made.service.openReaders()).toBe(1)
    made.state.draining = true
    expect((await other).json()).toEqual({ data: [], next: `${id}.2`, done: false })
  })

  test('Last-Event-ID wins over after', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    const headers = { ...json, 'last-event-id': `${id}.1` }
    const answer = await made.app.inject({ url: `/workflows/${id}/events?after=${id}.0`, headers })
    expect(answer.json()).toMatchObject({ data: [] })
  })
})

describe('what holds for every route', () => {
  test('another method is 405 with Allow, OPTIONS is answered', async ({ shared: { app } }) => {
    for (const [method, url, allow] of [
      ['PUT', '/workflows', 'GET, HEAD, POST, OPTIONS'],
      ['PATCH', '/workflows/wf_1', 'DELETE, GET, HEAD, OPTIONS'],
      ['HEAD', '/workflows/wf_1/events', 'GET, OPTIONS'],
      ['GET', '/workflows/wf_1/cancel', 'POST, OPTIONS'],
      ['GET', '/workflows/wf_1/resume', 'POST, OPTIONS'],
      ['PUT', '/agents/developer/tasks/x/resume', 'POST, OPTIONS'],
      ['HEAD', '/workflows/wf_1/steps/a/rerun', 'POST, OPTIONS'],
      ['DELETE', '/workflows/wf_1/steps/a/approve', 'POST, OPTIONS'],
      ['GET', '/workflows/wf_1/steps/a/reject', 'POST, OPTIONS'],
      ['POST', '/approvals', 'GET, HEAD, OPTIONS'],
      ['POST', '/agents/developer/tasks/x/artifacts/a/b.py', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const answer = await app.inject({ method, url })
      expect([method, answer.statusCode, answer.headers.allow]).toEqual([method, 405, allow])
    }
    const options = await app.inject({ method: 'OPTIONS', url: '/workflows' })
    expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, POST, OPTIONS'])
    expect((await app.inject({ method: 'PUT', url: '/nothing', payload: '{' })).statusCode).toBe(404)
  })

  test('406 names the forms', async ({ shared: { app, service } }) => {
    const headers = { accept: 'text/html' }
    const answer = await app.inject({ method: 'POST', url: '/workflows', headers, payload: good })
    expect(answer.statusCode).toBe(406)
    expect(answer.json<{ detail: string }>().detail).toContain('text/event-stream')
    expect(service.started).toEqual([])
  })

  test('an error of its own is internal, told to the observer, and shows nothing', async ({ edge }) => {
    const { app, service, failed, finished } = await edge()
    service.failure = new Error('SELECT secret FROM keys')
    const answer = await app.inject('/workflows')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(answer.json()).toMatchObject({ type: '/problems/internal', instance: '/workflows' })
    expect(failed).toMatchObject([{ route: '/workflows', error: service.failure }])
    await expect.poll(() => finished).toMatchObject([{ method: 'GET', route: '/workflows', status: 500 }])
  })

  test('codes of the service have their status and Retry-After', async ({ edge }) => {
    const { app, service } = await edge()
    for (const [error, status, retryAfter] of [
      [new AppError('unavailable', 'away'), 503, '2'],
      [new AppError('queue-full', 'full', { retryAfterMs: 1500 }), 429, '2'],
      [new AppError('not-found', 'none'), 404, undefined],
    ] as const) {
      service.failure = error
      const answer = await app.inject('/workflows')
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([status, retryAfter])
    }
  })

  test('while draining every POST and DELETE is refused, reading goes on', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    made.state.draining = true
    for (const [method, url] of [
      ['POST', '/workflows'],
      ['POST', `/workflows/${id}/cancel`],
      ['POST', `/workflows/${id}/resume`],
      ['POST', `/workflows/${id}/steps/work/rerun`],
      ['POST', `/workflows/${id}/steps/work/approve`],
      ['POST', `/workflows/${id}/steps/work/reject`],
      ['DELETE', `/workflows/${id}`],
      ['POST', '/agents/developer/tasks'],
    ] as const) {
      const answer = await made.app.inject({ method, url })
      expect([url, answer.statusCode]).toEqual([url, 503])
      expect(answer.headers['retry-after']).toBeTruthy()
      expect(answer.json<{ type: string }>().type).toBe('/problems/draining')
    }
    const read = await made.app.inject(`/workflows/${id}`)
    expect([read.statusCode, read.headers.connection]).toEqual([200, 'close'])
    expect((await made.app.inject('/readyz')).statusCode).toBe(503)
    expect((await made.app.inject('/livez')).statusCode).toBe(200)
  })

  test('before it is ready only what needs no database answers', async ({ edge }) => {
    const { app, state } = await edge()
    state.ready = false
    for (const url of [
      '/workflows',
      '/workflows/wf_1',
      '/agents',
      '/approvals',
      '/readyz',
      '/workflows/x/artifacts/a',
    ]) {
      expect([url, (await app.inject(url)).statusCode]).toEqual([url, 503])
    }
    expect((await app.inject({ url: '/workflows/wf_1/events', headers: json })).statusCode).toBe(503)
    for (const url of ['/livez', '/health', '/workflow-types', '/openapi.json', '/problems', '/docs']) {
      expect([url, (await app.inject(url)).statusCode]).toEqual([url, 200])
    }
  })
})
