import { describe, expect, test } from 'vitest'
import { a, b, c, startAdmission } from './admission-fixture.ts'
import { admitted, firstTry, neverAborted, nextTry, turn, watch } from './llm-fixture.ts'

describe('a permit', () => {
  test('is for the first endpoint that may be called', () => {
    const { admission, close } = startAdmission()
    expect(admission.admit(firstTry(a, b))).toMatchObject({ target: a })
    close(a, 1_000)
    expect(admission.admit(firstTry(a, b))).toMatchObject({ target: b })
    close(b, 500)
    expect(admission.admit(firstTry(a, b))).toBe('closed')
    expect(admission.readyInMs(firstTry(a, b))).toBe(500)
  })

  test('of an endpoint with the least share of its places, among those of one order', () => {
    const { admission } = startAdmission({
      limits: { a: { order: 1, maxInFlight: 2 }, b: { order: 1, maxInFlight: 4 } },
    })
    const all = [1, 2, 3, 4, 5, 6].map(() => admitted(admission.admit(firstTry(a, b, c))).target.endpoint)
    expect(all.join('')).toBe('abbabb')
    expect(admission.admit(firstTry(a, b, c))).toBe('full')
    expect(admission.admit(firstTry(c))).toMatchObject({ target: c })
  })

  test('of an avoided endpoint only when there is no other, whatever its order', () => {
    const { admission, avoided, close } = startAdmission({ limits: { a: { order: 1 }, b: { order: 1 } } })
    avoided.add('a')
    const all = [1, 2, 3].map(() => admitted(admission.admit(firstTry(b, a))).target.endpoint)
    expect(all).toEqual(['b', 'b', 'b'])
    close(b, 1_000)
    expect(admission.admit(firstTry(b, a))).toMatchObject({ target: a })
  })

  test('holds its place until it is released, used or not, and gives it back once', () => {
    const { admission } = startAdmission({ limits: { a: { maxInFlight: 2 } } })
    const [one, two] = [admitted(admission.admit(firstTry(a))), admitted(admission.admit(firstTry(a)))]
    admission.takeUp(a, one).settle('success')
    expect(admission.admit(firstTry(a))).toBe('full')
    for (let n = 0; n < 3; n += 1) one.release()
    const three = admitted(admission.admit(firstTry(a)))
    expect(admission.admit(firstTry(a))).toBe('full')
    two.release()
    three.release()
    expect([1, 2, 3].map(() => admission.admit(firstTry(a)))).toMatchObject([{ target: a }, { target: a }, 'full'])
  })

  test('is no pass at another endpoint or model: what it holds is given back', () => {
    const { admission, clock } = startAdmission({ breaker: { threshold: 1, openMs: 1_000, halfOpen: 1 } })
    admission.takeUp(a, undefined).settle('failure')
    clock.advance(1_000)
    const permit = admitted(admission.admit(firstTry(a)))
    expect(admission.admit(firstTry(a))).toBe('closed')
    admission.takeUp(b, permit).settle('failure')
    expect(admission.breakers().map(({ endpoint, state }) => `${endpoint} ${state}`)).toEqual(['a half_open', 'b open'])
    expect(admission.admit(firstTry(a))).toMatchObject({ target: a })
  })

  test('is good for the first call; the breaker judges each further one anew', () => {
    const { admission } = startAdmission({ breaker: { threshold: 1, openMs: 1_000, halfOpen: 1 } })
    const permit = admitted(admission.admit(firstTry(a)))
    admission.takeUp(a, permit).settle('success')
    admission.takeUp(a, permit).settle('failure')
    expect(() => admission.takeUp(a, permit)).toThrow(/^Circuit breaker is OPEN/)
  })

  test('that was given out before the breaker opened is still good', () => {
    const { admission } = startAdmission({ breaker: { threshold: 1, openMs: 1_000, halfOpen: 1 } })
    const permit = admitted(admission.admit(firstTry(a)))
    admission.takeUp(a, undefined).settle('failure')
    admission.takeUp(a, permit).settle('success')
    expect(admission.breakers()).toMatchObject([{ state: 'open' }])
  })
})

describe('whoever waits', () => {
  test('is woken by the first of several endpoints, and leaves nothing behind', async () => {
    const { admission, close, clock } = startAdmission()
    close(a, 3_000)
    close(b, 1_000)
    const waiting = admission.whenReady(firstTry(a, b), neverAborted)
    clock.advance(1_000)
    await waiting
    expect(admission.admit(firstTry(a, b))).toMatchObject({ target: b })
    clock.advance(2_000)
    expect(clock.timers()).toBe(0)
  })

  test('for the retry budget is woken when it is there, and not before the endpoint is open', async () => {
    const { admission, close, clock } = startAdmission()
    for (let n = 0; n < 10; n += 1) admission.admit(nextTry(a))
    const waiting = admission.whenReady(nextTry(a), neverAborted)
    const seen = watch(waiting)
    await turn()
    close(a, 61_000)
    clock.advance(60_000)
    await turn()
    expect(seen.over).toBe(false)
    clock.advance(1_000)
    await waiting
    expect(admission.admit(nextTry(a))).toMatchObject({ target: a })
  })

  test('for the retry budget gives up with the signal, and leaves no timer', async () => {
    const { admission, clock } = startAdmission()
    for (let n = 0; n < 10; n += 1) admission.admit(nextTry(a))
    const stop = new AbortController()
    const waiting = admission.whenReady(nextTry(a), stop.signal)
    await turn()
    const reason = new Error('enough')
    stop.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(clock.timers()).toBe(0)
  })

  test('for a place is not held: that is no wait for an endpoint', async () => {
    const { admission } = startAdmission({ limits: { a: { maxInFlight: 1 } } })
    admission.admit(firstTry(a))
    expect(admission.readyInMs(firstTry(a))).toBe(0)
    expect(admission.refusal(firstTry(a))).toBeNull()
    await admission.whenReady(firstTry(a), neverAborted)
  })
})

test('a first try is never held by the retries that others used up', async () => {
  const { admission } = startAdmission()
  for (let n = 0; n < 10; n += 1) admission.admit(nextTry(a))
  expect(admission.admit(nextTry(a))).toBe('closed')
  expect(admission.readyInMs(firstTry(a))).toBe(0)
  await admission.whenReady(firstTry(a), neverAborted)
  expect(admission.admit(firstTry(a))).toMatchObject({ target: a })
})

test('a call that was refused is none that retries are a share of', () => {
  const { admission, close, clock } = startAdmission()
  close(a, 1_000)
  for (let n = 0; n < 1_000; n += 1) expect(() => admission.takeUp(a, undefined)).toThrow('Wait.')
  clock.advance(1_000)
  for (let n = 0; n < 10; n += 1) expect(admission.admit(nextTry(a))).toMatchObject({ target: a })
  expect(admission.admit(nextTry(a))).toBe('closed')
})
