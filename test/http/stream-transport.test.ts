import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import type { AppOptions } from '../../src/http/app-parts.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import { rawExchange } from '../support/raw-exchange.ts'
import { openStream } from '../support/stream-client.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }

type Edge = (options?: Partial<AppOptions>) => Promise<TestApp>

/** A workflow and a direct task, and where their streams are. */
async function listening(edge: Edge, options: Partial<AppOptions> = {}) {
  const made = await edge(options)
  const base = await made.listen()
  const post = async (url: string, payload: object) =>
    (await made.app.inject({ method: 'POST', url, payload })).json<{ id: string }>().id
  const workflow = await post('/workflows', good)
  const task = await post('/agents/developer/tasks', { task: 'Review it.' })
  const paths = [`/workflows/${workflow}/events`, `/agents/developer/tasks/${task}/events`] as const
  return { ...made, base, workflow, task, paths }
}

describe('which form the events have', () => {
  test.for([
    [undefined, 'stream'],
    ['', 'stream'],
    ['*/*', 'stream'],
    ['text/*', 'stream'],
    ['text/event-stream', 'stream'],
    ['TEXT/Event-Stream', 'stream'],
    ['text/event-stream, */*;q=0.1', 'stream'],
    ['text/event-stream, application/json', 'stream'],
    ['application/json, text/event-stream', 'stream'],
    ['application/json;q=0.5, text/event-stream', 'stream'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'stream'],
    ['application/json', 'json'],
    ['application/*', 'json'],
    ['application/json, text/event-stream;q=0.9', 'json'],
    ['*/*, text/event-stream;q=0', 'json'],
    ['text/html', 'neither'],
    ['text/event-stream;q=0', 'neither'],
  ] as const)('GET with Accept: %s', async ([accept, form], { edge }) => {
    const made = await listening(edge)
    for (const path of made.paths) {
      const answer = await new Promise<{ status?: number; type: string }>((resolve, reject) => {
        const sent = request(`${made.base}${path}`, { agent: false, headers: accept === undefined ? {} : { accept } })
        sent.on('error', reject).on('response', (response) => {
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '' })
          response.destroy()
        })
        sent.end()
      })
      const expected = {
        stream: { status: 200, type: 'text/event-stream' },
        json: { status: 200, type: expect.stringMatching(/^application\/json/) },
        neither: { status: 406, type: 'application/problem+json' },
      }[form]
      expect(answer).toEqual(expected)
    }
  })

  test.for([
    ['*/*', 202, 'application/json; charset=utf-8'],
    ['', 202, 'application/json; charset=utf-8'],
    ['application/json, text/event-stream', 202, 'application/json; charset=utf-8'],
    ['text/event-stream, application/json;q=0.5', 200, 'text/event-stream'],
    ['text/event-stream', 200, 'text/event-stream'],
    ['text/*', 200, 'text/event-stream'],
    ['text/html', 406, 'application/problem+json'],
  ] as const)('POST with Accept: %s', async ([accept, status, type], { edge }) => {
    const made = await listening(edge)
    for (const [path, body] of [
      ['/workflows', good],
      ['/agents/developer/tasks', { task: 'Review it.' }],
    ] as const) {
      const answer = await openStream(`${made.base}${path}`, { method: 'POST', headers: { accept }, body })
      expect([answer.status, answer.headers['content-type']]).toEqual([status, type])
      answer.destroy()
    }
  })
})

describe('methods', () => {
  test('HEAD of a stream is refused and OPTIONS answered at once, and the connection goes on', async ({ edge }) => {
    const { base, paths } = await listening(edge)
    for (const path of paths) {
      const ask = (method: string, connection: string) =>
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nConnection: ${connection}\r\n\r\n`
      const exchange = rawExchange(
        base,
        ask('HEAD', 'keep-alive') + ask('OPTIONS', 'keep-alive') + ask('HEAD', 'close'),
      )
      await expect.poll(exchange.end).toBe('fin')
      expect(exchange.received().match(/^HTTP\/1\.1 \d+|^allow: .*$/gim)).toEqual(
        [405, 204, 405].flatMap((status) => [`HTTP/1.1 ${status}`, 'allow: GET, OPTIONS']),
      )
      expect(exchange.received()).not.toContain('{')
    }
  })
})

describe('a stream on the wire', () => {
  test('is never compressed', async ({ edge }) => {
    const { base, paths, service, workflow } = await listening(edge)
    const headers = { 'accept-encoding': 'gzip, deflate, br, zstd' }
    const client = await openStream(`${base}${paths[0]}`, { headers })
    service.emit(workflow, 'step.delta', { text: 'x'.repeat(10_000) })
    service.end(workflow)
    await expect.poll(client.end).toBe('clean')
    expect(client.headers['content-encoding']).toBeUndefined()
    expect(client.headers['cache-control']).toBe('no-cache, no-transform')
    expect(client.fields('event')).toHaveLength(3)
  })

  test('says retry before it has anything else to say, also after a cursor', async ({ edge }) => {
    const { base, paths, workflow } = await listening(edge)
    const client = await openStream(`${base}${paths[0]}`, { headers: { 'last-event-id': `${workflow}.1` } })
    await expect.poll(client.text).toBe('retry: 2000\n\n')
    client.destroy()
  })

  test('the header wins over ?after=, and a bad one of either is 400', async ({ edge }) => {
    const { base, paths, workflow, task, service } = await listening(edge)
    service.end(workflow)
    const url = `${base}${paths[0]}`
    const [first, last, others] = [`${workflow}.1`, `${workflow}.2`, `${task}.1`]
    const ask = async (after: string, lastEventId?: string) => {
      const client = await openStream(`${url}?after=${after}`, {
        headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      })
      await expect.poll(client.end).not.toBeNull()
      return [client.status, client.headers['content-type']?.split(';')[0], client.fields('event').length]
    }
    expect(await ask(first, last)).toEqual([204, undefined, 0])
    expect(await ask(last, first)).toEqual([200, 'text/event-stream', 1])
    expect(await ask('rubbish', first)).toEqual([200, 'text/event-stream', 1])
    expect(await ask(first, 'rubbish')).toEqual([400, 'application/problem+json', 0])
    expect(await ask(others)).toEqual([400, 'application/problem+json', 0])
    expect(await ask(`${workflow}.3`)).toEqual([400, 'application/problem+json', 0])
  })
})

describe('HTTP/1.0', () => {
  const ask = (path: string) => `GET ${path} HTTP/1.0\r\nAccept: text/event-stream\r\nConnection: keep-alive\r\n\r\n`

  test('gets no chunks, and the close of the connection as a clean end', async ({ edge }) => {
    const { base, paths, service, workflow } = await listening(edge)
    const exchange = rawExchange(base, ask(paths[0]))
    await expect.poll(exchange.received).toContain('workflow.queued')
    service.end(workflow)
    await expect.poll(exchange.end).toBe('fin')
    const [head = '', ...body] = exchange.received().split('\r\n\r\n')
    expect(head.toLowerCase()).toMatch(/^http\/1\.[01] 200 /)
    expect(head.toLowerCase()).toContain('connection: close')
    expect(head.toLowerCase()).not.toContain('transfer-encoding')
    expect(body.join('\r\n\r\n')).toMatch(
      /^retry: 2000\n\nid: \S+\nevent: workflow\.queued\ndata: .*\n\nid: .*\}\n\n$/s,
    )
  })

  test('is reset when the server leaves early: a close would be a clean end', async ({ edge }) => {
    const made = await listening(edge)
    const exchange = rawExchange(made.base, ask(made.paths[0]))
    await expect.poll(exchange.received).toContain('workflow.queued')
    made.leave()
    await expect.poll(exchange.end).toBe('reset')
    expect(exchange.received()).toMatch(/\n\nretry: 2000\n\n$/)
  })
})

describe('a connection that is kept', () => {
  interface Answer {
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly body: string
    readonly port: number
  }

  function askBy(agent: Agent, url: string, options: { method?: string; headers?: Record<string, string> } = {}) {
    return new Promise<Answer>((resolve, reject) => {
      const sent = request(url, { agent, ...options })
      sent.on('error', reject).on('response', async (response) => {
        const port = response.socket.localPort ?? 0
        const body = await text(response)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, port })
      })
      sent.end()
    })
  }

  test('serves on after a stream that ended, a 204, and refusals', async ({ edge }) => {
    const { base, paths, service, workflow } = await listening(edge)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const url = `${base}${paths[0]}`
    const headers = { accept: 'text/event-stream' }
    service.end(workflow)
    const answers = [
      await askBy(agent, url, { headers }),
      await askBy(agent, `${url}?after=${workflow}.2`, { headers }),
      await askBy(agent, `${url}?after=rubbish`, { headers }),
      await askBy(agent, url, { method: 'HEAD', headers }),
      await askBy(agent, url, { headers: { accept: 'text/html' } }),
      await askBy(agent, `${base}/workflows/wf_none/events`, { headers }),
      await askBy(agent, url, { method: 'OPTIONS' }),
      await askBy(agent, url, { headers }),
    ]
    agent.destroy()
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 400, 405, 406, 404, 204, 200])
    expect(new Set(answers.map(({ port }) => port)).size).toBe(1)
    expect(answers[1]?.body).toBe('')
    expect(answers[7]?.body).toBe(answers[0]?.body)
  })
})
