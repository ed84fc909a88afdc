import { describe, expect, test } from 'vitest'
import { createAdmission } from '../../src/llm/admission.ts'
import type { LlmEvent } from '../../src/llm/model.ts'
import { createHandClock } from '../support/hand-clock.ts'
import { admitted, firstTry, neverAborted, targetOf, turn, watch } from './llm-fixture.ts'

const target = targetOf({ model: 'm' })
const wanted = firstTry(target)

function start() {
  const clock = createHandClock()
  const told: LlmEvent[] = []
  const breaker = { threshold: 2, openMs: 1_000, halfOpen: 2 }
  const admission = createAdmission(
    { endpoints: [], breaker, retryBudgetPercent: 20 },
    {
      clock,
      observe: (event) => told.push(event),
      isAvoided: () => false,
    },
  )
  const fail = (): void => admission.takeUp(target, undefined).settle('failure')
  return { clock, told, admission, fail }
}

describe('admission', () => {
  test('a refused call fails with what people search for', () => {
    const { admission, fail, clock } = start()
    fail()
    fail()
    clock.advance(100)
    expect(admission.admit(wanted)).toBe('closed')
    expect(admission.readyInMs(wanted)).toBe(900)
    expect(() => admission.takeUp(target, undefined)).toThrowError(
      expect.objectContaining({
        code: 'circuit_open',
        message: 'Circuit breaker is OPEN for endpoint "default", model "m". Next try in 1 s.',
        details: { retryable: true, endpoint: 'default', retryAfterMs: 900 },
      }) as Error,
    )
  })

  test('everybody who waits is over when the time is over', async () => {
    const { admission, fail, clock } = start()
    fail()
    fail()
    const waiters = [1, 2, 3].map(() => watch(admission.whenReady(wanted, neverAborted)))
    clock.advance(999)
    await turn()
    expect(waiters.map(({ over }) => over)).toEqual([false, false, false])
    clock.advance(1)
    await turn()
    expect(waiters.map(({ over }) => over)).toEqual([true, true, true])
  })

  test('while half-open a freed place wakes, and so does closing', async () => {
    const { admission, fail, clock } = start()
    fail()
    fail()
    clock.advance(1_000)
    const [one, two] = [admitted(admission.admit(wanted)), admitted(admission.admit(wanted))]
    expect(admission.readyInMs(wanted)).toBe(1_000)
    const first = watch(admission.whenReady(wanted, neverAborted))
    await turn()
    expect(first.over).toBe(false)
    one.release()
    one.release()
    await turn()
    expect(first.over).toBe(true)
    const three = admission.takeUp(target, undefined)
    const second = watch(admission.whenReady(wanted, neverAborted))
    admission.takeUp(target, two).reachedFirstToken()
    three.reachedFirstToken()
    await turn()
    expect(second.over).toBe(true)
    expect(admission.breakers()).toMatchObject([{ state: 'closed' }])
  })

  test('a permit is used once, and only for its target', () => {
    const { admission } = start()
    const permit = admitted(admission.admit(wanted))
    admission.takeUp(target, permit).settle('failure')
    permit.release()
    expect(admission.breakers()).toMatchObject([{ state: 'closed' }])
    const other = { ...target, model: 'other' }
    admission.takeUp(other, admitted(admission.admit(wanted))).settle('failure')
    admission.takeUp(target, permit).settle('failure')
    expect(admission.breakers()).toMatchObject([{ state: 'open' }, { state: 'closed' }])
  })

  test('a not-before time refuses without being an open breaker', async () => {
    const { admission, clock } = start()
    admission.postpone(target, { kind: 'asked', waitMs: 5_000, code: 'llm_rate_limited', reason: 'Slow.' })
    admission.postpone(target, { kind: 'asked', waitMs: 10, code: 'llm_rate_limited', reason: 'Slow.' })
    expect(admission.admit(wanted)).toBe('closed')
    expect(() => admission.takeUp(target, undefined)).toThrowError('Slow. Next try in 5 s.')
    const waiter = watch(admission.whenReady(wanted, neverAborted))
    clock.advance(5_000)
    await turn()
    expect(waiter.over).toBe(true)
    expect(admission.admit(wanted)).toMatchObject({ target })
    expect(admission.breakers()).toMatchObject([{ state: 'closed', hurting: false }])
  })

  test('waiting ends with the signal', async () => {
    const { admission, fail } = start()
    fail()
    fail()
    const giveUp = new AbortController()
    const waiting = admission.whenReady(wanted, giveUp.signal)
    const reason = new Error('enough')
    giveUp.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(admission.whenReady(wanted, giveUp.signal)).rejects.toBe(reason)
  })

  test('tells its changes, hurts for five minutes, and forgets after an idle hour', () => {
    const { admission, fail, told, clock } = start()
    fail()
    fail()
    expect(told).toEqual([
      { type: 'llm.breaker_changed', endpoint: 'default', model: 'm', state: 'open', retryInMs: 1_000 },
    ])
    expect(admission.breakers()).toEqual([
      { endpoint: 'default', model: 'm', state: 'open', retryInMs: 1_000, hurting: true },
    ])
    clock.advance(5 * 60_000)
    expect(told.at(-1)).toMatchObject({ state: 'half_open', retryInMs: null })
    expect(admission.breakers()).toMatchObject([{ state: 'half_open', hurting: false }])
    admission.sweep()
    expect(admission.breakers()).toHaveLength(1)
    clock.advance(60 * 60_000)
    admission.sweep()
    expect(admission.breakers()).toEqual([])
    expect(clock.timers()).toBe(0)
  })
})
