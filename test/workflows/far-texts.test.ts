import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import type { ChunkPage } from '../../src/workflows/chunks.ts'
import { createFarTexts } from '../../src/workflows/far-texts.ts'
import type { HearHints } from '../../src/workflows/hints.ts'
import { firstClaim } from '../contract/fixtures.ts'
import { createMemoryChunks } from '../support/memory-chunks.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const placeOf = (workflowId: string) => ({ workflowId, stepIndex: 0, attempt: 1 })

/** A replica whose readers follow `wf_a`, which another one runs. */
function createBench() {
  const world = {
    listening: true,
    away: false,
    closed: false,
    followed: new Set(['wf_a']),
    held: new Set<string>(),
    page: null as ChunkPage | null,
  }
  const told: string[] = []
  const grown: string[] = []
  const reported: unknown[] = []
  const memory = createMemoryChunks({ isOpen: () => !world.closed, isClaimed: () => true })
  const listeners = new Set<HearHints>()
  const far = createFarTexts({
    chunks: {
      ...memory,
      async read(...values) {
        if (world.away) throw new AppError('unavailable', 'The database is away.')
        return world.page ?? memory.read(...values)
      },
    },
    followers: { isFollowed: (id) => world.followed.has(id), grew: (id) => void grown.push(id) },
    hints: {
      tell: () => undefined,
      tellText: (id) => void told.push(id),
      listening: () => world.listening,
      listen(hear) {
        listeners.add(hear)
        return () => void listeners.delete(hear)
      },
    },
    isHeld: (id) => world.held.has(id),
    report: (error) => void reported.push(error),
  })
  const write = async (from: number, text: string, id = 'wf_a') => {
    await memory.append([{ ...placeOf(id), claim: firstClaim, from, text }])
  }
  return {
    far,
    memory,
    calls: memory.calls,
    world,
    told,
    grown,
    reported,
    listeners,
    write,
    text: (id = 'wf_a') => far.find(id, 0, 1)?.output.from(0) ?? null,
    hint: (id = 'wf_a') => listeners.forEach((hear) => hear([], [id])),
  }
}

describe('a text that is made elsewhere', () => {
  test('is announced and read once, however many ask for it, and they are told when it has come', async () => {
    const { memory, calls, told, grown, write, text } = createBench()
    await write(0, 'one ')
    expect([text(), text(), text()]).toEqual(['', '', ''])
    await pass(0)
    expect(text()).toBe('one ')
    expect(calls).toMatchObject({ announce: 1, read: 1 })
    expect([told, grown]).toEqual([['wf_a'], ['wf_a']])
    expect(await memory.announced(['wf_a'], 1)).toEqual(['wf_a'])
  })

  test('is read on when a hint says that there is more, and another workflow is not', async () => {
    const { calls, write, text, hint } = createBench()
    text()
    await pass(0)
    await write(0, 'one ')
    hint('wf_b')
    await pass(0)
    expect([text(), calls.read]).toEqual(['', 1])
    hint()
    await pass(0)
    await write(4, 'two')
    hint()
    await pass(0)
    expect([text(), calls.read]).toEqual(['one two', 3])
  })

  test.each([
    ['a second', true, 1000],
    ['250 ms while none comes', false, 250],
  ])('is read without a hint within %s', async (_time, listening, ms) => {
    const { world, write, text } = createBench()
    world.listening = listening
    text()
    await pass(0)
    await write(0, 'text')
    await pass(ms + 250)
    expect(text()).toBe('text')
  })

  test('is read as often as that when only the other one has lost its hints', async () => {
    const { calls, write, text, hint } = createBench()
    text()
    await pass(0)
    await write(0, 'one ')
    await pass(1000)
    await write(4, 'two ')
    await pass(500)
    expect(text()).toBe('one two ')
    hint()
    await pass(500)
    const before = calls.read
    await pass(5000)
    expect(calls.read - before).toBeLessThan(7)
  })

  test('is announced every 5 s, without another hint', async () => {
    const { calls, told, text } = createBench()
    text()
    await pass(20_500)
    expect([calls.announce, told]).toEqual([5, ['wf_a']])
  })

  test('is not wanted any more when nobody follows it', async () => {
    const { calls, world, listeners, text } = createBench()
    text()
    await pass(2000)
    world.followed.clear()
    await pass(300)
    const before = { ...calls }
    await pass(60_000)
    expect([calls, listeners.size, vi.getTimerCount()]).toEqual([before, 0, 0])
  })

  test('is not wanted any more when its attempt is closed', async () => {
    const { calls, world, listeners, text } = createBench()
    text()
    await pass(0)
    world.closed = true
    await pass(1300)
    const before = { ...calls }
    await pass(60_000)
    expect([calls, listeners.size]).toEqual([before, 0])
  })

  test('may begin anew in the store: what comes twice counts once', async () => {
    const { memory, write, text, hint } = createBench()
    await write(0, 'one two ')
    text()
    await pass(0)
    memory.crash()
    await write(0, 'one two three')
    hint()
    await pass(0)
    expect(text()).toBe('one two three')
    memory.crash()
    await write(0, 'one')
    hint()
    await pass(0)
    expect(text()).toBe('one two three')
  })

  test('has no gap, whatever the store says', async () => {
    const { world, write, text, hint } = createBench()
    await write(0, 'one ')
    text()
    await pass(0)
    const three = { ...placeOf('wf_a'), from: 8, text: 'three' }
    world.page = { chunks: [three], closed: [], more: false }
    hint()
    await pass(0)
    expect(text()).toBe('one ')
    world.page = { chunks: [{ ...three, from: 2, text: 'e two ' }, three], closed: [], more: false }
    hint()
    await pass(0)
    expect(text()).toBe('one two three')
  })

  test('is announced anew as soon as the database is there again', async () => {
    const { calls, world, reported, write, text, hint } = createBench()
    text()
    await pass(0)
    world.away = true
    hint()
    await pass(0)
    expect(reported).toMatchObject([{ code: 'unavailable' }])
    world.away = false
    await write(0, 'text')
    await pass(250)
    expect([text(), calls.announce]).toEqual(['text', 2])
  })
})

describe('a text that is made here', () => {
  test('is announced to nobody', async () => {
    const { calls, world, told, text } = createBench()
    world.held.add('wf_a')
    expect(text()).toBeNull()
    await pass(10_000)
    expect([calls, told]).toEqual([{ announce: 0, announced: 0, append: 0, read: 0, sweep: 0 }, []])
  })

  test('is asked for again when another replica has taken it', async () => {
    const { calls, world, grown, text } = createBench()
    world.held.add('wf_a')
    text()
    await pass(1000)
    expect(grown).toEqual([])
    world.held.clear()
    await pass(250)
    expect(grown).toEqual(['wf_a'])
    expect(text()).toBe('')
    await pass(0)
    expect(calls).toMatchObject({ announce: 1, read: 1 })
  })
})

test('one that is closed asks for nothing', async () => {
  const { far, calls, text } = createBench()
  text()
  await pass(0)
  far.close()
  await pass(0)
  const before = { ...calls }
  expect(text()).toBeNull()
  await pass(10_000)
  expect([calls, vi.getTimerCount()]).toEqual([before, 0])
})
