import { EventSource } from 'eventsource'
import { assert, asyncProperty, constantFrom, integer } from 'fast-check'
import { describe, expect, vi } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { createKeyring } from '../../src/http/keyring.ts'
import { createStreamTickets } from '../../src/http/stream-tickets.ts'
import { accessWith, apiKey, bearer } from '../support/access.ts'
import { freePort } from '../support/free-port.ts'
import { test } from '../support/http-app.ts'
import type { TestApp } from '../support/http-app.ts'
import { openStream } from '../support/stream-client.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const keys = [apiKey('anna'), apiKey('bert'), apiKey('reader', 'read')]
const access = accessWith(keys)
const secret = new Uint8Array(32).fill(9)

interface Ticket {
  readonly ticket: string
  readonly expires_at: string
}

function ticketsWith(options: { readonly now?: () => number; readonly names?: typeof keys } = {}) {
  const { now = () => 1_000_000, names = keys } = options
  const keyring = createKeyring(names)
  return {
    keyring,
    tickets: createStreamTickets({ signing: { key: async () => secret, now }, keyring }, { lifeMs: 1000 }),
  }
}

const ref = { kind: 'workflow', id: 'wf_1' } as const

describe('a ticket', () => {
  const refused = { code: 'unauthorized' }

  test('is good for its stream until it expires, on every replica', async () => {
    let now = 1_000_000
    const { tickets, keyring } = ticketsWith({ now: () => now })
    const anna = keyring.find('lma_test-key-of-anna')
    if (anna === null) throw new Error('she has a key')
    const { ticket, expires_at } = await tickets.issue(anna, ref)
    expect(expires_at).toBe(new Date(1_001_000).toISOString())
    expect(encodeURIComponent(ticket)).toBe(ticket)
    now = 1_000_999
    expect((await ticketsWith({ now: () => now }).tickets.verify(ticket, ref)).principal.name).toBe('anna')
    await expect(tickets.verify(ticket, { kind: 'workflow', id: 'wf_2' })).rejects.toMatchObject(refused)
    await expect(tickets.verify(ticket, { kind: 'task', id: 'wf_1' })).rejects.toMatchObject(refused)
    now = 1_001_000
    await expect(tickets.verify(ticket, ref)).rejects.toMatchObject(refused)
  })

  test('goes with the key that asked for it', async () => {
    const { tickets, keyring } = ticketsWith()
    const anna = keyring.named('anna')
    if (anna === null) throw new Error('she has a key')
    const { ticket } = await tickets.issue(anna, ref)
    const without = ticketsWith({ names: [apiKey('bert')] })
    const replaced = ticketsWith({ names: [{ ...apiKey('anna'), sha256: apiKey('bert').sha256 }] })
    for (const other of [without, replaced, ticketsWith({ names: [] })]) {
      await expect(other.tickets.verify(ticket, ref)).rejects.toMatchObject(refused)
    }
  })

  test('is refused wherever it is altered', async () => {
    const { tickets, keyring } = ticketsWith()
    const anna = keyring.named('anna')
    if (anna === null) throw new Error('she has a key')
    const { ticket } = await tickets.issue(anna, ref)
    const character = constantFrom('A', 'B', 'w', 'z', '0', '1', '9', '-', '_', '.', '=')
    await assert(
      asyncProperty(integer({ min: 0, max: ticket.length - 1 }), character, async (at, other) => {
        const altered = ticket.slice(0, at) + other + ticket.slice(at + 1)
        if (altered !== ticket) await expect(tickets.verify(altered, ref)).rejects.toMatchObject(refused)
      }),
    )
    for (const none of ['', '.', '..', `0${ticket}`, `${ticket}.`, `${ticket}x`, ticket.slice(0, -1), '1e9.x.anna']) {
      await expect(tickets.verify(none, ref)).rejects.toMatchObject(refused)
    }
  })

  test('of nobody is everybody’s, while there are no keys', async () => {
    const { tickets, keyring } = ticketsWith({ names: [] })
    const anybody = keyring.named('')
    if (anybody === null) throw new Error('it is open')
    const { ticket } = await tickets.issue(anybody, ref)
    expect((await tickets.verify(ticket, ref)).principal.seesAll).toBe(true)
    await expect(ticketsWith().tickets.verify(ticket, ref)).rejects.toMatchObject(refused)
  })
})

async function started({ app }: TestApp, name = 'anna'): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: '/workflows', headers: bearer(name), payload: good })
  return answer.json<{ id: string }>().id
}

async function ticketFor({ app }: TestApp, path: string, name = 'anna'): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: `${path}/events/ticket`, headers: bearer(name) })
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([201, 'no-store'])
  return answer.json<Ticket>().ticket
}

describe('?ticket=', () => {
  test('opens its stream in both forms, and nothing else', async ({ edge }) => {
    const made = await edge({ access })
    const id = await started(made)
    const other = await started(made)
    const path = `/workflows/${id}`
    const ticket = await ticketFor(made, path, 'reader')
    made.service.end(id)
    const status = async (url: string, accept = '*/*') => {
      return (await made.app.inject({ url: `${url}?ticket=${ticket}`, headers: { accept } })).statusCode
    }
    expect(await status(`${path}/events`)).toBe(200)
    expect(await status(`${path}/events`, 'application/json')).toBe(200)
    const elsewhere = [path, `/workflows/${other}/events`, `${path}/artifacts`, `/agents/developer/tasks/${id}/events`]
    for (const url of elsewhere) expect([url, await status(url)]).toEqual([url, 401])
    const post = { method: 'POST', url: `${path}/events/ticket?ticket=${ticket}` } as const
    expect((await made.app.inject(post)).statusCode).toBe(401)
    const twice = `${path}/events?ticket=${ticket}&ticket=${ticket}`
    expect((await made.app.inject(twice)).statusCode).toBe(401)
  })

  test('of a task, and 404 for what is not there', async ({ edge }) => {
    const made = await edge({ access })
    const url = '/agents/developer/tasks'
    const task = await made.app.inject({ method: 'POST', url, headers: bearer('anna'), payload: { task: 'Do it.' } })
    const { id } = task.json<{ id: string }>()
    const ticket = await ticketFor(made, `${url}/${id}`)
    made.service.end(id)
    expect((await made.app.inject(`${url}/${id}/events?ticket=${ticket}`)).statusCode).toBe(200)
    for (const path of [`${url}/task_0`, '/workflows/wf_0']) {
      const answer = await made.app.inject({ method: 'POST', url: `${path}/events/ticket`, headers: bearer('anna') })
      expect(answer.statusCode).toBe(404)
    }
  })

  test('is told to nobody: neither a log line nor a refusal holds it', async ({ edge }) => {
    const made = await edge({ access })
    const id = await started(made)
    const ticket = await ticketFor(made, `/workflows/${id}`)
    const answers = await Promise.all([
      made.app.inject({ url: `/workflows/${id}?ticket=${ticket}` }),
      made.app.inject({ url: `/workflows/${id}/events?ticket=${ticket}x` }),
      made.app.inject({ url: `/workflows/${id}/events?ticket=${ticket}&after=nonsense` }),
      made.app.inject({ url: `/nothing?ticket=${ticket}` }),
    ])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 400, 404])
    const told = JSON.stringify([made.finished, made.failed, made.closed, answers.map(({ body }) => body)])
    expect(told).not.toContain(ticket.slice(0, 20))
  })

  test('waits for a database that is away, as a stream with a key does', async ({ edge }) => {
    let failures = 0
    const key = async () => {
      failures -= 1
      if (failures >= 0) throw new AppError('unavailable', 'The database cannot be reached.')
      return secret
    }
    const made = await edge({ access, notReadyHoldMs: 30_000 }, { signing: { key, now: () => Date.now() } })
    const base = await made.listen()
    const id = await started(made)
    const ticket = await ticketFor(made, `/workflows/${id}`)
    made.service.end(id)
    const url = `/workflows/${id}/events?ticket=${ticket}`
    failures = 2
    expect((await made.app.inject({ url, headers: { accept: 'application/json' } })).statusCode).toBe(503)
    failures = 2
    expect((await openStream(base + url)).status).toBe(200)
    failures = 2
    expect((await openStream(`${base}${url}x`)).status).toBe(401)
  })

  test('that expires leaves the open stream open', async ({ edge }) => {
    let now = 1_000_000
    const signing = { key: async () => secret, now: () => now }
    const made = await edge({ access: { ...access, ticketMs: 1000 } }, { signing })
    const base = await made.listen()
    const id = await started(made)
    const url = `${base}/workflows/${id}/events?ticket=${await ticketFor(made, `/workflows/${id}`)}`
    const stream = await openStream(url)
    now += 1000
    expect((await openStream(url)).status).toBe(401)
    made.service.end(id)
    await vi.waitFor(() => expect(stream.end()).toBe('clean'), 10_000)
    expect(stream.fields('event')).toContain('workflow.completed')
  })

  test('lets an EventSource come back after a restart', async ({ edge }) => {
    const port = await freePort()
    const first = await edge({ access })
    const id = await started(first)
    const ticket = await ticketFor(first, `/workflows/${id}`)
    await first.app.listen({ port, host: '127.0.0.1' })
    const source = new EventSource(`http://127.0.0.1:${port}/workflows/${id}/events?ticket=${ticket}`)
    const seen: string[] = []
    let opened = 0
    source.addEventListener('open', () => (opened += 1))
    for (const type of ['workflow.queued', 'workflow.completed']) source.addEventListener(type, () => seen.push(type))
    await vi.waitFor(() => expect(seen).toEqual(['workflow.queued']), 10_000)
    first.leave()
    await first.app.close()
    const second = await edge({ access }, { services: { as: () => first.service } })
    await second.app.listen({ port, host: '127.0.0.1' })
    first.service.end(id)
    await vi.waitFor(() => expect(seen).toEqual(['workflow.queued', 'workflow.completed']), 20_000)
    expect(opened).toBe(2)
    await vi.waitFor(() => expect(source.readyState).toBe(EventSource.CLOSED), 20_000)
    source.close()
  }, 60_000)
})
