import { describe, expect, vi } from 'vitest'
import type { WebhookRequest } from '../../src/workflows/requests.ts'
import type { Caller } from '../../src/workflows/service.ts'
import { deliveryId, seqOfDelivery } from '../../src/workflows/webhooks.ts'
import { createCourierBench, goneForGood, ok, typeOf } from '../support/courier-bench.ts'
import { caller, customStep, customSteps, test } from '../support/engine-fixture.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const webhook: WebhookRequest = { url: 'https://hooks.example:8443/1?token=t', events: ['workflow.queued'], secret }
const on = { enabled: true, hasSecret: true }

function underKey(key: string, digest = 'digest'): Caller {
  return { ...caller, idempotency: { key, digest } }
}

describe('a webhook in a request', () => {
  const refusals = [
    ['while there are none', undefined, webhook, '/webhook'],
    ['while they are off', { enabled: false, hasSecret: true }, webhook, '/webhook'],
    ['without any secret', { enabled: true, hasSecret: false }, { ...webhook, secret: undefined }, '/webhook/secret'],
  ] as const
  for (const [name, webhooks, given, pointer] of refusals) {
    test(`is refused ${name}, and nothing is stored`, async ({ openBench }) => {
      const { service } = await openBench(webhooks === undefined ? {} : { webhooks })
      const { secret: key, ...rest } = given
      const asked = key === undefined ? rest : { ...rest, secret: key }
      const refusal = { code: 'invalid-workflow', details: { faults: [expect.objectContaining({ pointer })] } }
      const before = (await service.agents()).length
      const workflow = { type: 'custom', requirement: 'x', steps: [customStep('only')], webhook: asked }
      await expect(service.start(workflow, caller)).rejects.toMatchObject(refusal)
      await expect(service.startTask('developer', { task: 'x', webhook: asked }, caller)).rejects.toMatchObject(refusal)
      expect((await service.agents()).length).toBe(before)
    })
  }

  test('is shown without its secret, and only where there is one', async ({ openBench, storage }) => {
    const { service } = await openBench({ webhooks: { enabled: true, hasSecret: false } })
    const { resource } = await service.start({ requirement: 'x', ...customSteps('only'), webhook }, caller)
    const shown = { url: webhook.url, events: webhook.events }
    expect(resource.webhook).toEqual(shown)
    const read = await service.get({ kind: 'workflow', id: resource.id })
    expect(read.resource.webhook).toEqual(shown)
    const task = await service.startTask('developer', { task: 'x', webhook }, caller)
    expect(task.resource.webhook).toEqual(shown)
    expect(JSON.stringify([resource, read, task])).not.toContain('whsec_')
    const other = await service.start({ requirement: 'x', ...customSteps('only') }, caller)
    expect(other.resource).not.toHaveProperty('webhook')
    const couriers = createCourierBench(storage.deliveries, storage.clock.now() + 1000)
    couriers.open()
    await couriers.settled(2)
    await couriers.close()
  })
})

describe('the log of deliveries', () => {
  test('holds what was asked for, through both doors; the courier tells it', async ({ openBench, storage }) => {
    const { service, engine, server } = await openBench({ webhooks: on })
    server.answerWith(() => ({ text: 'Done.' }))
    const events = ['workflow.queued', 'step.completed', 'workflow.completed'] as const
    const asked = { ...webhook, events: [...events] }
    const { resource } = await service.startTask('developer', { task: 'x', webhook: asked }, caller)
    const ref = { kind: 'task', role: 'developer', id: resource.id } as const
    expect(await service.deliveries(ref)).toMatchObject([{ event: 'workflow.queued', seq: 1, status: 'pending' }])
    void engine.start()
    await vi.waitFor(async () => expect(await service.deliveries(ref)).toHaveLength(3), 20_000)
    const couriers = createCourierBench(storage.deliveries, storage.clock.now() + 1000)
    couriers.open()
    await couriers.settled(3)
    expect(couriers.sent.map(typeOf)).toEqual(events)
    expect(couriers.sent.map(({ url }) => url)).toEqual(Array(3).fill(webhook.url))
    const [, completed] = couriers.sent.map(({ body }) => JSON.parse(body) as { data: { output: string } })
    const stream = await service.openEvents(ref, null)
    const frame = (await stream.read(100)).frames.find(({ type }) => type === 'step.completed')
    expect(completed?.data).toEqual(JSON.parse(frame?.data ?? ''))
    stream.close()
    const log = await service.deliveries(ref)
    expect(log.map(({ id }) => id)).toEqual(couriers.sent.map(({ id }) => id))
    expect(log[2]).toEqual({
      id: deliveryId(resource.id, log[2]?.seq ?? 0),
      event: 'workflow.completed',
      seq: expect.any(Number),
      status: 'delivered',
      attempts: [{ at: expect.any(String), status_code: 204, error: null, duration_ms: 1 }],
      created_at: expect.stringMatching(/Z$/),
      next_try_at: null,
      delivered_at: expect.any(String),
    })
    expect(couriers.observed[0]).toMatchObject({ host: 'hooks.example:8443', outcome: 'delivered', tries: 1 })
    await couriers.close()
  })

  test('sends one again: once under one key, under the same id', async ({ openBench, storage }) => {
    const { service } = await openBench({ webhooks: on })
    const { resource } = await service.start({ requirement: 'x', ...customSteps('only'), webhook }, caller)
    const ref = { kind: 'workflow', id: resource.id } as const
    const couriers = createCourierBench(storage.deliveries, storage.clock.now() + 1000)
    couriers.open()
    await couriers.settled(1)
    const id = deliveryId(resource.id, 1)
    const again = (key: string, digest?: string) => service.redeliver(ref, id, underKey(key, digest))
    const first = await again(`${id} a`)
    expect(first).toMatchObject({ changed: true, replayed: false, resource: { id, status: 'delivered' } })
    couriers.advance(0)
    await couriers.settled(2)
    expect(await again(`${id} a`)).toMatchObject({ replayed: true, resource: { id, next_try_at: null } })
    await expect(again(`${id} a`, 'other')).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    couriers.advance(1000)
    expect(await again(`${id} b`)).toMatchObject({ replayed: false })
    couriers.advance(0)
    await couriers.settled(3)
    expect(new Set(couriers.sent.map((message) => message.id))).toEqual(new Set([id]))
    for (const missing of [deliveryId(resource.id, 2), deliveryId('wf_x', 1), 'msg_', `${id}x`]) {
      await expect(service.redeliver(ref, missing, caller)).rejects.toMatchObject({ code: 'not-found' })
    }
    await couriers.close()
  })

  test('sends none again to who has answered 410', async ({ openBench, storage }) => {
    const { service } = await openBench({ webhooks: on })
    const { resource } = await service.start({ requirement: 'x', ...customSteps('only'), webhook }, caller)
    const couriers = createCourierBench(storage.deliveries, storage.clock.now() + 1000)
    couriers.receive = () => goneForGood
    couriers.open()
    await couriers.settled(1)
    couriers.receive = () => ok
    const ref = { kind: 'workflow', id: resource.id } as const
    const again = service.redeliver(ref, deliveryId(resource.id, 1), caller)
    await expect(again).rejects.toMatchObject({ code: 'conflict', details: { state: { status: 'queued' } } })
    await couriers.close()
  })
})

test('an id of a delivery is of one workflow and one event', () => {
  expect(seqOfDelivery('wf_1', deliveryId('wf_1', 12))).toBe(12)
  for (const id of [
    '',
    'msg_wf_1_',
    'msg_wf_1_0',
    'msg_wf_1_01',
    'msg_wf_1_1e3',
    'msg_wf_2_1',
    'msg_wf_1_9999999999',
  ]) {
    expect(seqOfDelivery('wf_1', id)).toBeNull()
  }
})
