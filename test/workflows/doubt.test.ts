import { afterEach, describe, expect, vi } from 'vitest'

import type { Storage } from '../../src/storage/create-storage.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import { handOverLost } from '../../src/workflows/hand-over.ts'
import type { ActivationQueue } from '../../src/workflows/queue.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { customSteps, test } from '../support/engine-fixture.ts'
import { stepOf } from '../support/scripted-steps.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Time passes for this process as if it had been frozen so long, but for timers that it has set. */
function freeze(ms: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

function loseToOthers({ store, clock, hints }: Storage, id: string): Promise<void> {
  const others = { store, clock, hints, observe: () => undefined, followers: createFollowers() }
  return handOverLost({ ...others, abandoned: new AbortController().signal, maxWorkerLosses: 25 }, id)
}

/** Something happens between the start of the only step `step` and its first call; `loads` counts looks after that. */
function interrupt(step: string, then: (id: string) => Promise<void>) {
  const world = { interrupted: false, id: '', loads: 0 }
  const store = (real: WorkflowStore): WorkflowStore => ({
    ...real,
    async commit(change) {
      const stored = await real.commit(change)
      if (!world.interrupted && change.events.some((event) => event.type === 'step.started' && event.step === step)) {
        world.interrupted = true
        world.id = change.state.id
        await then(change.state.id)
      }
      return stored
    },
    load(id) {
      if (world.id === id) world.loads += 1
      return real.load(id)
    },
  })
  // What is handed over is meant for others.
  const queue = (real: ActivationQueue): ActivationQueue => ({
    ...real,
    fetch: async (limit) => (world.interrupted ? [] : real.fetch(limit)),
  })
  return { world, store, queue }
}

describe('a runner that was frozen before a call', () => {
  test('does not pay for it when others have the workflow by then', async ({ openBench, storage }) => {
    const { world, store, queue } = interrupt('lost', async (id) => {
      await loseToOthers(storage, id)
      freeze(3001)
    })
    const bench = await openBench({ store, queue })
    await bench.engine.start()
    await bench.start(customSteps('lost'))
    await vi.waitUntil(() => world.interrupted && bench.engine.held() === 0, { timeout: 20_000 })
    expect(bench.server.calls).toEqual([])
    expect(bench.defects).toEqual([])
  })

  test('looks, and makes it when the workflow is still its own', async ({ openBench }) => {
    const { world, store } = interrupt('kept', async () => freeze(3001))
    const bench = await openBench({ store })
    await bench.engine.start()
    await bench.toEnd(await bench.start(customSteps('kept')))
    expect(world.loads).toBeGreaterThan(0)
    expect(bench.server.calls.map(stepOf).filter((step) => step === 'kept')).toHaveLength(1)
  })
})
