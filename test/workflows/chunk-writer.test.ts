import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { createChunkWriter } from '../../src/workflows/chunk-writer.ts'
import type { ChunkWriter } from '../../src/workflows/chunk-writer.ts'
import type { HearHints } from '../../src/workflows/hints.ts'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import { firstClaim, state, step } from '../contract/fixtures.ts'
import { createMemoryChunks } from '../support/memory-chunks.ts'

const started: ChunkWriter[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  for (const writer of started.splice(0)) writer.stop()
  vi.useRealTimers()
})

/** A replica that runs `wf_a` and `wf_b`, each with the first attempt of its only step open. */
function createBench() {
  const world = { listening: true, away: false }
  const told: string[] = []
  const reported: unknown[] = []
  const live = createLiveTexts()
  const runners = ['wf_a', 'wf_b'].map((workflowId) => {
    const steps = [step(0, { status: 'running', attempt: 1 })]
    return { workflowId, state: () => state({ id: workflowId, claim: firstClaim, steps }) }
  })
  const texts = new Map(runners.map(({ workflowId }) => [workflowId, live.open(workflowId, 0, 1).output]))
  const memory = createMemoryChunks({ isOpen: () => true, isClaimed: () => true })
  const chunks = {
    ...memory,
    async append(...values: Parameters<typeof memory.append>) {
      if (world.away) throw new AppError('unavailable', 'The database is away.')
      return memory.append(...values)
    },
  }
  let hear: HearHints = () => undefined
  const writer = createChunkWriter({
    chunks,
    live,
    hints: {
      tell: () => undefined,
      tellText: (id) => void told.push(id),
      listening: () => world.listening,
      listen(listener) {
        hear = listener
        return () => void (hear = () => undefined)
      },
    },
    loop: { runners: () => runners, find: (id) => runners.find(({ workflowId }) => workflowId === id) },
    report: (error) => void reported.push(error),
  })
  started.push(writer)
  writer.start()
  return {
    chunks,
    calls: memory.calls,
    told,
    reported,
    world,
    say: (id: string, text: string) => texts.get(id)?.append(text),
    hint: (id: string) => hear([], [id]),
    async stored(workflowId: string) {
      const page = await memory.read([{ workflowId, stepIndex: 0, attempt: 1, length: 0 }])
      return page.chunks.map(({ from, text }) => `${from} ${text}`)
    },
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('texts that are made here', () => {
  test('are not written while nobody far away reads them', async () => {
    const { calls, say } = createBench()
    say('wf_a', 'text')
    await pass(10_000)
    expect(calls).toMatchObject({ append: 0, announce: 0 })
    expect(calls.announced).toBeLessThan(12)
  })

  test('are written from their beginning at once when a hint announces one of them, and only that one', async () => {
    const { chunks, told, say, hint, stored } = createBench()
    say('wf_a', 'before ')
    say('wf_b', 'unread')
    await pass(10)
    await chunks.announce(['wf_a'])
    hint('wf_a')
    await pass(0)
    expect(await stored('wf_a')).toEqual(['0 before '])
    say('wf_a', 'and after')
    await pass(100)
    expect(await stored('wf_a')).toEqual(['0 before ', '7 and after'])
    expect(await stored('wf_b')).toEqual([])
    expect(told).toEqual(['wf_a', 'wf_a'])
  })

  test.each([
    ['a second', true, 1000],
    ['250 ms while no hints come', false, 250],
  ])('are written without a hint within %s', async (_time, listening, ms) => {
    const { chunks, world, say, stored } = createBench()
    world.listening = listening
    await pass(10)
    await chunks.announce(['wf_a'])
    say('wf_a', 'text')
    await pass(ms)
    expect(await stored('wf_a')).toEqual(['0 text'])
  })

  test('go out together, at most every 100 ms', async () => {
    const { chunks, calls, say, stored } = createBench()
    await chunks.announce(['wf_a', 'wf_b'])
    await pass(1100)
    for (let ms = 0; ms < 1000; ms += 5) {
      say('wf_a', 'a')
      say('wf_b', 'b')
      await pass(5)
    }
    expect(calls.append).toBeGreaterThanOrEqual(9)
    expect(calls.append).toBeLessThanOrEqual(11)
    await pass(100)
    expect((await stored('wf_b')).map((chunk) => chunk.split(' ')[1]).join('')).toBe('b'.repeat(200))
  })

  test('that are quiet cost no statement', async () => {
    const { chunks, calls, say } = createBench()
    await chunks.announce(['wf_a'])
    say('wf_a', 'text')
    await pass(1100)
    const before = calls.append
    await pass(5000)
    expect(calls.append).toBe(before)
  })

  test('are not written any more when nobody announces them', async () => {
    const { chunks, calls, say } = createBench()
    await chunks.announce(['wf_a'])
    await pass(1100)
    chunks.crash()
    await pass(1100)
    say('wf_a', 'text')
    await pass(1000)
    expect(calls.append).toBe(0)
  })

  test('are written from where they end in the store, whatever is known here', async () => {
    const { chunks, say, stored } = createBench()
    await chunks.append([{ workflowId: 'wf_a', stepIndex: 0, attempt: 1, claim: firstClaim, from: 0, text: 'known ' }])
    await chunks.announce(['wf_a'])
    say('wf_a', 'known and more')
    await pass(1300)
    expect(await stored('wf_a')).toEqual(['0 known ', '6 and more'])
    chunks.crash()
    await chunks.announce(['wf_a'])
    say('wf_a', ' again')
    await pass(1300)
    expect(await stored('wf_a')).toEqual(['0 known and more again'])
  })

  test('that could not be written are written later, and the failure is reported', async () => {
    const { chunks, reported, world, say, stored } = createBench()
    await chunks.announce(['wf_a'])
    await pass(1100)
    world.away = true
    say('wf_a', 'text')
    await pass(1000)
    expect(reported.length).toBeGreaterThan(0)
    expect(reported.length).toBeLessThan(6)
    world.away = false
    await pass(500)
    expect(await stored('wf_a')).toEqual(['0 text'])
  })

  test('that are huge go out in pieces, none of which splits a character', async () => {
    const { chunks, say, stored } = createBench()
    const text = `.${'😀'.repeat(600_000)}`
    say('wf_a', text)
    await chunks.announce(['wf_a'])
    await pass(1500)
    const pieces = (await stored('wf_a')).map((chunk) => chunk.slice(chunk.indexOf(' ') + 1))
    expect(pieces.map((piece) => [piece.length, piece.isWellFormed()])).toEqual([
      [999_999, true],
      [200_002, true],
    ])
    expect(pieces.join('') === text).toBe(true)
  })
})

test('orphans are swept once a minute', async () => {
  const { calls } = createBench()
  await pass(59_000)
  expect(calls.sweep).toBe(0)
  await pass(2000)
  expect(calls.sweep).toBe(1)
})
