import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createHearing } from '../../src/workflows/hearing.ts'
import type { Hearing } from '../../src/workflows/hearing.ts'
import type { HearHints } from '../../src/workflows/hints.ts'
import type { Runner } from '../../src/workflows/runner.ts'

const opened: Hearing[] = []

afterEach(() => {
  for (const hearing of opened.splice(0)) hearing.stop()
})

/** A replica that holds `wf_held` and follows `wf_followed`; each look is answered when the test says so. */
function createBench() {
  const looks: (readonly string[] | undefined)[] = []
  const answers: PromiseWithResolvers<void>[] = []
  const reported: unknown[] = []
  const world = { listening: true, asked: 0, wakes: 0, listeners: 0 }
  let say: HearHints = () => undefined
  const hearing = createHearing({
    hints: {
      tell: () => undefined,
      tellText: () => undefined,
      listen(hear) {
        say = hear
        world.listeners += 1
        return () => void (world.listeners -= 1)
      },
      listening() {
        world.asked += 1
        return world.listening
      },
    },
    followers: { isFollowed: (id) => id === 'wf_followed' },
    loop: {
      find: (id) => (id === 'wf_held' ? ({} as Runner) : undefined),
      wake: () => void (world.wakes += 1),
    },
    liveness: {
      look(ids) {
        looks.push(ids)
        const answer = Promise.withResolvers<void>()
        if (ids === undefined) answer.resolve()
        else answers.push(answer)
        return answer.promise
      },
    },
    report: (error) => void reported.push(error),
  })
  opened.push(hearing)
  hearing.start()
  return {
    hearing,
    looks,
    answers,
    reported,
    world,
    say: (...ids: string[]) => say(ids, []),
    sayOfText: (...ids: string[]) => say([], ids),
  }
}

describe('a hint', () => {
  test('of what is held here makes it be looked at, and nobody looks for work', () => {
    const { looks, world, say } = createBench()
    say('wf_held')
    expect([looks, world.wakes]).toEqual([[['wf_held']], 0])
  })

  test('of what is followed here makes it be looked at; it may also be work', () => {
    const { looks, world, say } = createBench()
    say('wf_followed')
    expect([looks, world.wakes]).toEqual([[['wf_followed']], 1])
  })

  test('of anything else may be work, and nothing is looked at', () => {
    const { looks, world, say } = createBench()
    say('wf_new', 'not an id')
    expect([looks, world.wakes]).toEqual([[], 1])
  })

  test('of the texts of anything is no work, and nothing is looked at', () => {
    const { looks, world, sayOfText } = createBench()
    sayOfText('wf_held', 'wf_followed', 'wf_new')
    expect([looks, world.wakes]).toEqual([[], 0])
  })

  test('is of no more use to one that has stopped', () => {
    const { hearing, looks, world, say } = createBench()
    hearing.stop()
    say('wf_held', 'wf_new')
    expect([looks, world.wakes, world.listeners]).toEqual([[], 0, 0])
  })
})

describe('a flood of hints', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('makes one look at a time, and the next for all that have come meanwhile', async () => {
    const { looks, answers, say } = createBench()
    for (let n = 0; n < 1000; n += 1) say('wf_held', 'wf_followed')
    expect(looks).toEqual([['wf_held', 'wf_followed']])
    answers[0]?.resolve()
    await expect.poll(() => looks.length).toBe(2)
    answers[1]?.resolve()
    say('wf_held')
    await expect.poll(() => looks).toHaveLength(3)
    expect(looks[2]).toEqual(['wf_held'])
  })

  test('wakes the search for work at once, and then ten times a second', () => {
    const { world, say } = createBench()
    say('wf_1')
    expect(world.wakes).toBe(1)
    for (let ms = 0; ms < 1000; ms += 1) {
      say('wf_2', 'wf_3')
      vi.advanceTimersByTime(1)
    }
    expect(world.wakes).toBe(11)
    vi.advanceTimersByTime(1000)
    expect(world.wakes).toBe(11)
    say('wf_4')
    expect(world.wakes).toBe(12)
  })
})

test('a look that fails is reported, and the next hint is heard', async () => {
  const { looks, answers, reported, say } = createBench()
  const away = new AppError('unavailable', 'The database is away.')
  say('wf_held')
  answers[0]?.reject(away)
  await expect.poll(() => reported).toEqual([away])
  say('wf_held')
  expect(looks).toHaveLength(2)
})

test('who hears nothing looks at everything, again and again, and once more when it hears again', async () => {
  const { looks, world } = createBench()
  await expect.poll(() => world.asked).toBe(2)
  expect(looks).toEqual([])
  world.listening = false
  await expect.poll(() => looks).toEqual([undefined, undefined])
  world.listening = true
  const { asked } = world
  await expect.poll(() => world.asked).toBe(asked + 2)
  expect(looks).toEqual([undefined, undefined, undefined])
})
