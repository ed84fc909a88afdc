import { describe, expect } from 'vitest'
import { viewTask, viewTaskSummary } from '../../src/workflows/resource-view.ts'
import { moment, newWorkflow, step } from '../contract/fixtures.ts'
import { test } from '../support/http-app.ts'

interface Refusal {
  readonly detail: string
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[]
}

describe('times that neither Date nor the database takes were a 500', () => {
  for (const time of [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '2026-06-30T23:59:60Z',
    '9999-12-31T23:59:59-12:00',
    '2026-02-30T00:00:00Z',
  ]) {
    test(time, async ({ shared: { app } }) => {
      for (const name of ['created_after', 'created_before']) {
        const answer = await app.inject({ url: '/workflows', query: { [name]: time } })
        expect(answer.statusCode).toBe(400)
        expect(answer.json<Refusal>().errors[0]?.pointer).toBe(name)
      }
    })
  }

  test('the first and the last moment are times', async ({ edge }) => {
    const { app, service } = await edge()
    const query = { created_after: '0001-01-01T00:00:00Z', created_before: '9999-12-31t23:59:59.999z' }
    expect((await app.inject({ url: '/workflows', query })).statusCode).toBe(200)
    expect(service.lists[0]).toMatchObject({
      createdAfter: Date.parse('0001-01-01T00:00:00Z'),
      createdBefore: Date.parse('9999-12-31T23:59:59.999Z'),
    })
  })
})

describe('the list of tasks', () => {
  test('did not take the statuses that tasks have', async ({ edge }) => {
    const { app, service } = await edge()
    expect((await app.inject('/agents/developer/tasks?status=incomplete&status=failed')).statusCode).toBe(200)
    expect(service.lists[0]).toMatchObject({ statuses: [], stepStatuses: ['incomplete', 'failed'] })
    expect((await app.inject('/workflows?status=incomplete')).statusCode).toBe(400)
  })

  test('said that the output was null', () => {
    const { state, input } = newWorkflow({ kind: 'task', steps: [step(0, { status: 'completed' })] })
    const record = { state, input, outputs: new Map([[0, 'done']]) }
    const { output, ...rest } = viewTask(record, moment)
    expect(output).toBe('done')
    expect(viewTaskSummary(record, moment)).toEqual(rest)
  })
})

describe('query strings', () => {
  test('that are no UTF-8 were taken as they are', async ({ shared: { app } }) => {
    for (const [query, pointer] of [
      ['type=%ED%A0%80', 'type'],
      ['type=%ff', 'type'],
      ['metadata.a=100%', 'metadata.a'],
      ['metadata.%ff=1', 'metadata.%ff'],
    ] as const) {
      const answer = await app.inject(`/workflows?${query}`)
      expect([query, answer.statusCode]).toEqual([query, 400])
      expect(answer.json<Refusal>().errors[0]?.pointer).toBe(pointer)
    }
    expect((await app.inject('/workflows?metadata.%C3%A4=%F0%9F%98%80+%2B&type=a=b')).statusCode).toBe(200)
  })

  test('with unknown names were taken where a route has no parameters', async ({ shared: { app } }) => {
    const id = (
      await app.inject({ method: 'POST', url: '/workflows', payload: { type: 'analysis', requirement: 'x' } })
    ).json<{ id: string }>().id
    const run = `/workflows/${id}`
    for (const url of ['/agents', '/agents/developer', '/workflow-types', '/problems', run]) {
      const answer = await app.inject(`${url}?verbose=1`)
      expect([url, answer.statusCode]).toEqual([url, 400])
      expect(answer.json<Refusal>().errors[0]?.pointer).toBe('verbose')
      expect((await app.inject(`${url}?`)).statusCode).toBe(200)
    }
    for (const url of ['/workflows', '/agents/developer/tasks', `${run}/cancel`]) {
      const payload = { type: 'analysis', requirement: 'x' }
      expect((await app.inject({ method: 'POST', url: `${url}?x=1`, payload })).statusCode).toBe(400)
    }
    for (const [url, known] of [
      ['/workflows?created_afer=x', 'created_after'],
      ['/agents/developer/tasks?limits=1', 'limit'],
      [`${run}/events?wiat=1`, 'wait'],
      [`${run}/graph?formatt=mermaid`, 'format'],
      [`${run}/artifacts/a?versoin=1`, 'version'],
    ] as const) {
      const answer = await app.inject(url)
      expect([url, answer.statusCode]).toEqual([url, 400])
      expect(answer.json<Refusal>().detail).toContain(`did you mean "${known}"?`)
    }
    expect((await app.inject('/docs/static/index.css?v=1')).statusCode).toBe(200)
  })
})
