import { describe, expect } from 'vitest'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const json = { 'content-type': 'application/json' }

interface Refusal {
  readonly type: string
  readonly errors: readonly { readonly pointer: string }[]
}

async function start({ app }: TestApp): Promise<string> {
  return (await app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>().id
}

async function startTask({ app }: TestApp): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: '/agents/developer/tasks', payload: { task: 'x' } })
  return answer.json<{ id: string }>().id
}

/** Every verb that makes one that has ended go on, with a run that it can be asked of. */
const revivals = {
  'resume of a workflow': async (made: TestApp) => {
    const id = await start(made)
    made.service.end(id, 'failed')
    return { id, url: `/workflows/${id}/resume`, self: `/workflows/${id}`, verb: 'resume' }
  },
  'resume of a task': async (made: TestApp) => {
    const id = await startTask(made)
    made.service.end(id, 'cancelled')
    const self = `/agents/developer/tasks/${id}`
    return { id, url: `${self}/resume`, self, verb: 'resume' }
  },
  rerun: async (made: TestApp) => {
    const id = await start(made)
    made.service.end(id)
    return { id, url: `/workflows/${id}/steps/work/rerun`, self: `/workflows/${id}`, verb: 'rerun' }
  },
}

for (const [name, prepare] of Object.entries(revivals)) {
  describe(`one that has ended goes on: ${name}`, () => {
    test('answers 202 with Location and the resource, and goes on once', async ({ edge }) => {
      const made = await edge()
      const { url, self, verb } = await prepare(made)
      const headers = { 'x-request-id': 'mine' }
      const answer = await made.app.inject({ method: 'POST', url, headers })
      expect([answer.statusCode, answer.headers.location]).toEqual([202, self])
      expect(answer.headers['idempotency-replayed']).toBeUndefined()
      expect(answer.json()).toMatchObject({ status: 'queued' })
      const caller = { correlationId: 'mine', traceparent: null, idempotency: null }
      expect(made.service.asked).toEqual([{ verb, body: {}, caller }])
      const again = await made.app.inject({ method: 'POST', url })
      expect(again.statusCode).toBe(409)
      expect(again.json()).toMatchObject({ type: '/problems/conflict', workflow_status: 'queued' })
    })

    test('takes options, an empty object, or no body, with and without Content-Type', async ({ edge }) => {
      const made = await edge()
      const { id, url } = await prepare(made)
      for (const [request, body] of [
        [{ payload: { options: { model: 'm', max_revisions: 2 } } }, { options: { model: 'm', max_revisions: 2 } }],
        [{ payload: {} }, {}],
        [{ payload: 'null', headers: json }, {}],
        [{ payload: '', headers: json }, {}],
        [{ payload: ' \n', headers: json }, {}],
        [{}, {}],
      ] as const) {
        made.service.end(id, 'failed')
        expect((await made.app.inject({ method: 'POST', url, ...request })).statusCode).toBe(202)
        expect(made.service.asked.at(-1)?.body).toEqual(body)
      }
    })

    test('refuses other bodies, and does nothing', async ({ edge }) => {
      const made = await edge()
      const { url } = await prepare(made)
      for (const [payload, pointer] of [
        [{ optoins: {} }, '/optoins'],
        [{ options: { max_tokens: '1' } }, '/options/max_tokens'],
        [{ options: { budget: { max_llm_calls: 0 } } }, '/options/budget/max_llm_calls'],
        [{ options: { budget: { max_calls: 1 } } }, '/options/budget/max_calls'],
        [[], ''],
        ['"x"', ''],
      ] as const) {
        const answer = await made.app.inject({ method: 'POST', url, headers: json, payload: payload as object })
        expect([answer.statusCode, answer.json<Refusal>().errors[0]?.pointer]).toEqual([400, pointer])
      }
      const wrong = { method: 'POST', url, payload: 'a=b', headers: { 'content-type': 'text/plain' } } as const
      expect((await made.app.inject(wrong)).statusCode).toBe(415)
      const unacceptable = { method: 'POST', url, headers: { accept: 'text/html' } } as const
      expect((await made.app.inject(unacceptable)).statusCode).toBe(406)
      expect(made.service.asked).toEqual([])
    })

    test('Prefer: wait waits for its own end, not for the one before', async ({ edge }) => {
      const made = await edge()
      const { id, url, self } = await prepare(made)
      const waiting = made.app.inject({ method: 'POST', url, headers: { prefer: 'wait=30' } })
      await expect.poll(() => made.service.openReaders()).toBe(1)
      made.service.end(id)
      const answer = await waiting
      expect(answer.headers).toMatchObject({ location: self, 'preference-applied': 'wait=30' })
      expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, 'completed'])
      expect(made.service.openReaders()).toBe(0)
    })
  })
}

test('rerun takes feedback', async ({ edge }) => {
  const made = await edge()
  const id = await start(made)
  made.service.end(id)
  const url = `/workflows/${id}/steps/work/rerun`
  const post = (payload: object) => made.app.inject({ method: 'POST', url, payload })
  for (const feedback of ['', ' ', 1, 'x'.repeat(100_001)]) expect((await post({ feedback })).statusCode).toBe(400)
  expect((await post({ feedback: 'Shorter.' })).statusCode).toBe(202)
  expect(made.service.asked).toMatchObject([{ verb: 'rerun', body: { feedback: 'Shorter.' } }])
})

describe('Prefer: wait', () => {
  test('answers 200 when the workflow waits for a person', async ({ edge }) => {
    const { app, service } = await edge()
    const waiting = app.inject({ method: 'POST', url: '/workflows', headers: { prefer: 'wait=30' }, payload: good })
    await expect.poll(() => service.openReaders()).toBe(1)
    service.openGate('wf_1')
    const answer = await waiting
    expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, 'waiting'])
  })

  test('answers a resume that only reopens gates at once', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    made.service.openGate(id)
    made.service.end(id, 'cancelled')
    const url = `/workflows/${id}/resume`
    const answer = await made.app.inject({ method: 'POST', url, headers: { prefer: 'wait=30' } })
    expect([answer.statusCode, answer.json<{ status: string }>().status]).toEqual([200, 'waiting'])
  })

  test('takes a resume that only reopens gates for rest', async ({ edge }) => {
    const { app, service } = await edge()
    const waiting = app.inject({ method: 'POST', url: '/workflows', headers: { prefer: 'wait=30' }, payload: good })
    await expect.poll(() => service.openReaders()).toBe(1)
    service.emit('wf_1', 'workflow.failed', { status: 'failed' })
    service.emit('wf_1', 'workflow.resumed', { status: 'waiting', from: 'failed', reset: [] })
    service.emit('wf_1', 'step.waiting')
    expect((await waiting).statusCode).toBe(200)
  })

  test('goes on waiting when the workflow goes on', async ({ edge }) => {
    const { app, service } = await edge()
    const waiting = app.inject({ method: 'POST', url: '/workflows', headers: { prefer: 'wait=1' }, payload: good })
    await expect.poll(() => service.openReaders()).toBe(1)
    service.emit('wf_1', 'workflow.waiting', { status: 'waiting' })
    service.emit('wf_1', 'workflow.resumed', { status: 'queued', from: 'waiting', reset: [] })
    expect((await waiting).statusCode).toBe(202)
  })
})

test('a step that is not there is 404, whatever is asked of it', async ({ edge }) => {
  const made = await edge()
  const id = await start(made)
  made.service.end(id)
  for (const verb of ['rerun', 'approve', 'reject']) {
    for (const payload of [{ feedback: 'x' }, { why: 'x' }]) {
      const url = `/workflows/${id}/steps/nope/${verb}`
      const answer = await made.app.inject({ method: 'POST', url, payload })
      expect([verb, answer.statusCode, answer.json<Refusal>().type]).toEqual([verb, 404, '/problems/not-found'])
    }
  }
})

test('a start takes approvals', async ({ edge }) => {
  const { app, service } = await edge()
  const payload = {
    type: 'custom',
    requirement: 'x',
    steps: [{ id: 'a', role: 'developer', task: 'x', approval: true, options: { max_revisions: 0 } }],
    approvals: ['a'],
    options: { max_revisions: 10 },
  }
  expect((await app.inject({ method: 'POST', url: '/workflows', payload })).statusCode).toBe(202)
  expect(service.started).toMatchObject([{ body: payload }])
})
