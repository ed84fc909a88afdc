import { describe, expect } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import type { StreamClient } from '../support/stream-client.ts'
import { openStream } from '../support/stream-client.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const keyed = { 'idempotency-key': 'k-1' }

interface Served extends TestApp {
  readonly base: string
}

async function served(made: TestApp): Promise<Served> {
  return { ...made, base: await made.listen() }
}

/** A workflow that has ended with the given status. */
async function ended(made: TestApp, status: 'completed' | 'failed'): Promise<string> {
  const answer = await made.app.inject({ method: 'POST', url: '/workflows', payload: good })
  const { id } = answer.json<{ id: string }>()
  made.service.end(id, status)
  return id
}

function start({ base }: Served, headers: Record<string, string>): Promise<StreamClient> {
  return openStream(`${base}/workflows`, { method: 'POST', headers, body: good })
}

describe('a verb that makes it go on, as a stream', () => {
  for (const [verb, status, body] of [
    ['resume', 'failed', undefined],
    ['steps/work/rerun', 'completed', { feedback: 'Shorter.' }],
  ] as const) {
    test(`${verb} begins with its own workflow.resumed`, async ({ edge }) => {
      const made = await served(await edge())
      const id = await ended(made, status)
      const options = { method: 'POST', ...(body ? { body } : {}) }
      const client = await openStream(`${made.base}/workflows/${id}/${verb}`, options)
      expect([client.status, client.headers.location]).toEqual([200, `/workflows/${id}`])
      expect(client.headers['content-type']).toBe('text/event-stream')
      expect(client.headers['idempotency-replayed']).toBeUndefined()
      made.service.end(id)
      await expect.poll(client.end).toBe('clean')
      expect(client.fields('event')).toEqual(['workflow.resumed', 'workflow.completed'])
      expect([made.openStreams(), made.service.openReaders()]).toEqual([0, 0])
    })
  }

  test('resume of a task', async ({ edge }) => {
    const made = await served(await edge())
    const url = '/agents/developer/tasks'
    await made.app.inject({ method: 'POST', url, payload: { task: 'x' } })
    made.service.end('task_1', 'cancelled')
    const client = await openStream(`${made.base}${url}/task_1/resume`, { method: 'POST' })
    expect(client.headers.location).toBe(`${url}/task_1`)
    made.service.end('task_1')
    await expect.poll(client.end).toBe('clean')
    expect(client.fields('event')).toEqual(['workflow.resumed', 'workflow.completed'])
  })

  test('a refusal is no stream, and gives its place back', async ({ edge }) => {
    const made = await served(await edge({ maxSseConnections: 1 }))
    const id = await ended(made, 'completed')
    const refused = await openStream(`${made.base}/workflows/${id}/resume`, { method: 'POST' })
    expect([refused.status, refused.headers['content-type']]).toEqual([409, 'application/problem+json'])
    const client = await openStream(`${made.base}/workflows/${id}/steps/work/rerun`, { method: 'POST' })
    expect(client.status).toBe(200)
    const full = await openStream(`${made.base}/workflows/${await ended(made, 'failed')}/resume`, { method: 'POST' })
    expect(full.status).toBe(503)
    expect(made.service.asked.map(({ verb }) => verb)).toEqual(['resume', 'rerun'])
    client.destroy()
  })

  test('goes on from a cursor that the client gives', async ({ edge }) => {
    const made = await served(await edge())
    const id = await ended(made, 'failed')
    const headers = { ...keyed, 'last-event-id': `${id}.1` }
    const client = await openStream(`${made.base}/workflows/${id}/resume`, { method: 'POST', headers })
    made.service.end(id)
    await expect.poll(client.end).toBe('clean')
    expect(client.fields('event')).toEqual(['workflow.failed', 'workflow.resumed', 'workflow.completed'])
  })

  test('a cursor that is none is refused before anything is done', async ({ edge }) => {
    const made = await served(await edge())
    const id = await ended(made, 'failed')
    for (const cursor of ['nonsense', 'wf_9.1', `${id}.3`]) {
      const headers = { ...keyed, 'last-event-id': cursor }
      const answer = await openStream(`${made.base}/workflows/${id}/resume`, { method: 'POST', headers })
      expect(answer.status).toBe(400)
    }
    expect([made.service.asked, made.service.openReaders()]).toEqual([[], 0])
  })
})

describe('a start that is repeated as a stream', () => {
  test('begins at the beginning, live or ended', async ({ edge }) => {
    const made = await served(await edge())
    const first = await start(made, keyed)
    await expect.poll(() => first.fields('event')).toHaveLength(1)
    const second = await start(made, keyed)
    expect([second.status, second.headers['idempotency-replayed']]).toEqual([200, 'true'])
    expect(second.headers.location).toBe('/workflows/wf_1')
    made.service.end('wf_1')
    for (const client of [first, second, await start(made, keyed)]) {
      await expect.poll(client.end).toBe('clean')
      expect(client.fields('event')).toEqual(['workflow.queued', 'workflow.completed'])
    }
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(made.service.started).toHaveLength(1)
  })

  test('cut at every frame and repeated with the last cursor it is exact, and empty at the end', async ({ edge }) => {
    const made = await served(await edge())
    await made.app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    for (let n = 0; n < 5; n += 1) made.service.emit('wf_1', 'step.delta', { text: `${n}` })
    made.service.end('wf_1')
    const seen: string[] = []
    let cursor = ''
    while (seen.at(-1) !== 'workflow.completed') {
      const client = await start(made, { ...keyed, ...(cursor === '' ? {} : { 'last-event-id': cursor }) })
      await expect.poll(() => client.fields('id').length).toBeGreaterThan(0)
      cursor = client.fields('id')[0] ?? ''
      seen.push(client.fields('event')[0] ?? '')
      client.destroy()
    }
    expect(seen).toEqual(['workflow.queued', ...Array<string>(5).fill('step.delta'), 'workflow.completed'])
    const last = await start(made, { ...keyed, 'last-event-id': cursor })
    expect([last.status, last.headers['idempotency-replayed']]).toEqual([200, 'true'])
    await expect.poll(last.end).toBe('clean')
    expect(last.text()).toBe('retry: 2000\n\n')
    await expect.poll(() => made.service.openReaders()).toBe(0)
    expect(made.service.started).toHaveLength(1)
  })

  test('with a cursor of another stream is refused', async ({ edge }) => {
    const made = await served(await edge())
    await ended(made, 'completed')
    await made.app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    const answer = await start(made, { ...keyed, 'last-event-id': 'wf_1.1' })
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json'])
    expect(made.openStreams()).toBe(0)
  })

  test('whose key is free again starts anew, and a cursor of the old one counts for nothing', async ({ edge }) => {
    const made = await served(await edge())
    await made.app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    made.service.drop('wf_1')
    const client = await start(made, { ...keyed, 'last-event-id': 'wf_1.1' })
    expect([client.status, client.headers.location]).toEqual([200, '/workflows/wf_2'])
    made.service.end('wf_2')
    await expect.poll(client.end).toBe('clean')
    expect(client.fields('event')).toEqual(['workflow.queued', 'workflow.completed'])
  })

  test('may ask for another form than the first', async ({ edge }) => {
    const made = await served(await edge())
    const stream = await start(made, keyed)
    const plain = await made.app.inject({ method: 'POST', url: '/workflows', headers: keyed, payload: good })
    expect([plain.statusCode, plain.headers['idempotency-replayed']]).toEqual([202, 'true'])
    expect(plain.json()).toMatchObject({ id: 'wf_1' })
    const headers = { ...keyed, 'last-event-id': 'nonsense' }
    expect((await made.app.inject({ method: 'POST', url: '/workflows', headers, payload: good })).statusCode).toBe(202)
    stream.destroy()
  })
})

test('a resume that is repeated as a stream begins with its own workflow.resumed', async ({ edge }) => {
  const made = await served(await edge())
  const id = await ended(made, 'failed')
  const resume = (headers: Record<string, string>) =>
    openStream(`${made.base}/workflows/${id}/resume`, { method: 'POST', headers })
  const first = await resume(keyed)
  made.service.end(id, 'failed')
  await expect.poll(first.end).toBe('clean')
  const other = await resume({ 'idempotency-key': 'k-2' })
  made.service.end(id)
  await expect.poll(other.end).toBe('clean')
  expect(other.fields('event')).toEqual(['workflow.resumed', 'workflow.completed'])
  const again = await resume(keyed)
  await expect.poll(again.end).toBe('clean')
  expect(again.headers['idempotency-replayed']).toBe('true')
  const all = ['workflow.resumed', 'workflow.failed', 'workflow.resumed', 'workflow.completed']
  expect(again.fields('event')).toEqual(all)
  expect(again.fields('id').slice(2)).toEqual(other.fields('id'))
  const rest = await resume({ ...keyed, 'last-event-id': again.fields('id')[2] ?? '' })
  await expect.poll(rest.end).toBe('clean')
  expect(rest.fields('event')).toEqual(['workflow.completed'])
  expect(made.service.asked).toHaveLength(2)
})

test('a stream of what was started is broken off, never refused, while the database is away', async ({ edge }) => {
  const made = await served(await edge({ notReadyHoldMs: 50 }))
  const { start: startFirst } = made.service
  made.service.start = async (body, caller) => {
    const outcome = await startFirst(body, caller)
    made.service.failure = new AppError('unavailable', 'away')
    return outcome
  }
  const client = await start(made, keyed)
  expect([client.status, client.headers.location]).toEqual([200, '/workflows/wf_1'])
  await expect.poll(client.end).toBe('broken')
  expect(client.fields('event')).toEqual([])
})
