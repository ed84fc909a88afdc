import fc from 'fast-check'
import { describe, expect } from 'vitest'

import { AppError } from '../../src/errors.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { customSteps, test } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { startModelServer } from '../support/fault-server.ts'
import { answerSteps, createLatch, heldAnswer, stepOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

/** A moment at which a process dies: as it asks for its n-th commit, or right after that, before it hears of it. */
interface Death {
  readonly commit: number
  readonly when: 'before' | 'after'
}

/** Calls `die` at the moment given. */
function dyingStore(real: WorkflowStore, death: Death, die: () => void): WorkflowStore {
  let commits = 0
  return {
    ...real,
    async commit(change) {
      commits += 1
      if (commits !== death.commit) return real.commit(change)
      if (death.when === 'after') await real.commit(change)
      die()
      throw new AppError('unavailable', 'The process is dead.')
    },
  }
}

const deaths: readonly Death[] = Array.from({ length: 7 }, (_, index) => index + 1).flatMap((commit) => [
  { commit, when: 'before' },
  { commit, when: 'after' },
])

describe('a process that dies at any moment', () => {
  // Seven commits: the claim, and start and result of each step; the end is part of the last one.
  test.for(deaths)(
    '$when its commit $commit: the next one goes on and pays for nothing twice',
    async (death, { openBench, storage }) => {
      const server = await startModelServer({ answer: answerSteps() })
      const { promise: died, resolve: die } = Promise.withResolvers<void>()
      const options: EngineBenchOptions = { server, store: (real) => dyingStore(real, death, () => die()) }
      const bench: EngineBench = await openBench(options)
      await bench.engine.start()
      const id = await bench.start(customSteps('a', 'b', 'c < a b'))
      const survived = bench.toEnd(id).catch(() => undefined)
      await Promise.race([died, survived])
      await bench.kill()

      const page = await storage.store.eventsAfter(id, 0, 1000)
      const finished = page?.events.filter(({ type }) => type === 'step.completed').map(({ step }) => step)
      const callsBefore = server.calls.length
      const next = await openBench({ server })
      await next.engine.start()
      const { events, of } = await next.toEnd(id)
      expectLawful(events)
      expect(events.at(-1)?.type).toBe('workflow.completed')
      expect(of('workflow.started')).toHaveLength(1)
      for (const call of server.calls.slice(callsBefore)) expect(finished).not.toContain(stepOf(call))
      const resource = await next.service.get({ kind: 'workflow', id })
      expect(resource.resource).toMatchObject({ status: 'completed', progress: { completed: 3, total: 3 } })
      expect(await storage.store.activeIds()).toEqual([])
      expect(next.defects).toEqual([])
      await next.close()
      await server.close()
    },
  )

  test('while its tokens come: the text of the dead is void, that of the living is whole', async ({ openBench }) => {
    const bench = await openBench()
    const latch = createLatch()
    bench.server.answerWith(answerSteps({ a: [heldAnswer('a', latch), 'said by the living'] }))
    await bench.engine.start()
    const id = await bench.start(customSteps('a'))
    await (await bench.follow(id)).until('step.delta')
    await bench.kill()
    const next = await openBench({ server: bench.server })
    await next.engine.start()
    const { events, joined } = await next.toEnd(id)
    expectLawful(events)
    expect([joined('a', 1), joined('a', 2)]).toEqual(['', 'said by the living'])
  })
})

const away = (when: 'before' | 'after') => new AppError('unavailable', `The connection broke ${when} it was done.`)

/** Loses answers: of every call that `numbers` choose, before or after it was carried out. */
function losingAnswers(real: WorkflowStore, numbers: readonly number[]): WorkflowStore {
  let at = 0
  const lossy = <T extends unknown[], R>(method: (...values: T) => Promise<R>) => {
    return async (...values: T): Promise<R> => {
      at += 1
      const fate = numbers[at % numbers.length] ?? 9
      if (fate === 0) throw away('before')
      const result = await method(...values)
      if (fate === 1) throw away('after')
      return result
    }
  }
  return {
    ...real,
    commit: lossy(real.commit),
    load: lossy(real.load),
    eventsAfter: lossy(real.eventsAfter),
    input: lossy(real.input),
    results: lossy(real.results),
    settleCall: lossy(real.settleCall),
    output: lossy(real.output),
  }
}

test('with answers lost at random nothing is lost and nothing is done twice', async ({ openBench, storage }) => {
  const [numbers = []] = fc.sample(fc.array(fc.nat(24), { minLength: 97, maxLength: 97 }), 1)
  const bench = await openBench({ store: (real) => losingAnswers(real, numbers) })
  // Readers and verbs of the edge have a patience of their own, so they look at the real store.
  const watch = await openBench({ server: bench.server })
  await bench.engine.start()
  const requests = Array.from({ length: 8 }, () => watch.start(customSteps('a', 'b', 'c < a b')))
  const ids = await Promise.all(requests)
  for (const id of ids) {
    await expect.poll(async () => (await storage.store.load(id))?.status, { timeout: 20_000 }).toBe('completed')
  }
  for (const id of ids) {
    const { events, of } = await watch.toEnd(id)
    expectLawful(events)
    expect(of('step.retrying')).toEqual([])
    expect(of('step.completed')).toHaveLength(3)
    const { resource } = await watch.service.get({ kind: 'workflow', id })
    expect(resource.usage).toMatchObject({ llm_calls: 3, estimated: false })
  }
  expect(bench.server.calls).toHaveLength(24)
  expect(await storage.store.activeIds()).toEqual([])
  expect(bench.defects).toEqual([])
}, 30_000)
