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

describe('answers to a gate', () => {
  const verdicts = {
    approve: { body: { attempt: 1, output: 'Edited.' }, status: 'completed' },
    reject: { body: { attempt: 1, feedback: 'Shorter.' }, status: 'queued' },
  }
  for (const [verb, { body, status }] of Object.entries(verdicts)) {
    test(`${verb}: 202, then 200, and 409 for another`, async ({ edge }) => {
      const made = await edge()
      const id = await start(made)
      const url = `/workflows/${id}/steps/work/${verb}`
      const post = (payload: object) => made.app.inject({ method: 'POST', url, payload })
      const early = await post(body)
      expect(early.statusCode).toBe(409)
      expect(early.json()).toMatchObject({ workflow_status: 'queued', step_status: 'running' })
      made.service.openGate(id)
      const first = await post(body)
      expect([first.statusCode, first.json<{ status: string }>().status]).toEqual([202, status])
      expect((await post(body)).statusCode).toBe(200)
      expect((await post({ ...body, attempt: 2 })).statusCode).toBe(409)
      expect(made.service.asked[1]).toMatchObject({ verb, body })
    })
  }

  test('approve needs no body, with and without Content-Type', async ({ edge }) => {
    const made = await edge()
    for (const request of [{}, { payload: {} }, { payload: '', headers: json }]) {
      const id = await start(made)
      made.service.openGate(id)
      const url = `/workflows/${id}/steps/work/approve`
      expect((await made.app.inject({ method: 'POST', url, ...request })).statusCode).toBe(202)
      expect(made.service.asked.at(-1)).toMatchObject({ verb: 'approve', body: {} })
    }
  })

  for (const [verb, payload, pointer] of [
    ['approve', { output: '' }, '/output'],
    ['approve', { output: '\n' }, '/output'],
    ['approve', { output: 'a\0b' }, '/output'],
    ['approve', { attempt: 0 }, '/attempt'],
    ['approve', { attempt: '1' }, '/attempt'],
    ['approve', { feedback: 'x' }, '/feedback'],
    ['reject', {}, '/feedback'],
    ['reject', undefined, ''],
    ['reject', { feedback: ' ' }, '/feedback'],
    ['reject', { feedback: 'x', output: 'x' }, '/output'],
    ['reject', { feedback: 'x', attempt: 1.5 }, '/attempt'],
  ] as const) {
    test(`${verb} refuses ${JSON.stringify(payload)}`, async ({ shared }) => {
      const id = await start(shared)
      shared.service.openGate(id)
      const url = `/workflows/${id}/steps/work/${verb}`
      const answer = await shared.app.inject({ method: 'POST', url, ...(payload ? { payload } : {}) })
      expect([answer.statusCode, answer.json<Refusal>().errors[0]?.pointer]).toEqual([400, pointer])
      expect(shared.service.asked).toEqual([])
    })
  }

  test('are JSON only', async ({ edge }) => {
    const made = await edge()
    const id = await start(made)
    made.service.openGate(id)
    const headers = { accept: 'text/event-stream' }
    const url = `/workflows/${id}/steps/work/approve`
    expect((await made.app.inject({ method: 'POST', url, headers })).statusCode).toBe(406)
  })
})

describe('the inbox', () => {
  interface Inbox {
    readonly data: readonly { readonly workflow_id: string }[]
    readonly next: string | null
  }

  test('has open gates in pages', async ({ edge }) => {
    const made = await edge()
    expect((await made.app.inject('/approvals')).json()).toEqual({ data: [], next: null })
    for (const id of [await start(made), await start(made)]) made.service.openGate(id)
    const whole = await made.app.inject('/approvals')
    expect(whole.json<Inbox>().data.map((gate) => gate.workflow_id)).toEqual(['wf_1', 'wf_2'])
    expect([whole.json<Inbox>().next, whole.headers.link]).toEqual([null, undefined])
    const first = await made.app.inject('/approvals?limit=1')
    expect(first.headers.link).toBe('</approvals?limit=1&after=next-page>; rel="next"')
    const second = await made.app.inject(`/approvals?limit=1&after=${first.json<Inbox>().next}`)
    expect(second.json<Inbox>().data).toMatchObject([{ workflow_id: 'wf_2', step: 'work', attempt: 1 }])
    await made.app.inject({ method: 'POST', url: '/workflows/wf_1/steps/work/approve' })
    expect((await made.app.inject('/approvals')).json<Inbox>().data).toHaveLength(1)
  })

  test('takes 20 unless told otherwise', async ({ edge }) => {
    const made = await edge()
    for (let n = 0; n < 21; n += 1) made.service.openGate(await start(made))
    expect((await made.app.inject('/approvals')).json<Inbox>().data).toHaveLength(20)
    expect((await made.app.inject('/approvals?limit=100')).json<Inbox>().data).toHaveLength(21)
  })

  test('refuses other parameters', async ({ shared: { app } }) => {
    for (const [query, pointer] of [
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=x', 'limit'],
      ['after=', 'after'],
      ['status=waiting', 'status'],
    ]) {
      const answer = await app.inject(`/approvals?${query}`)
      expect([query, answer.statusCode, answer.json<Refusal>().errors[0]?.pointer]).toEqual([query, 400, pointer])
    }
    const answer = await app.inject('/approvals?after=nonsense')
    expect([answer.statusCode, answer.json<Refusal>().type]).toEqual([400, '/problems/invalid-cursor'])
  })
})
