import { expect, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import type { ActivationJob, ActivationQueue } from '../../src/workflows/queue.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { customSteps, test } from '../support/engine-fixture.ts'
import { expectLawful } from './lawful-log.ts'

test('a workflow whose claim cannot be stored is let go of, and run by whoever gets its job next', async ({
  openBench,
}) => {
  const fetched: ActivationJob[] = []
  const lapsed: ActivationJob[] = []
  let refuses = true
  const store = (real: WorkflowStore): WorkflowStore => ({
    ...real,
    async commit(change) {
      if (change.guard.kind === 'take' && refuses) throw new AppError('internal', 'The database refused a statement.')
      return real.commit(change)
    },
  })
  const queue = (real: ActivationQueue): ActivationQueue => ({
    ...real,
    async fetch(limit) {
      const jobs = [...lapsed.splice(0), ...(await real.fetch(limit))]
      fetched.push(...jobs)
      return jobs
    },
  })
  const bench = await openBench({ store, queue })
  await bench.engine.start()
  const id = await bench.start(customSteps('a'))
  await vi.waitUntil(() => bench.defects.length > 0 && bench.engine.held() === 0, { timeout: 20_000 })
  expect(bench.server.calls).toEqual([])

  refuses = false
  lapsed.push(...fetched.map((job) => ({ ...job, retry: job.retry + 1 })))
  bench.engine.wake(id)
  const { events } = await bench.toEnd(id)
  expectLawful(events)
  expect(bench.server.calls).toHaveLength(1)
})
