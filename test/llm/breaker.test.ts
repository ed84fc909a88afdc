import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BreakerPass, type BreakerState, createBreaker } from '../../src/llm/breaker.ts'
import { createHandClock } from '../support/hand-clock.ts'

const options = { threshold: 3, openMs: 1_000, halfOpen: 2 }

function start() {
  const clock = createHandClock()
  const changes: BreakerState[] = []
  const breaker = createBreaker(options, { clock, changed: (state) => changes.push(state) })
  const call = (verdict: 'success' | 'failure' | 'neutral'): void => breaker.admit()?.settle(verdict)
  const open = (): void => {
    for (let n = 0; n < options.threshold; n += 1) call('failure')
  }
  return { clock, changes, breaker, call, open }
}

describe('a breaker', () => {
  test('opens after failures in a row, not after as many with a success between', () => {
    const { breaker, call } = start()
    for (const verdict of ['failure', 'failure', 'success', 'failure', 'neutral', 'failure'] as const) call(verdict)
    expect(breaker.state()).toBe('closed')
    call('failure')
    expect(breaker.state()).toBe('open')
    expect(breaker.openForMs()).toBe(1_000)
    expect(breaker.admit()).toBeNull()
  })

  test('lets a few through after its time, closes at their first tokens', () => {
    const { breaker, clock, open, changes } = start()
    open()
    clock.advance(999)
    expect(breaker.admit()).toBeNull()
    clock.advance(1)
    const passes = [breaker.admit(), breaker.admit()]
    expect(breaker.admit()).toBeNull()
    passes[0]?.reachedFirstToken()
    passes[0]?.reachedFirstToken()
    expect(breaker.state()).toBe('half_open')
    passes[1]?.reachedFirstToken()
    expect(changes).toEqual(['open', 'half_open', 'closed'])
  })

  test('opens again at one failure, even of a call that had its first token', () => {
    const { breaker, clock, open } = start()
    open()
    clock.advance(1_000)
    const pass = breaker.admit()
    pass?.reachedFirstToken()
    pass?.settle('failure')
    expect(breaker.state()).toBe('open')
    expect(breaker.openForMs()).toBe(1_000)
  })

  test('an abort while half-open gives its place back and says nothing', () => {
    const { breaker, clock, open, call } = start()
    open()
    clock.advance(1_000)
    for (let n = 0; n < 5; n += 1) call('neutral')
    expect(breaker.state()).toBe('half_open')
    expect(breaker.mayAdmit()).toBe(true)
  })

  test('calls from before it opened change nothing any more', () => {
    const { breaker, clock, open } = start()
    const old = [breaker.admit(), breaker.admit(), breaker.admit(), breaker.admit()]
    open()
    old[0]?.settle('success')
    expect(breaker.state()).toBe('open')
    clock.advance(1_000)
    old[1]?.settle('failure')
    old[2]?.settle('success')
    expect(breaker.state()).toBe('half_open')
    expect([breaker.admit() !== null, breaker.admit() !== null, breaker.admit() !== null]).toEqual([true, true, false])
  })
})

/** What the rules say, written down from the history alone. */
interface Law {
  readonly state: BreakerState
  readonly since: number
  /** Of the calls that count: verdicts since the last change. */
  readonly streak: number
  readonly credits: number
  readonly generation: number
}

interface Running {
  readonly pass: BreakerPass
  readonly generation: number
  readonly trial: boolean
  credited: boolean
}

type Action = { readonly do: 'admit' | 'wait' | 'token' | 'success' | 'failure' | 'neutral'; readonly pick: number }

const action: fc.Arbitrary<Action> = fc.record({
  do: fc.constantFrom(
    'admit',
    'admit',
    'admit',
    'wait',
    'token',
    'success',
    'failure',
    'failure',
    'failure',
    'neutral',
  ),
  pick: fc.nat({ max: 1_200 }),
})

function afterSuccess(law: Law, now: number): Law {
  if (law.state === 'closed') return { ...law, streak: 0 }
  const credits = law.credits + 1
  return credits < options.halfOpen
    ? { ...law, credits }
    : { ...law, state: 'closed', since: now, streak: 0, credits: 0 }
}

function afterFailure(law: Law, now: number): Law {
  const streak = law.streak + 1
  if (law.state === 'closed' && streak < options.threshold) return { ...law, streak }
  return { state: 'open', since: now, streak: 0, credits: 0, generation: law.generation + 1 }
}

function afterWaiting(law: Law, now: number): Law {
  const over = law.state === 'open' && now - law.since >= options.openMs
  return over ? { ...law, state: 'half_open', since: now } : law
}

function afterVerdict(law: Law, what: Action['do'], about: { readonly call: Running; readonly now: number }): Law {
  const { call, now } = about
  if (call.generation !== law.generation) return law
  if (what === 'failure') return afterFailure(law, now)
  const already = call.credited && law.state === 'half_open'
  return what === 'success' && !already ? afterSuccess(law, now) : law
}

function isFree(law: Law, running: readonly Running[]): boolean {
  const trials = running.filter(({ trial, generation }) => trial && generation === law.generation).length
  return law.state === 'closed' || (law.state === 'half_open' && trials < options.halfOpen)
}

function play(actions: readonly Action[]): void {
  const { clock, breaker } = start()
  const running: Running[] = []
  let law: Law = { state: 'closed', since: 0, streak: 0, credits: 0, generation: 0 }

  const admit = (): void => {
    const pass = breaker.admit()
    if (pass === null) return
    running.push({ pass, generation: law.generation, trial: law.state === 'half_open', credited: false })
  }
  const reachToken = (call: Running): void => {
    call.pass.reachedFirstToken()
    if (!call.trial || call.credited) return
    law = afterVerdict(law, 'success', { call, now: clock.now() })
    call.credited = true
  }
  const settle = (call: Running, verdict: 'success' | 'failure' | 'neutral'): void => {
    call.pass.settle(verdict)
    running.splice(running.indexOf(call), 1)
    law = afterVerdict(law, verdict, { call, now: clock.now() })
  }

  for (const { do: what, pick } of actions) {
    if (what === 'wait') clock.advance(pick)
    law = afterWaiting(law, clock.now())
    expect(breaker.state()).toBe(law.state)
    expect(breaker.mayAdmit()).toBe(isFree(law, running))
    const call = running[pick % Math.max(1, running.length)]
    if (what === 'admit') admit()
    else if (what === 'token' && call !== undefined) reachToken(call)
    else if (what !== 'wait' && what !== 'token' && call !== undefined) settle(call, what)
  }
}

test('the breaker obeys its law in every order of happenings', () => {
  fc.assert(fc.property(fc.array(action, { maxLength: 120 }), play), { numRuns: 300 })
})
