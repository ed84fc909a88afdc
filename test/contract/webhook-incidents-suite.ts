import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createCourierBench, failing, goneForGood, ok } from '../support/courier-bench.ts'
import type { CourierBench } from '../support/courier-bench.ts'
import { change, moment } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'
import { createToldWorkflows } from './told-workflows.ts'

const minute = 60_000
const hour = 60 * minute

/** What webhooks promise when receivers hang or leave, and processes die. */
export function describeWebhookIncidents(bench: StoreBench): void {
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

    it('that hang hold up nobody else', async () => {
      couriers.receive = ({ url }) => (url.includes('hangs') ? null : ok)
      for (let n = 0; n < 20; n += 1) await created(['workflow.queued'], 'hangs.example')
      couriers.open({ maxPerOrigin: 4 })
      await vi.waitFor(() => expect(couriers.sent).toHaveLength(4), 20_000)
      const other = await created(['workflow.queued', 'step.queued'], 'b.example')
      await happened(other, 'step.queued')
      couriers.advance(0)
      await vi.waitFor(() => expect(couriers.observed).toHaveLength(2), 20_000)
      expect(await statuses(other.id)).toEqual(['delivered', 'delivered'])
      expect(couriers.sent).toHaveLength(6)
    })

    it('are sent again under the same id when the process died before it could say so', async () => {
      const { id } = await created(['workflow.queued'])
      const real = couriers.queue
      const dead = new AppError('unavailable', 'The process is dead.')
      couriers.queue = { ...real, settle: () => Promise.reject(dead) }
      couriers.open()
      await vi.waitFor(() => expect(couriers.sent).toHaveLength(1), 20_000)
      const next = createCourierBench(real, moment + 59_999)
      next.open()
      next.advance(1)
      await next.settled(1)
      expect(next.sent[0]).toMatchObject({ id: couriers.sent[0]?.id, body: couriers.sent[0]?.body })
      expect(await statuses(id)).toEqual(['delivered'])
      await next.close()
    })

    it('in flight at a shutdown are given back at once', async () => {
      couriers.receive = () => null
      const { id } = await created(['workflow.queued'])
      const first = couriers.open()
      await vi.waitFor(() => expect(couriers.sent).toHaveLength(1), 20_000)
      await first.stop(0)
      couriers.receive = () => ok
      couriers.open()
      await vi.waitFor(async () => expect(await statuses(id)).toEqual(['delivered']), 20_000)
      expect((await log(id))[0]?.attempts).toHaveLength(1)
    })

    it('are taken back at once by the only process when it starts', async () => {
      const { id } = await created(['workflow.queued'])
      const claim = { now: moment, leaseMs: 60_000, limit: 9, perOrigin: 9, inFlight: {} }
      await couriers.queue.claim({ ...claim, holdTries: 3, maxOutputBytes: 1000 })
      couriers.open({ onlyProcess: true })
      await couriers.settled(1)
      expect(await statuses(id)).toEqual(['delivered'])
    })

    it('are each sent by one of several replicas', async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const first = await created(['workflow.queued', 'step.queued'], `h${n}.example`)
          await happened(first, 'step.queued')
          return first.id
        }),
      )
      for (let n = 0; n < 3; n += 1) couriers.open()
      await couriers.settled(40)
      expect(new Set(couriers.sent.map(({ id }) => id)).size).toBe(40)
      for (const id of ids) expect(await statuses(id)).toEqual(['delivered', 'delivered'])
    })

    it('stop for good when the receiver answers 410', async () => {
      couriers.receive = () => goneForGood
      const first = await created(['workflow.queued', 'step.queued'])
      const second = await happened(first, 'step.queued')
      couriers.open()
      await couriers.settled(1)
      expect(await statuses(first.id)).toEqual(['disabled', 'disabled'])
      await happened(second, 'step.queued')
      expect(await statuses(first.id)).toEqual(['disabled', 'disabled'])
      const again = { workflowId: first.id, seq: 1, now: moment, binding: null }
      expect(await bench.storage().deliveries.redeliver(again)).toBe(false)
      couriers.advance(48 * hour)
      const other = await created(['workflow.queued'])
      couriers.receive = () => ok
      couriers.advance(0)
      await couriers.settled(2)
      expect(await statuses(other.id)).toEqual(['delivered'])
    })

    it('that were stored while the receiver said so are not sent', async () => {
      const first = await created(['workflow.queued'])
      await bench.database().query('UPDATE agents.webhooks SET disabled_at = now() WHERE workflow_id = $1', [first.id])
      couriers.open()
      await vi.waitFor(async () => expect(await statuses(first.id)).toEqual(['disabled']), 20_000)
      expect(couriers.sent).toEqual([])
    })

    it('can be sent once more, whatever came of them', async () => {
      couriers.open()
      const { id } = await created(['workflow.queued'])
      couriers.advance(0)
      await couriers.settled(1)
      const again = () =>
        bench.storage().deliveries.redeliver({ workflowId: id, seq: 1, now: couriers.now(), binding: null })
      couriers.receive = () => failing
      expect(await again()).toBe(true)
      couriers.advance(0)
      await couriers.settled(2)
      couriers.advance(48 * hour)
      const [delivery] = await log(id)
      expect(delivery).toMatchObject({ status: 'delivered', deliveredAt: moment, nextTryAt: null })
      expect(delivery?.attempts.map(({ statusCode }) => statusCode)).toEqual([204, 500])
      couriers.receive = () => ok
      expect(await again()).toBe(true)
      couriers.advance(0)
      await couriers.settled(3)
      expect(new Set(couriers.sent.map((message) => message.id)).size).toBe(1)
      expect(await log(id)).toMatchObject([{ status: 'delivered', deliveredAt: couriers.now() }])
    })

    it('sent once more keep their schedule when that fails', async () => {
      couriers.receive = () => failing
      couriers.open()
      const { id } = await created(['workflow.queued'])
      couriers.advance(0)
      await couriers.settled(1)
      const next = moment + 5000
      await bench.storage().deliveries.redeliver({ workflowId: id, seq: 1, now: moment, binding: null })
      couriers.advance(0)
      await couriers.settled(2)
      expect(await log(id)).toMatchObject([{ status: 'pending', nextTryAt: next }])
      couriers.advance(5000)
      await couriers.settled(3)
      expect(await log(id)).toMatchObject([{ status: 'pending', nextTryAt: next + 5 * minute }])
    })

    it('go with their workflow, also while they are in flight', async () => {
      couriers.receive = () => null
      const first = await created(['workflow.queued'])
      const ended = change(first, { active: false, status: 'cancelled' })
      expect(await store().commit(ended)).toBe(true)
      const courier = couriers.open()
      await vi.waitFor(() => expect(couriers.sent).toHaveLength(1), 20_000)
      expect(await store().remove(first.id)).toBe('removed')
      expect(await log(first.id)).toEqual([])
      const left = 'SELECT FROM agents.webhooks WHERE workflow_id = $1'
      expect((await bench.database().query(left, [first.id])).rowCount).toBe(0)
      await courier.stop(0)
      expect(couriers.observed).toEqual([])
    })
  })
}
