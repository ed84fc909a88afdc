import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { describe, expect, it, onTestFinished } from 'vitest'

import { followWorkflow } from '../../demo/event-client.ts'
import type { StreamEvent } from '../../demo/stream-event.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers its n-th request with the n-th handler. */
async function startServer(handlers: readonly Handler[]) {
  const requests: { method: string; url: string; lastEventId: string | undefined; accept: string | undefined }[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, url, lastEventId: headers['last-event-id']?.toString(), accept: headers.accept })
    const handler = handlers[requests.length - 1]
    if (handler === undefined) response.writeHead(500).end()
    else handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { baseUrl: `http://127.0.0.1:${address.port}`, requests }
}

function frame(id: string, type: string, data: Partial<StreamEvent> = {}): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ type, workflow_id: 'wf_1', ...data })}\n\n`
}

function delta(id: string, offset: number, text: string): string {
  return frame(id, 'step.delta', { step: 's', offset, text })
}

const HEADERS = { 'content-type': 'text/event-stream', location: '/workflows/wf_1' }
const END = frame('9', 'workflow.completed')

async function follow(baseUrl: string, more: { signal?: AbortSignal; maxReconnects?: number } = {}) {
  const events: StreamEvent[] = []
  let reconnects = 0
  const onEvent = (event: StreamEvent) => void events.push(event)
  const onReconnect = () => void (reconnects += 1)
  await followWorkflow({ baseUrl, body: { type: 'analysis' }, onEvent, onReconnect, ...more })
  return { events, reconnects, text: events.map((event) => event.text ?? '').join('') }
}

const cutAfter =
  (text: string): Handler =>
  (_request, response) => {
    response.writeHead(200, HEADERS)
    response.write(text, () => response.destroy())
  }
const endAfter =
  (text: string): Handler =>
  (_request, response) =>
    void response.writeHead(200, HEADERS).end(text)

describe('the event client', () => {
  it('posts for a stream and ends with it', async () => {
    const { baseUrl, requests } = await startServer([endAfter(frame('1', 'workflow.queued') + END)])
    const { events, reconnects } = await follow(baseUrl)
    expect(events.map((event) => event.type)).toEqual(['workflow.queued', 'workflow.completed'])
    expect(reconnects).toBe(0)
    expect(requests).toMatchObject([{ method: 'POST', url: '/workflows', accept: 'text/event-stream' }])
  })

  it('takes a stream up again where it was cut, also inside a frame', async () => {
    const { baseUrl, requests } = await startServer([
      cutAfter(`retry: 1\n\n${delta('4.3', 0, 'one')}${delta('4.7', 3, ' two').slice(0, -9)}`),
      cutAfter(delta('4.7', 3, ' two')),
      endAfter(delta('4.13', 7, ' three') + END),
    ])
    const { text, reconnects } = await follow(baseUrl)
    expect(text).toBe('one two three')
    expect(reconnects).toBe(2)
    expect(requests.slice(1)).toMatchObject([
      { method: 'GET', url: '/workflows/wf_1/events', lastEventId: '4.3' },
      { method: 'GET', url: '/workflows/wf_1/events', lastEventId: '4.7' },
    ])
  })

  it('comes back after a 503 and after a clean end without the end of the workflow', async () => {
    const { baseUrl } = await startServer([
      cutAfter(`retry: 1\n\n${frame('1', 'workflow.queued')}`),
      (_request, response) => void response.writeHead(503).end(),
      endAfter(frame('2', 'workflow.started')),
      endAfter(END),
    ])
    const { events } = await follow(baseUrl)
    expect(events.map((event) => event.type)).toEqual(['workflow.queued', 'workflow.started', 'workflow.completed'])
  })

  it('takes 204 for an end', async () => {
    const { baseUrl } = await startServer([
      cutAfter(`retry: 1\n\n${frame('1', 'workflow.queued')}`),
      (_request, response) => void response.writeHead(204).end(),
    ])
    expect((await follow(baseUrl)).events).toHaveLength(1)
  })

  it('reports a refusal in the words of the service', async () => {
    const problem = { title: 'Invalid request', detail: 'No.', errors: [{ pointer: '/type', detail: 'is unknown' }] }
    const { baseUrl } = await startServer([
      (_request, response) => void response.writeHead(400).end(JSON.stringify(problem)),
    ])
    await expect(follow(baseUrl)).rejects.toThrow('400 Invalid request: No.\n  /type: is unknown')
  })

  it('gives up when there is no news for too long', async () => {
    const { baseUrl } = await startServer([cutAfter(`retry: 1\n\n${frame('1', 'workflow.queued')}`)])
    await expect(follow(baseUrl, { maxReconnects: 3 })).rejects.toThrow('3 times')
  })

  it('ends at once when it is aborted', async () => {
    const abort = new AbortController()
    const { baseUrl } = await startServer([
      (_request, response) => {
        response.writeHead(200, HEADERS)
        response.write(frame('1', 'workflow.queued'), () => abort.abort(new Error('stopped')))
      },
    ])
    await expect(follow(baseUrl, { signal: abort.signal })).rejects.toThrow('stopped')
  })
})
