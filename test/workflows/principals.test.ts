import { describe, expect } from 'vitest'
import { everybody } from '../../src/workflows/principal.ts'
import type { ListQuery, WorkflowRef, WorkflowService } from '../../src/workflows/service.ts'
import { caller, customSteps, test } from '../support/engine-fixture.ts'

const anna = { name: 'anna', seesAll: false }
const bert = { name: 'bert', seesAll: false }

const newest: ListQuery = {
  statuses: [],
  stepStatuses: [],
  type: null,
  createdAfter: null,
  createdBefore: null,
  metadata: {},
  limit: 100,
  after: null,
}

/** Everything that can be asked of one workflow. A verb that is missing here does not compile. */
const asked = {
  get: (service, { ref }) => service.get(ref),
  step: (service, { id }) => service.step(id, 'only'),
  cancel: (service, { ref }) => service.cancel(ref, caller),
  resume: (service, { ref }) => service.resume(ref, {}, caller),
  rerun: (service, { id }) => service.rerun({ id, step: 'only' }, {}, caller),
  approve: (service, { id }) => service.approve({ id, step: 'only' }, {}, caller),
  reject: (service, { id }) => service.reject({ id, step: 'only' }, { feedback: 'no' }, caller),
  remove: (service, { ref }) => service.remove(ref),
  artifacts: (service, { ref }) => service.artifacts(ref),
  artifact: (service, { ref }) => service.artifact(ref, 'a.txt', null),
  graph: (service, { id }) => service.graph(id),
  deliveries: (service, { ref }) => service.deliveries(ref),
  redeliver: (service, { ref }) => service.redeliver(ref, `msg_${ref.id}_1`, caller),
  openEvents: (service, { ref }) => service.openEvents(ref, null),
} satisfies Partial<
  Record<keyof WorkflowService, (service: WorkflowService, of: { id: string; ref: WorkflowRef }) => Promise<unknown>>
>

describe('what a principal has started', () => {
  for (const [verb, ask] of Object.entries(asked)) {
    test(`is not there for another: ${verb}`, async ({ openBench }) => {
      const { services } = await openBench()
      const request = { requirement: 'Build it.', ...customSteps('only') }
      const { resource } = await services.as(anna).start(request, caller)
      const of = { id: resource.id, ref: { kind: 'workflow', id: resource.id } as const }
      await expect(ask(services.as(bert), of)).rejects.toMatchObject({ code: 'not-found' })
      const { resource: after } = await services.as(everybody).get(of.ref)
      expect(after.status).toBe('queued')
    })
  }

  test('is in its lists only, and in those of who sees all', async ({ openBench }) => {
    const { services } = await openBench()
    const request = { requirement: 'Build it.', ...customSteps('only') }
    const { resource } = await services.as(anna).start(request, caller)
    const { resource: task } = await services.as(anna).startTask('developer', { task: 'Do it.' }, caller)
    const idsFor = async (principal: typeof anna) => {
      const [workflows, tasks] = await Promise.all([
        services.as(principal).list(newest),
        services.as(principal).listTasks('developer', newest),
      ])
      return [...workflows.data, ...tasks.data].map(({ id }) => id)
    }
    expect(await idsFor(anna)).toEqual(expect.arrayContaining([resource.id, task.id]))
    expect(await idsFor(everybody)).toEqual(expect.arrayContaining([resource.id, task.id]))
    expect(await idsFor(bert)).toEqual([])
  })

  test('is told to nobody else who reads it at the same moment', async ({ openBench }) => {
    const { services } = await openBench()
    const request = { requirement: 'Build it.', ...customSteps('only') }
    const { resource } = await services.as(anna).start(request, caller)
    const ref = { kind: 'workflow', id: resource.id } as const
    const [hers, his] = await Promise.allSettled([anna, bert].map((who) => services.as(who).openEvents(ref, null)))
    expect([hers?.status, his?.status]).toEqual(['fulfilled', 'rejected'])
    if (hers?.status === 'fulfilled') hers.value.close()
  })

  test('does not bind an Idempotency-Key of another', async ({ openBench }) => {
    const { services } = await openBench()
    const request = { requirement: 'Build it.', ...customSteps('only') }
    const keyed = { ...caller, idempotency: { key: 'the-same', digest: 'aa' } }
    const [hers, his] = [
      await services.as(anna).start(request, keyed),
      await services.as(bert).start(request, { ...keyed, idempotency: { key: 'the-same', digest: 'bb' } }),
    ]
    expect(his.resource.id).not.toBe(hers.resource.id)
    expect((await services.as(anna).start(request, keyed)).resource.id).toBe(hers.resource.id)
  })
})
