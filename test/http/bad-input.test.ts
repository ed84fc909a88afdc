import { describe, expect } from 'vitest'
import { test } from '../support/http-app.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const step = (id: string, more: object = {}) => ({ id, role: 'developer', task: 'Do it.', ...more })

interface BadBody {
  readonly name: string
  readonly body: unknown
  readonly pointer: string
  readonly status?: number
}

const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown

const badBodies: readonly BadBody[] = [
  { name: 'missing requirement', body: { type: 'analysis' }, pointer: '/requirement' },
  { name: 'empty requirement', body: { ...good, requirement: '' }, pointer: '/requirement' },
  { name: '2 MB requirement', body: { ...good, requirement: 'x'.repeat(2_000_000) }, pointer: '/requirement' },
  { name: 'requirement of a wrong type', body: { ...good, requirement: 1 }, pointer: '/requirement' },
  { name: 'unknown field', body: { ...good, contxt: {} }, pointer: '/contxt' },
  { name: 'a number as text', body: { ...good, options: { max_tokens: '1' } }, pointer: '/options/max_tokens' },
  {
    name: 'temperature out of bounds',
    body: { ...good, options: { temperature: 2.1 } },
    pointer: '/options/temperature',
  },
  { name: 'metadata that is no text', body: { ...good, metadata: { a: 1 } }, pointer: '/metadata/a' },
  {
    name: '51 steps',
    body: { ...good, type: 'custom', steps: Array.from({ length: 51 }, (_, n) => step(`s${n}`)) },
    pointer: '/steps',
  },
  { name: 'custom without steps', body: { ...good, type: 'custom' }, pointer: '/steps' },
  { name: 'steps with a template', body: { ...good, steps: [step('a')] }, pointer: '/steps' },
  { name: 'a step id that is none', body: { ...good, type: 'custom', steps: [step('No Id')] }, pointer: '/steps/0/id' },
  { name: 'U+0000', body: { ...good, requirement: 'a\0b' }, pointer: '/requirement' },
  { name: 'a lone surrogate', body: { ...good, context: { list: ['ok', '\ud800'] } }, pointer: '/context/list/1' },
  { name: 'U+0000 in a name', body: { ...good, context: { 'a\0': 1 } }, pointer: '/context/a\uFFFD' },
  { name: 'too deep nesting', body: { ...good, context: { deep } }, pointer: `/context/deep${'/0'.repeat(99)}` },
  { name: 'a path that leaves', body: { ...good, files: [{ path: '../x', content: '' }] }, pointer: '/files/0/path' },
  { name: 'bug_fix without its description', body: { ...good, type: 'bug_fix' }, pointer: '/context/bug_description' },
  {
    name: 'bug_fix with an empty description',
    body: { ...good, type: 'bug_fix', context: { bug_description: '' } },
    pointer: '/context/bug_description',
  },
  { name: 'a requirement of white space only', body: { ...good, requirement: ' \n\t\u00a0' }, pointer: '/requirement' },
  {
    name: 'a task of white space only in a step',
    body: { ...good, type: 'custom', steps: [step('a', { task: ' ' })] },
    pointer: '/steps/0/task',
  },
  {
    name: 'bug_fix with a description of white space only',
    body: { ...good, type: 'bug_fix', context: { bug_description: ' \n' } },
    pointer: '/context/bug_description',
  },
  { name: 'unknown type', body: { ...good, type: 'nonsense' }, pointer: '/type', status: 422 },
  { name: 'approvals that are no list', body: { ...good, approvals: {} }, pointer: '/approvals' },
  { name: 'an approval twice', body: { ...good, approvals: ['a', 'a'] }, pointer: '/approvals' },
  { name: 'an approval without a name', body: { ...good, approvals: ['a', ''] }, pointer: '/approvals/1' },
  { name: 'budget', body: { ...good, budget: {} }, pointer: '/budget' },
  { name: 'an empty webhook', body: { ...good, webhook: {} }, pointer: '/webhook/url' },
  {
    name: 'an approval that is neither true nor false',
    body: { ...good, type: 'custom', steps: [step('a', { approval: 'yes' })] },
    pointer: '/steps/0/approval',
  },
  {
    name: 'more revisions than there may be',
    body: { ...good, options: { max_revisions: 11 } },
    pointer: '/options/max_revisions',
  },
]

describe('a body that is refused', () => {
  for (const { name, body, pointer, status = 400 } of badBodies) {
    test(name, async ({ shared: { app, service } }) => {
      const answer = await app.inject({ method: 'POST', url: '/workflows', payload: body as object })
      expect(answer.statusCode).toBe(status)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      const problem = answer.json<{ errors: { pointer: string }[]; status: number; correlation_id: string }>()
      expect(problem.errors.map((fault) => fault.pointer)).toContain(pointer)
      expect(problem.status).toBe(status)
      expect(problem.correlation_id).toBe(answer.headers['x-correlation-id'])
      expect(service.started).toEqual([])
    })
  }

  test('names the nearest known field', async ({ shared: { app } }) => {
    const answer = await app.inject({ method: 'POST', url: '/workflows', payload: { ...good, contxt: {} } })
    expect(answer.json<{ detail: string }>().detail).toContain('did you mean "context"?')
  })

  test('names every fault at once', async ({ shared: { app } }) => {
    const answer = await app.inject({ method: 'POST', url: '/workflows', payload: { requirement: '', foo: 1 } })
    const { errors } = answer.json<{ errors: { pointer: string }[] }>()
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(['/foo', '/requirement', '/type'])
  })
})

const json = { 'content-type': 'application/json' }

describe('a body that cannot be read', () => {
  for (const [name, payload, where] of [
    ['a trailing comma', '{\n  "type": "analysis",\n}', 'line 3, column 1'],
    ['an early end', '{"type": "anal', 'line 1'],
    ['no JSON', 'hello', 'not valid JSON'],
  ] as const) {
    test(`wrong JSON: ${name}`, async ({ shared: { app } }) => {
      const answer = await app.inject({ method: 'POST', url: '/workflows', headers: json, payload })
      expect(answer.statusCode).toBe(400)
      expect(answer.json<{ detail: string }>().detail).toContain(where)
    })
  }

  test('invalid UTF-8', async ({ shared: { app } }) => {
    const payload = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])
    const answer = await app.inject({ method: 'POST', url: '/workflows', headers: json, payload })
    expect(answer.statusCode).toBe(400)
    expect(answer.json<{ detail: string }>().detail).toContain('UTF-8')
  })

  test('__proto__', async ({ shared: { app } }) => {
    const payload = '{"type":"analysis","requirement":"x","__proto__":{"a":1}}'
    const answer = await app.inject({ method: 'POST', url: '/workflows', headers: json, payload })
    expect(answer.statusCode).toBe(400)
    expect(answer.json<{ errors: unknown[] }>().errors).toHaveLength(1)
  })

  test('no body at all', async ({ shared: { app } }) => {
    expect((await app.inject({ method: 'POST', url: '/workflows' })).statusCode).toBe(400)
    expect((await app.inject({ method: 'POST', url: '/workflows', headers: json, payload: '' })).statusCode).toBe(400)
  })

  test('another content type', async ({ shared: { app } }) => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/xml']) {
      const headers = { 'content-type': type }
      const answer = await app.inject({ method: 'POST', url: '/workflows', headers, payload: 'a=b' })
      expect(answer.statusCode).toBe(415)
      expect(answer.json<{ type: string }>().type).toBe('/problems/unsupported-media-type')
    }
  })

  test('more than the limit', async ({ edge }) => {
    const { app } = await edge({ bodyLimitBytes: 1000 })
    const payload = { ...good, requirement: 'x'.repeat(2000) }
    const answer = await app.inject({ method: 'POST', url: '/workflows', payload })
    expect(answer.statusCode).toBe(413)
    expect(answer.json<{ type: string }>().type).toBe('/problems/payload-too-large')
  })
})

describe('other input that is refused', () => {
  test('query parameters', async ({ shared: { app } }) => {
    for (const [query, name] of [
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=x', 'limit'],
      ['status=done', 'status'],
      ['created_after=yesterday', 'created_after'],
      ['stauts=queued', 'stauts'],
      ['type=a%00b', 'type'],
    ] as const) {
      const answer = await app.inject({ method: 'GET', url: `/workflows?${query}` })
      expect([query, answer.statusCode]).toEqual([query, 400])
      expect(answer.json<{ errors: { pointer: string }[] }>().errors[0]?.pointer).toBe(name)
    }
  })

  test('ids that are not there, however they look', async ({ shared: { app } }) => {
    const ids = ['wf_0', 'task_0', "x'--", '..%2f..', '%F0%9F%98%80', 'x'.repeat(5000), 'null', '%25', '%2e%2e']
    for (const id of ids) {
      for (const url of [`/workflows/${id}`, `/workflows/${id}/events`, `/agents/developer/tasks/${id}`]) {
        const answer = await app.inject({ method: 'GET', url })
        expect([url.slice(0, 40), answer.statusCode]).toEqual([url.slice(0, 40), 404])
        expect(answer.json<{ type: string }>().type).toBe('/problems/not-found')
      }
    }
  })

  test('a path that holds U+0000', async ({ shared: { app } }) => {
    expect((await app.inject('/workflows/a%00')).statusCode).toBe(400)
  })

  test('a cursor that is none', async ({ shared: { app } }) => {
    const id = (await app.inject({ method: 'POST', url: '/workflows', payload: good })).json<{ id: string }>().id
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await app.inject({ url: `/workflows/${id}/events?after=nonsense`, headers: { accept } })
      expect(answer.statusCode).toBe(400)
      expect(answer.json<{ type: string }>().type).toBe('/problems/invalid-cursor')
    }
  })

  test('routes of what is not there yet', async ({ shared: { app } }) => {
    const url = '/agents/developer/tasks/task_1/steps/task/rerun'
    expect((await app.inject({ method: 'POST', url })).statusCode).toBe(404)
    expect((await app.inject('/metrics')).statusCode).toBe(404)
  })
})
