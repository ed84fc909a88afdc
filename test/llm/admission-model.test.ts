import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointLimits } from '../../src/llm/endpoint-load.ts'
import type { Permit, Target } from '../../src/llm/model.ts'
import { a, b, c, startAdmission, type StartedAdmission } from './admission-fixture.ts'
import { admitted, firstTry } from './llm-fixture.ts'

type Step =
  | { readonly do: 'admit'; readonly of: readonly string[] }
  | { readonly do: 'use' | 'end' | 'release'; readonly pick: number }
  | { readonly do: 'close'; readonly which: string; readonly ms: number }
  | { readonly do: 'wait'; readonly ms: number }

const ms = fc.integer({ min: 1, max: 3_000 })
const name = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('admit' as const), of: fc.subarray(['a', 'b', 'c'], { minLength: 1 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('use', 'end', 'release'), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), which: name, ms }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms }) },
)

interface Held {
  readonly permit: Permit
  pass: { settle(verdict: 'success'): void } | null
  released: boolean
}

/** An endpoint as the law sees it. */
interface Lawful extends EndpointLimits {
  readonly target: Target
  closedUntil: number
}

interface World {
  readonly started: StartedAdmission
  /** In the order in which `Model.targets` gives them. */
  readonly endpoints: readonly Lawful[]
  readonly held: Held[]
}

function createWorld(limits: Readonly<Record<string, Partial<EndpointLimits>>>): World {
  const started = startAdmission({ limits })
  const lawful = started.endpoints.map((endpoint, index) => {
    return Object.assign({ target: [a, b, c][index] ?? a, closedUntil: 0 }, endpoint)
  })
  return { started, endpoints: lawful.toSorted((one, other) => one.order - other.order), held: [] }
}

function running({ held }: World, endpoint: string): number {
  return held.filter(({ permit, released }) => permit.target.endpoint === endpoint && !released).length
}

/** What must be given: a target, or the word that says why none. */
function lawfulAnswer(world: World, candidates: readonly Lawful[]): Target | 'closed' | 'full' {
  const open = candidates.filter(({ closedUntil }) => closedUntil <= world.started.clock.now())
  const [first] = open
  if (first === undefined) return 'closed'
  const load = ({ name: endpoint, maxInFlight }: Lawful): number => running(world, endpoint) / (maxInFlight || 1)
  const room = open.filter((one) => one.order === first.order && (one.maxInFlight === 0 || load(one) < 1))
  return room.toSorted((one, other) => load(one) - load(other))[0]?.target ?? 'full'
}

function admit(world: World, of: readonly string[]): void {
  const candidates = world.endpoints.filter((endpoint) => of.includes(endpoint.name))
  const lawful = lawfulAnswer(world, candidates)
  const got = world.started.admission.admit(firstTry(...candidates.map(({ target }) => target)))
  expect(typeof got === 'string' ? got : got.target).toBe(lawful)
  if (typeof got !== 'string') world.held.push({ permit: got, pass: null, released: false })
}

function changePermit({ started, held }: World, what: 'use' | 'end' | 'release', pick: number): void {
  const hold = held[pick % Math.max(1, held.length)]
  if (hold === undefined) return
  const { permit } = hold
  if (what === 'use' && hold.pass === null && !hold.released)
    hold.pass = started.admission.takeUp(permit.target, permit)
  if (what === 'end') hold.pass?.settle('success')
  if (what !== 'release') return
  permit.release()
  hold.released = true
}

function close({ started, endpoints }: World, which: string, forMs: number): void {
  const endpoint = endpoints.find((one) => one.name === which)
  if (endpoint === undefined) return
  started.close(endpoint.target, forMs)
  endpoint.closedUntil = Math.max(endpoint.closedUntil, started.clock.now() + forMs)
}

function take(world: World, one: Step): void {
  switch (one.do) {
    case 'admit':
      return admit(world, one.of)
    case 'close':
      return close(world, one.which, one.ms)
    case 'wait':
      return world.started.clock.advance(one.ms)
    case 'use':
    case 'end':
    case 'release':
      return changePermit(world, one.do, one.pick)
    default:
      return one satisfies never
  }
}

/** Once all permits are back, each endpoint has all its places, and not one more. */
function expectNothingLost({ started, endpoints, held }: World): void {
  for (const { permit, pass } of held) {
    pass?.settle('success')
    permit.release()
  }
  started.clock.advance(10_000)
  for (const { target, maxInFlight } of endpoints) {
    const again = Array.from({ length: maxInFlight || 20 }, () => started.admission.admit(firstTry(target)))
    expect(again.map((permit) => typeof permit)).not.toContain('string')
    expect(started.admission.admit(firstTry(target)) === 'full').toBe(maxInFlight > 0)
  }
}

test('in every order of happenings: no more than the places, nobody where it is closed, and no place is lost', () => {
  const limit = fc.record({ order: fc.nat({ max: 1 }), maxInFlight: fc.nat({ max: 3 }) })
  const limits = fc.record({ a: limit, b: limit, c: limit })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), limits, (steps, given) => {
      const world = createWorld(given)
      for (const one of steps) take(world, one)
      expectNothingLost(world)
    }),
    { numRuns: 200 },
  )
})

test('the places of a half-open breaker come back, whatever becomes of the permits', () => {
  const fate = fc.constantFrom('released', 'released twice', 'used', 'used, then released', 'released, then used')
  fc.assert(
    fc.property(fc.array(fate), (fates) => {
      const { admission, clock } = startAdmission({ breaker: { threshold: 1, openMs: 1_000, halfOpen: 2 } })
      admission.takeUp(a, undefined).settle('failure')
      clock.advance(1_000)
      for (const one of fates) {
        const permit = admitted(admission.admit(firstTry(a)))
        if (one.startsWith('released')) permit.release()
        if (one === 'released twice') permit.release()
        if (one.includes('used')) admission.takeUp(a, permit).settle('neutral')
        permit.release()
      }
      const free = [1, 2, 3].map(() => typeof admission.admit(firstTry(a)) !== 'string')
      expect(free).toEqual([true, true, false])
    }),
  )
})
