import { describe, expect } from 'vitest'
import type { DeliveryResource } from '../../src/workflows/resources.ts'
import { test } from '../support/http-app.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const task = { task: 'Review it.' }
const webhook = { url: 'https://hooks.example/1', events: ['workflow.completed'] }
const secret = `whsec_${Buffer.alloc(24).toString('base64')}`

interface Refusal {
  readonly detail: string
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[]
}

const doors = [
  { url: '/workflows', body: good },
  { url: '/agents/developer/tasks', body: task },
]

const bad: readonly (readonly [name: string, webhook: unknown, pointer: string, detail: string])[] = [
  ['no URL', { ...webhook, url: undefined }, '/webhook/url', 'is missing'],
  ['no URL but a path', { ...webhook, url: '/hooks' }, '/webhook/url', 'must be an https or http URL'],
  ['another scheme', { ...webhook, url: 'ftp://hooks.example/' }, '/webhook/url', 'must be an https or http URL'],
  ['a script', { ...webhook, url: 'javascript:alert(1)' }, '/webhook/url', 'must be an https or http URL'],
  ['a user', { ...webhook, url: 'https://canary@hooks.example/' }, '/webhook/url', 'must not hold credentials'],
  ['a password', { ...webhook, url: 'https://:canary@hooks.example/' }, '/webhook/url', 'must not hold credentials'],
  ['a long URL', { ...webhook, url: `https://hooks.example/${'x'.repeat(1979)}` }, '/webhook/url', '2000 characters'],
  ['no events', { url: webhook.url }, '/webhook/events', 'is missing'],
  ['an empty list of events', { ...webhook, events: [] }, '/webhook/events', 'must not be empty'],
  ['an event twice', { ...webhook, events: ['step.failed', 'step.failed'] }, '/webhook/events', 'duplicate'],
  ['a text', { ...webhook, events: ['step.delta'] }, '/webhook/events/0', 'must be one of'],
  [
    'an unknown event',
    { ...webhook, events: ['step.failed', 'workflow.complete'] },
    '/webhook/events/1',
    'did you mean "workflow.completed"?',
  ],
  ['a secret without prefix', { ...webhook, secret: 'canary' }, '/webhook/secret', 'must be whsec_'],
  ['a short secret', { ...webhook, secret: 'whsec_canary' }, '/webhook/secret', 'must be whsec_'],
  ['a secret that is no base64', { ...webhook, secret: `${secret}canary-` }, '/webhook/secret', 'must be whsec_'],
  ['an unknown field', { ...webhook, event: [] }, '/webhook/event', 'did you mean "events"?'],
]

describe('a webhook', () => {
  for (const { url, body } of doors) {
    for (const [name, given, pointer, detail] of bad) {
      test(`of ${url} with ${name} is refused`, async ({ shared: { app } }) => {
        const answer = await app.inject({ method: 'POST', url, payload: { ...body, webhook: given } })
        expect(answer.statusCode).toBe(400)
        const fault = answer.json<Refusal>().errors.find((each) => each.pointer === pointer)
        expect(fault?.detail).toContain(detail)
        expect(answer.body).not.toContain('canary')
      })
    }

    test(`of ${url} reaches the service as it was given`, async ({ edge }) => {
      const { app, service } = await edge()
      const given = { ...webhook, secret }
      const answer = await app.inject({ method: 'POST', url, payload: { ...body, webhook: given } })
      expect(answer.statusCode).toBe(202)
      expect(service.started[0]?.body).toMatchObject({ webhook: given })
      expect(answer.body).not.toContain('whsec_')
    })
  }

  for (const [path, body] of [
    ['/workflows', good],
    ['/agents/developer/tasks', task],
  ] as const) {
    test(`of ${path}/:id has a log, and sends again`, async ({ edge }) => {
      const { app, service } = await edge()
      const { id } = (await app.inject({ method: 'POST', url: path, payload: body })).json<{ id: string }>()
      const list = () => app.inject({ url: `${path}/${id}/webhooks` })
      expect((await list()).json()).toEqual({ data: [] })
      const at = '2026-01-14T10:30:00.000Z'
      const attempt = { at, status_code: 500, error: 'the answer was 500', duration_ms: 12 }
      const delivery = {
        id: `msg_${id}_1`,
        event: 'workflow.queued',
        seq: 1,
        status: 'failed',
        attempts: [attempt],
        created_at: at,
        next_try_at: null,
        delivered_at: null,
      } satisfies DeliveryResource
      service.addDelivery(id, delivery)
      expect((await list()).json()).toEqual({ data: [delivery] })
      const again = `${path}/${id}/webhooks/${delivery.id}/redeliver`
      const answer = await app.inject({ method: 'POST', url: again })
      expect([answer.statusCode, answer.json()]).toEqual([202, delivery])
      for (const missing of [`${path}/${id}/webhooks/msg_x_1/redeliver`, `${path}/nobody/webhooks/x/redeliver`]) {
        expect((await app.inject({ method: 'POST', url: missing })).statusCode).toBe(404)
      }
      expect((await app.inject({ url: `${path}/nobody/webhooks` })).statusCode).toBe(404)
    })
  }
})
