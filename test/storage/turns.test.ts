import { setImmediate } from 'node:timers/promises'

import { describe, expect, it, vi } from 'vitest'

import { createTurns } from '../../src/storage/turns.ts'
import type { Turn } from '../../src/storage/turns.ts'

function setUp(idleWork: Turn[] = []) {
  const log: string[] = []
  const note =
    (text: string): Turn =>
    async () =>
      void log.push(text)
  const giveUp = note('given up')
  const turns = createTurns({ transactionLimitMs: 1000, giveUp, idle: () => idleWork.shift() ?? null })
  return { turns, log, note }
}

describe('turns', () => {
  it('come one at a time, in the order of arrival', async () => {
    const { turns, log, note } = setUp()
    const gate = Promise.withResolvers<void>()
    turns.enter(null, () => gate.promise)
    turns.enter(null, note('second'))
    turns.enter(null, note('third'))
    await setImmediate()
    expect(log).toEqual([])
    gate.resolve()
    await setImmediate()
    expect(log).toEqual(['second', 'third'])
  })

  it('stay with a transaction until it leaves', async () => {
    const { turns, log, note } = setUp()
    turns.enter(7, note('begin'))
    turns.enter(null, note('other'))
    expect(turns.within(8, note('wrong'))).toBe(false)
    expect(turns.within(7, note('statement'))).toBe(true)
    await setImmediate()
    expect(log).toEqual(['begin', 'statement'])
    expect(turns.leave(7, note('commit'))).toBe(true)
    await setImmediate()
    expect(log).toEqual(['begin', 'statement', 'commit', 'other'])
    expect(turns.within(7, note('late'))).toBe(false)
  })

  it('are taken from a transaction whose time is up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { turns, log, note } = setUp()
      turns.enter(7, note('begin'))
      turns.enter(null, note('other'))
      vi.advanceTimersByTime(999)
      await setImmediate()
      expect(log).toEqual(['begin'])
      vi.advanceTimersByTime(1)
      expect(turns.within(7, note('late'))).toBe(false)
      expect(turns.leave(7, note('commit'))).toBe(false)
      await setImmediate()
      expect(log).toEqual(['begin', 'given up', 'other'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('go to idle work only while nobody waits', async () => {
    const idle: Turn[] = []
    const { turns, log, note } = setUp(idle)
    idle.push(note('idle 1'), note('idle 2'))
    turns.enter(null, note('one'))
    turns.enter(null, note('two'))
    await setImmediate()
    expect(log).toEqual(['one', 'two', 'idle 1', 'idle 2'])
  })

  it('come to nobody after the stop', async () => {
    const { turns, log, note } = setUp()
    turns.enter(null, async () => turns.stop())
    turns.enter(null, note('never'))
    await setImmediate()
    expect(log).toEqual([])
  })
})
