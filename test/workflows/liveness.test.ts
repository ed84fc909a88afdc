import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import { createLiveness } from '../../src/workflows/liveness.ts'
import type { ActivationJob, ActivationQueue } from '../../src/workflows/queue.ts'
import type { Runner } from '../../src/workflows/runner.ts'
import type { WorkflowHead, WorkflowStore } from '../../src/workflows/store.ts'
import { firstClaim, state } from '../contract/fixtures.ts'

/** A runner as far as the round sees it. */
function runnerOf(id: string, seq: number) {
  const poke = vi.fn<() => void>()
  const job: ActivationJob = { id: `job-${id}`, workflowId: id, activation: 1, retry: 0, rank: 0, createdAt: 0 }
  const held = state({ id, seq, claim: firstClaim })
  const runner: Partial<Runner> = { workflowId: id, job: () => job, stored: () => held, poke }
  return { runner: runner as Runner, poke, job }
}

/** A round over things that do what the test says, on a clock that the test moves. */
function createBench() {
  const world = {
    runners: [] as Runner[],
    heads: [] as WorkflowHead[],
    stranded: [] as string[],
    lapsed: false,
    away: false,
    touched: [] as (readonly ActivationJob[])[],
    asked: 0,
    supervised: 0,
    reactivated: [] as string[],
  }
  const reach = () => {
    if (world.away) throw new AppError('unavailable', 'The database is away.')
  }
  const queue: Partial<ActivationQueue> = {
    touch: async (jobs) => {
      reach()
      world.touched.push(jobs)
    },
    hasLapsed: async () => {
      world.asked += 1
      return world.lapsed
    },
    supervise: async () => {
      world.supervised += 1
    },
  }
  const store: Partial<WorkflowStore> = {
    heads: async (ids) => {
      reach()
      return world.heads.filter(({ id }) => ids.includes(id))
    },
    strandedIds: async () => world.stranded,
  }
  const followers = createFollowers()
  const liveness = createLiveness({
    store: store as WorkflowStore,
    queue: queue as ActivationQueue,
    followers,
    runners: () => world.runners,
    reactivate: async (id) => void world.reactivated.push(id),
  })
  const rounds = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      vi.advanceTimersByTime(1000)
      await liveness.round().catch(() => undefined)
    }
  }
  return { world, followers, liveness, rounds }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const head = (id: string, seq: number, retry = 0): WorkflowHead => {
  return { id, seq, active: true, claim: { activation: 1, retry } }
}

describe('what is held', () => {
  test('keeps all its jobs by one heartbeat', async () => {
    const { world, liveness } = createBench()
    const [a, b] = [runnerOf('wf_a', 3), runnerOf('wf_b', 5)]
    world.runners = [a.runner, b.runner]
    await liveness.round()
    expect(world.touched).toEqual([[a.job, b.job]])
  })

  test('by nobody asks for no heartbeat', async () => {
    const { world, liveness } = createBench()
    await liveness.round()
    expect(world.touched).toEqual([])
  })

  test('is told to look when the number, the claim, or the workflow itself is another', async () => {
    const { world, liveness } = createBench()
    const same = runnerOf('wf_same', 3)
    const others = [runnerOf('wf_seq', 3), runnerOf('wf_claim', 3), runnerOf('wf_gone', 3)]
    world.runners = [same, ...others].map(({ runner }) => runner)
    world.heads = [head('wf_same', 3), head('wf_seq', 4), head('wf_claim', 3, 1)]
    await liveness.round()
    expect(same.poke).not.toHaveBeenCalled()
    for (const { poke } of others) expect(poke).toHaveBeenCalledOnce()
  })
})

describe('a look at some', () => {
  test('asks for no other, wakes no other, and is no heartbeat', async () => {
    const { world, followers, liveness } = createBench()
    const [hinted, other] = [runnerOf('wf_hinted', 3), runnerOf('wf_other', 3)]
    world.runners = [hinted.runner, other.runner]
    world.heads = [head('wf_hinted', 4), head('wf_other', 4), head('wf_read', 7)]
    const [read, unread] = [followers.follow('wf_read'), followers.follow('wf_unread')]
    await liveness.look(['wf_hinted', 'wf_read'])
    expect(hinted.poke).toHaveBeenCalledOnce()
    expect(other.poke).not.toHaveBeenCalled()
    expect([read.knownSeq(), unread.knownSeq(), world.touched]).toEqual([7, 0, []])
    await liveness.look()
    expect(other.poke).toHaveBeenCalledOnce()
    expect(unread.knownSeq()).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('who follows', () => {
  test('is woken by a higher number, and by a deletion', async () => {
    const { world, followers, liveness } = createBench()
    const follower = followers.follow('wf_other')
    follower.learn(4)
    world.heads = [head('wf_other', 4)]
    const version = follower.version()
    await liveness.round()
    expect(follower.knownSeq()).toBe(4)
    world.heads = [head('wf_other', 6)]
    await liveness.round()
    await follower.changed(version, AbortSignal.timeout(5000))
    expect(follower.knownSeq()).toBe(6)

    const later = follower.version()
    world.heads = []
    await liveness.round()
    await follower.changed(later, AbortSignal.timeout(5000))
    expect(follower.knownSeq()).toBeGreaterThan(6)
  })
})

describe('lapsed jobs', () => {
  test('are left alone within ten seconds of the start', async () => {
    const { world, rounds } = createBench()
    world.lapsed = true
    await rounds(9)
    expect(world.asked).toBe(0)
    await rounds(2)
    expect(world.supervised).toBeGreaterThan(0)
  })

  test('are asked for each second, and nothing is done while there is none', async () => {
    const { world, rounds } = createBench()
    await rounds(30)
    expect(world.asked).toBeGreaterThanOrEqual(19)
    expect(world.supervised).toBe(0)
    world.lapsed = true
    await rounds(1)
    expect(world.supervised).toBe(1)
  })

  test('are left alone for ten seconds after a gap, so that everybody keeps what he runs', async () => {
    const { world, rounds } = createBench()
    await rounds(15)
    world.away = true
    await rounds(4)
    world.away = false
    world.lapsed = true
    await rounds(10)
    expect(world.supervised).toBe(0)
    await rounds(2)
    expect(world.supervised).toBeGreaterThan(0)
  })

  test('are not spared by rounds that failed for less than that', async () => {
    const { world, rounds } = createBench()
    await rounds(15)
    world.away = true
    await rounds(2)
    world.away = false
    world.lapsed = true
    await rounds(1)
    expect(world.supervised).toBe(1)
  })

  test('are left alone after a freeze of its own', async () => {
    const { world, liveness, rounds } = createBench()
    await rounds(15)
    vi.advanceTimersByTime(12_000)
    world.lapsed = true
    await liveness.round()
    expect(world.supervised).toBe(0)
  })
})

describe('once a minute', () => {
  test('the queue is supervised and what is stranded is activated again', async () => {
    const { world, rounds } = createBench()
    world.stranded = ['wf_lost']
    await rounds(59)
    expect([world.supervised, world.reactivated]).toEqual([0, []])
    await rounds(1)
    expect([world.supervised, world.reactivated]).toEqual([1, ['wf_lost']])
    world.stranded = []
    await rounds(60)
    expect([world.supervised, world.reactivated]).toEqual([2, ['wf_lost']])
  })

  test('what is stranded is found even while jobs lapse all the time', async () => {
    const { world, rounds } = createBench()
    world.stranded = ['wf_lost']
    world.lapsed = true
    await rounds(130)
    expect(world.reactivated).toContain('wf_lost')
  })
})
