import { describe, expect, test } from 'vitest'
import { createBreaker } from '../../src/llm/breaker.ts'
import { createGate, type NotBefore } from '../../src/llm/gate.ts'
import { createHandClock } from '../support/hand-clock.ts'
import { neverAborted, turn, watch } from './llm-fixture.ts'

const openMs = 1_000

/** A gate whose clock moves on by itself at its n-th look from `jumpAt(n)` on, as real ones do. */
function start() {
  const hand = createHandClock()
  let looks = 0
  let jumps = Number.POSITIVE_INFINITY
  const now = (): number => {
    looks += 1
    return hand.now() + (looks >= jumps ? openMs : 0)
  }
  const clock = { now, after: hand.after }
  const gate = createGate({
    clock,
    createBreaker: (changed) => createBreaker({ threshold: 1, openMs, halfOpen: 1 }, { clock, changed }),
    changed: () => {},
  })
  const jumpAt = (look: number): void => {
    looks = 0
    jumps = look
  }
  return { gate, hand, jumpAt }
}

const asked: NotBefore = { waitMs: openMs, kind: 'asked', code: 'llm_error', reason: 'Wait.' }

describe('a wait that begins just as its time ends', () => {
  const looks = Array.from({ length: 15 }, (_, index) => index + 1)

  test.for(looks)('is not forgotten: an open breaker, at the %i. look at the clock', async (look) => {
    const { gate, hand, jumpAt } = start()
    gate.admit()?.settle('failure')
    jumpAt(look)
    const seen = watch(gate.whenReady(neverAborted))
    await turn()
    hand.advance(openMs)
    await turn()
    expect(seen.over).toBe(true)
    expect(gate.admit()).not.toBeNull()
  })

  test.for(looks)('is not forgotten: a not-before time, at the %i. look at the clock', async (look) => {
    const { gate, hand, jumpAt } = start()
    gate.postpone(asked)
    jumpAt(look)
    const seen = watch(gate.whenReady(neverAborted))
    await turn()
    hand.advance(openMs)
    await turn()
    expect(seen.over).toBe(true)
  })
})

describe('a not-before time', () => {
  test('is the latest that was asked for', () => {
    const { gate, hand } = start()
    gate.postpone({ ...asked, waitMs: 5_000, reason: 'Long.' })
    gate.postpone({ ...asked, waitMs: 10 })
    expect([gate.readyInMs(), gate.postponed()?.reason]).toEqual([5_000, 'Long.'])
    hand.advance(5_000)
    expect([gate.readyInMs(), gate.postponed()]).toEqual([0, null])
  })

  test('of a loading model ends when it is there, another one does not', () => {
    const { gate } = start()
    gate.postpone({ ...asked, kind: 'loading' })
    gate.loaded()
    expect(gate.readyInMs()).toBe(0)
    gate.postpone(asked)
    gate.loaded()
    expect(gate.readyInMs()).toBe(openMs)
  })

  test('leaves no timer behind when the gate is closed', () => {
    const { gate, hand } = start()
    gate.postpone(asked)
    expect(hand.timers()).toBe(1)
    gate.close()
    expect(hand.timers()).toBe(0)
  })
})
