import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { StoredDelivery } from '../../src/workflows/webhooks.ts'
import { deliveryId } from '../../src/workflows/webhooks.ts'
import { createCourierBench, failing, ok, refused, seqOf, typeOf } from '../support/courier-bench.ts'
import type { CourierBench } from '../support/courier-bench.ts'
import { change, event, moment } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'
import { createToldWorkflows, webhookSecret } from './told-workflows.ts'

const minute = 60_000
const hour = 60 * minute

/** What webhooks promise, on the queue of their deliveries. */
export function describeWebhooks(bench: StoreBench): void {
  const { created, happened, log, statuses } = createToldWorkflows(bench)
  const store = () => bench.storage().store
  let couriers: CourierBench

  describe('webhooks', () => {
    beforeEach(() => {
      couriers = createCourierBench(bench.storage().deliveries, moment)
    })
    afterEach(async () => {
      await couriers.close()
      await bench.database().query('DELETE FROM agents.webhook_deliveries')
    })

    it('are stored with their events, and only those that were asked for', async () => {
      const first = await created(['workflow.queued', 'workflow.completed'])
      const second = await happened(first, 'step.queued', 'workflow.completed')
      await happened(second, 'step.started')
      expect(await log(first.id)).toEqual([1, 3].map((seq) => expect.objectContaining({ seq, status: 'pending' })))
      expect((await log(first.id))[1]).toEqual({
        seq: 3,
        event: 'workflow.completed',
        status: 'pending',
        attempts: [],
        createdAt: moment,
        nextTryAt: moment,
        deliveredAt: null,
      })
    })

    it('are not stored by a change that is refused, nor by a workflow without one', async () => {
      const first = await created(['step.queued'])
      expect(await store().commit({ ...change(first, {}), seen: 99 })).toBe(false)
      expect(await log(first.id)).toEqual([])
      const other = await bench.created()
      await happened(other, 'workflow.completed')
      expect(await log(other.id)).toEqual([])
    })

    it('keep their secret where nobody is shown it', async () => {
      const { id } = await created(['step.queued'])
      const record = await store().record(id)
      expect(record?.input.webhook).toEqual({ url: 'https://a.example/hooks/1', events: ['step.queued'] })
      const shown = [record, await store().input(id), await store().load(id), await log(id)]
      expect(JSON.stringify(shown)).not.toContain('whsec_')
    })

    it('are sent in the order of the events, each the event as the stream has it', async () => {
      const first = await created(['workflow.queued', 'workflow.started', 'workflow.completed'])
      const second = await happened(first, 'workflow.started', 'step.queued')
      await happened(second, 'workflow.completed')
      couriers.open()
      await couriers.settled(3)
      expect(couriers.sent.map(typeOf)).toEqual(['workflow.queued', 'workflow.started', 'workflow.completed'])
      const [message] = couriers.sent
      expect(message).toMatchObject({
        id: deliveryId(first.id, 1),
        url: 'https://a.example/hooks/1',
        secret: webhookSecret,
      })
      expect(message?.sentAt).toBe(moment)
      const at = new Date(moment).toISOString()
      const data = { type: 'workflow.queued', workflow_id: first.id, seq: 1, at, correlation_id: 'request-1' }
      expect(JSON.parse(message?.body ?? '')).toEqual({ type: 'workflow.queued', timestamp: at, data })
      const attempt = { at: moment, statusCode: 204, error: null, durationMs: 1 }
      const delivered = { status: 'delivered', attempts: [attempt], deliveredAt: moment, nextTryAt: null }
      expect(await log(first.id)).toEqual([1, 2, 4].map((seq) => expect.objectContaining({ seq, ...delivered })))
    })

    it.each([
      ['is there', 'x'.repeat(262_144), { output: 'x'.repeat(262_144) }],
      ['is left out when it is too long', 'é'.repeat(131_073), { output_omitted: true }],
    ])('the text of a finished step %s', async (_, text, data) => {
      const first = await created(['step.completed'])
      const events = [event(2, 'step.completed', { step: 'step-0', attempt: 1, data: { model: 'm' } })]
      const outputs = [{ stepIndex: 0, attempt: 1, text }]
      expect(await store().commit(change(first, {}, { events, outputs }))).toBe(true)
      couriers.open()
      await couriers.settled(1)
      const { data: sent } = JSON.parse(couriers.sent[0]?.body ?? '') as { data: object }
      expect(sent).toEqual({
        type: 'step.completed',
        workflow_id: first.id,
        seq: 2,
        at: new Date(moment).toISOString(),
        correlation_id: 'request-1',
        step: 'step-0',
        attempt: 1,
        model: 'm',
        ...data,
      })
    })

    it('lose nothing while the receiver is down, and come in order when it is back', async () => {
      couriers.receive = () => refused
      couriers.open()
      const first = await created(['workflow.queued', 'step.queued', 'workflow.completed'])
      couriers.advance(0)
      await couriers.settled(1)
      const second = await happened(first, 'step.queued', 'step.queued')
      couriers.advance(5000)
      await couriers.settled(2)
      await happened(second, 'workflow.completed')
      couriers.receive = () => ok
      couriers.advance(5 * minute)
      await couriers.settled(6)
      expect(couriers.sent.map(seqOf)).toEqual([1, 1, 1, 2, 3, 4])
      expect(await statuses(first.id)).toEqual(['delivered', 'delivered', 'delivered', 'delivered'])
    })

    it('lose nothing either when it is down for half a day', async () => {
      couriers.receive = () => refused
      couriers.open()
      const first = await created(['workflow.queued', 'step.queued'])
      await happened(first, 'step.queued', 'step.queued')
      for (let minutes = 0; minutes < 12 * 60; minutes += 30) {
        couriers.advance(30 * minute)
        await vi.waitFor(async () => expect(due(await log(first.id), couriers.now())).toEqual([]), 20_000)
      }
      couriers.receive = () => ok
      couriers.advance(12 * hour)
      await vi.waitFor(async () => expect(await statuses(first.id)).toEqual(Array(3).fill('delivered')), 20_000)
    })

    it('are tried for a day, then given up', async () => {
      couriers.receive = () => failing
      couriers.open()
      const { id } = await created(['workflow.queued'])
      const waits = [0, 5000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 23_095_000]
      for (const [n, wait] of waits.entries()) {
        couriers.advance(wait - 1)
        couriers.advance(1)
        await couriers.settled(n + 1)
      }
      couriers.advance(100 * hour)
      const [delivery] = await log(id)
      expect(delivery).toMatchObject({ status: 'failed', nextTryAt: null, deliveredAt: null })
      const day = waits.map((_, n) => moment + waits.slice(0, n + 1).reduce((sum, wait) => sum + wait, 0))
      expect(delivery?.attempts.map(({ at }) => at)).toEqual(day)
      expect(day.at(-1)).toBe(moment + 24 * hour)
      expect(couriers.observed.map(({ outcome }) => outcome)).toEqual([...Array(7).fill('retry'), 'failed'])
      expect(couriers.observed.at(-1)).toMatchObject({ host: 'a.example', tries: 8, nextTryAt: null })
    })

    it('go past one that has failed three times', async () => {
      couriers.receive = (message) => (seqOf(message) === 1 ? failing : ok)
      couriers.open()
      const first = await created(['workflow.queued', 'step.queued'])
      await happened(first, 'step.queued')
      couriers.advance(0)
      await couriers.settled(1)
      couriers.advance(5000)
      await couriers.settled(2)
      expect(await statuses(first.id)).toEqual(['pending', 'pending'])
      couriers.advance(5 * minute)
      await couriers.settled(4)
      expect(couriers.sent.map(seqOf)).toEqual([1, 1, 1, 2])
      expect(await statuses(first.id)).toEqual(['pending', 'delivered'])
    })
  })
}

/** Numbers of those that should have been tried by now. */
function due(deliveries: readonly StoredDelivery[], now: number): readonly number[] {
  return deliveries.filter(({ nextTryAt }) => nextTryAt !== null && nextTryAt <= now).map(({ seq }) => seq)
}
