import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import type { HttpApp } from '../../src/http/http-app.ts'
import type { RouteAccess } from '../../src/http/route-scope.ts'
import type { WorkflowRef } from '../../src/workflows/service.ts'
import { accessWith, apiKey, bearer, requestFor } from '../support/access.ts'
import { openTestStorage } from '../support/database.ts'
import { caller, customStep, openEngineBench } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import { createTestApp, partsOver, testOptions } from '../support/http-app.ts'

/** Every route × every kind of key, from the application's own table: a route that is added is in it. */
const metrics = { text: async () => ({ contentType: 'text/plain', body: '' }), json: () => ({}) }
const describing = await createTestApp({}, { metrics })
await describing.app.close()
const rank = ['GET', 'HEAD', 'POST', 'DELETE']
const table = describing.app.accessTable.toSorted((a, b) => rank.indexOf(a.method) - rank.indexOf(b.method))
const guarded = table.filter(({ scope }) => scope !== 'none')
const named = (routes: readonly RouteAccess[]) =>
  routes.map((route) => [`${route.method} ${route.url}`, route] as const)
const ofOne = guarded.filter(({ url }) => url.includes(':id'))
const lists = guarded.filter(({ url, method }) => method === 'GET' && !url.includes(':id'))
const verbs = guarded.filter(({ scope }) => scope !== 'read')

const anna = { name: 'anna', seesAll: false }
const keys = [apiKey('anna'), apiKey('bert'), apiKey('reader', 'read'), apiKey('boss', 'admin')]
const forms = ['application/json', '*/*']
// Nobody sends anything here.
const webhook = { url: 'https://receiver.example', events: ['workflow.queued' as const] }

let bench: EngineBench
let app: HttpApp
let base: string
let ofAnna: { readonly workflow: string; readonly task: string }
const closing: (() => Promise<unknown>)[] = []

async function startTask(): Promise<string> {
  const services = bench.services.as(anna)
  const { id } = (await services.startTask('developer', { task: 'Do it.', webhook }, caller)).resource
  await untilStatus({ kind: 'task', role: 'developer', id }, 'completed')
  return id
}

async function startWorkflow(): Promise<string> {
  const steps = [customStep('only', { approval: true })]
  const { id } = (
    await bench.services.as(anna).start({ type: 'custom', requirement: 'Build it.', steps, webhook }, caller)
  ).resource
  await untilStatus({ kind: 'workflow', id }, 'waiting')
  return id
}

async function untilStatus(ref: WorkflowRef, status: string): Promise<void> {
  const look = async () => expect((await bench.service.get(ref)).resource.status).toBe(status)
  await vi.waitFor(look, { timeout: 20_000, interval: 10 })
}

/** The first delivery of one that is there. */
async function deliveryOf({ url }: RouteAccess, id: string): Promise<string> {
  const ref = url.startsWith('/agents')
    ? ({ kind: 'task', role: 'developer', id } as const)
    : ({ kind: 'workflow', id } as const)
  return (await bench.service.deliveries(ref))[0]?.id ?? ''
}

/** Status and text of an answer; of an event stream no text, because it may not end. */
async function ask(
  route: RouteAccess,
  who: string | null,
  { id, accept = '*/*' }: { id?: string; accept?: string } = {},
) {
  const own = route.url.startsWith('/agents') ? ofAnna.task : ofAnna.workflow
  const delivery = (id ?? own) === own ? await deliveryOf(route, own) : 'msg_nothing'
  const values = { id: id ?? own, role: 'developer', step: 'only', '*': 'a.txt', type: 'analysis', delivery }
  const { method, path, body } = requestFor(route, values)
  const leave = new AbortController()
  const headers = { accept, ...(who === null ? {} : bearer(who)) }
  const json =
    body === undefined
      ? {}
      : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(base + path, { method, headers, ...json, signal: leave.signal })
  const isStream = answer.headers.get('content-type') === 'text/event-stream'
  const text = isStream ? '' : await answer.text()
  leave.abort()
  return { status: answer.status, text, challenge: answer.headers.get('www-authenticate') }
}

beforeAll(async () => {
  const storage = await openTestStorage()
  closing.push(() => storage.close())
  bench = await openEngineBench(storage, { webhooks: { enabled: true, hasSecret: true } })
  closing.push(() => bench.close())
  bench.server.answerWith(() => '```text:a.txt\nHello.\n```\n')
  await bench.engine.start()
  app = await createApp(
    { ...partsOver(bench.services), metrics, signing: { key: storage.signingKey, now: () => Date.now() } },
    { ...testOptions, access: accessWith(keys) },
  )
  closing.push(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  ofAnna = { workflow: await startWorkflow(), task: await startTask() }
}, 60_000)

afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

test('the table holds every kind of route', () => {
  expect([ofOne.length, lists.length, verbs.length].every((count) => count > 3)).toBe(true)
  expect(new Set(table.filter(({ scope }) => scope === 'none').map(({ url }) => url.split('/')[1]))).toEqual(
    new Set([
      'health',
      'livez',
      'readyz',
      'metrics',
      'metrics.json',
      'openapi.json',
      'openapi.yaml',
      'docs',
      'problems',
    ]),
  )
})

test('a route that does not say which scope it needs cannot be added', async () => {
  const { app: other } = await createTestApp()
  expect(() => other.get('/secrets', async () => 'all of them')).toThrow('/secrets does not say which scope it needs')
  await other.close()
})

describe('without a key, or with one that is not known', () => {
  test.for(named(guarded))('%s is 401', async ([, route]) => {
    for (const who of [null, 'stranger']) {
      expect(await ask(route, who)).toMatchObject({ status: 401, challenge: 'Bearer' })
      expect((await ask(route, who, { id: 'wf_nothing' })).status).toBe(401)
    }
  })

  test.for(named(table.filter(({ scope, url }) => scope === 'none' && !/[:*]/.test(url))))(
    '%s is open',
    async ([, route]) => {
      expect((await ask(route, null)).status).toBeLessThan(400)
    },
  )
})

describe('a key that may only read', () => {
  test.for(named(verbs))('%s is 403, whatever is there', async ([, route]) => {
    for (const id of [undefined, 'wf_nothing']) {
      const { status, text } = await ask(route, 'reader', id === undefined ? {} : { id })
      expect([status, text]).toEqual([403, expect.stringContaining(`the scope \\"${route.scope}\\"`)])
    }
  })
})

describe('what another key has started', () => {
  test.for(named(ofOne))('%s is as if it were not there', async ([, route]) => {
    for (const accept of forms) {
      const { status, text } = await ask(route, 'bert', { accept })
      if (route.scope === 'admin') expect(status).toBe(403)
      else
        expect([status, JSON.parse(text || '{"type":"/problems/not-found"}')]).toMatchObject([
          404,
          { type: '/problems/not-found' },
        ])
    }
  })

  test.for(named(lists))('%s does not tell of it', async ([, route]) => {
    const [his, all] = [await ask(route, 'bert'), await ask(route, 'boss')]
    expect([his.status, all.status]).toEqual([200, 200])
    for (const id of Object.values(ofAnna)) expect(his.text).not.toContain(id)
  })

  test('is as it was', async () => {
    const { resource } = await bench.service.get({ kind: 'workflow', id: ofAnna.workflow })
    expect(resource.status).toBe('waiting')
    expect((await ask({ ...lists[0], url: '/workflows' } as RouteAccess, 'boss')).text).toContain(ofAnna.workflow)
  })
})

describe('its owner, and who sees all,', () => {
  test.for(named(ofOne))('%s is there for them', async ([, route]) => {
    for (const who of ['anna', 'boss']) {
      for (const accept of forms) {
        const id =
          route.method === 'DELETE' ? await (route.url.startsWith('/agents') ? startTask() : startWorkflow()) : null
        const { status } = await ask(route, who, { accept, ...(id === null ? {} : { id }) })
        if (route.scope === 'admin' && who === 'anna') expect(status).toBe(403)
        else expect([401, 403, 404, 500]).not.toContain(status)
      }
    }
  })
})
