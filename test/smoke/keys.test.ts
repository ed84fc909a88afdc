import { describe, expect, vi } from 'vitest'
import { makeApiKey } from '../../src/config/api-key.ts'
import { followWithEventSource } from '../clients/npm-eventsource.ts'
import { freePort } from '../support/free-port.ts'
import { test } from './smoke-test.ts'

const anna = makeApiKey('anna', ['write'])
const bert = makeApiKey('bert', ['write'])

function asking(url: string, key: string) {
  return async (path: string, body?: object) => {
    const json = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await fetch(url + path, { headers, ...json })
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, string>> }
  }
}

describe('a service with keys', { timeout: 120_000 }, () => {
  test('keeps what is whose, and its tickets, over a kill', async ({ site, model }) => {
    const env = { PORT: String(await freePort()), API_KEYS: `${anna.entry},${bert.entry}`, LOG_LEVEL: 'DEBUG' }
    const held = Promise.withResolvers<string>()
    model.answerWith(() => held.promise)
    const first = await site.start(env)
    const [asAnna, asBert] = [asking(first.url, anna.key), asking(first.url, bert.key)]
    expect((await fetch(`${first.url}/workflows`)).status).toBe(401)
    const started = await asAnna('/agents/developer/tasks', { task: 'Do it.' })
    expect(started.status).toBe(202)
    const path = `/agents/developer/tasks/${started.body['id']}`
    expect((await asBert(path)).status).toBe(404)
    const { status, body } = await asAnna(`${path}/events/ticket`, {})
    expect(status).toBe(201)
    const { ticket = '' } = body

    const followed = followWithEventSource(`${first.url}${path}/events?ticket=${ticket}`)
    await model.called(1)
    await vi.waitFor(() => expect(followed.connections()).toBe(1), 20_000)
    await first.kill()
    const second = await site.start(env)
    held.resolve('Done.')
    await followed.over
    expect(followed.connections()).toBeGreaterThan(1)
    expect((await asAnna(path)).body['status']).toBe('completed')
    expect((await asBert(path)).status).toBe(404)

    const metrics = await (await fetch(`${second.url}/metrics`)).text()
    expect(metrics).toMatch(/api_key_tokens_total\{key="anna",gen_ai_token_type="output"\} [1-9]/)
    expect(metrics).toMatch(/api_key_requests_total\{key="bert"\} 1/)
    const told = [first, second].map((service) => service.stdout() + service.stderr()).join('') + metrics
    expect(told).toContain('"key":"anna"')
    const hashes = [anna, bert].map(({ entry }) => entry.split(':')[1] ?? '')
    for (const secret of [anna.key, bert.key, ...hashes, ticket.slice(0, 30)]) expect(told).not.toContain(secret)
  })
})
