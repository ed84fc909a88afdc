import type { BreakerOptions, BreakerPass } from './breaker.ts'
import type { Clock } from './clock.ts'
import { createEndpointLoad, type EndpointLimits, type EndpointLoad } from './endpoint-load.ts'
import type { NotBefore } from './gate.ts'
import { createGates, type Gates, refusalBy } from './gates.ts'
import type { Candidates, LlmEvent, LlmStatus, Model, NoPermit, Permit, Target } from './model.ts'
import { pause } from './pause.ts'

export interface AdmissionOptions {
  readonly endpoints: readonly EndpointLimits[]
  readonly breaker: BreakerOptions
  /** Share of an endpoint's calls of a minute that may repeat failed ones. */
  readonly retryBudgetPercent: number
}

/** Who may call which target when: a breaker and a not-before time per endpoint and model, a load per endpoint. */
export interface Admission extends Pick<Model, 'admit' | 'whenReady' | 'readyInMs' | 'refusal'> {
  /** Takes up `permit`, or a new right without it. Throws `circuit_open`, or what the not-before time stands for. */
  takeUp(target: Target, permit: Permit | undefined): BreakerPass
  /** The target asked to be left alone. */
  postpone(target: Target, notBefore: NotBefore): void
  /** The target has loaded its model. */
  loaded(target: Target): void
  breakers(): LlmStatus['breakers']
  /** Drops what has been idle for an hour. */
  sweep(): void
  close(): void
}

export interface AdmissionParts {
  readonly clock: Clock
  readonly observe: (event: LlmEvent) => void
  /** Whether an endpoint is to be used only when no other can be. */
  readonly isAvoided: (endpoint: string) => boolean
}

interface Desk extends Pick<AdmissionParts, 'clock' | 'isAvoided'> {
  readonly gates: Gates
  readonly loadOf: (endpoint: string) => EndpointLoad
  /** Passes of permits that no call has used yet. */
  readonly unused: WeakMap<Permit, BreakerPass>
}

/** All breakers and loads of a process. */
export function createAdmission(options: AdmissionOptions, parts: AdmissionParts): Admission {
  const gates = createGates(options.breaker, parts)
  const { clock, isAvoided } = parts
  const desk: Desk = { gates, loadOf: createLoads(options, clock), isAvoided, unused: new WeakMap(), clock }
  return {
    admit: (candidates) => admit(desk, candidates),
    readyInMs: (candidates) => readyInMs(desk, candidates),
    whenReady: (candidates, signal) => whenAnyReady(desk, candidates, signal),
    refusal: ({ targets }) => {
      const waits = targets.map((target) => ({ target, gate: gates.of(target) }))
      const [soonest] = waits.toSorted((a, b) => a.gate.readyInMs() - b.gate.readyInMs())
      return soonest === undefined || soonest.gate.readyInMs() === 0 ? null : refusalBy(soonest.gate, soonest.target)
    },
    takeUp: (target, permit) => {
      const pass = (permit === undefined ? null : passOf(desk, target, permit)) ?? gates.of(target).admit()
      if (pass === null) throw refusalBy(gates.of(target), target)
      desk.loadOf(target.endpoint).countCall()
      return pass
    },
    postpone: (target, notBefore) => gates.of(target).postpone(notBefore),
    loaded: (target) => gates.of(target).loaded(),
    breakers: gates.breakers,
    sweep: gates.sweep,
    close: gates.close,
  }
}

function createLoads({ endpoints, retryBudgetPercent }: AdmissionOptions, clock: Clock): Desk['loadOf'] {
  const loads = new Map<string, EndpointLoad>()
  return (name) => {
    const limits = endpoints.find((endpoint) => endpoint.name === name) ?? { name, order: 0, maxInFlight: 0 }
    const load = loads.get(name) ?? createEndpointLoad(limits, { clock, retryBudgetPercent })
    loads.set(name, load)
    return load
  }
}

function readyInMs(desk: Desk, { targets, isRetry }: Candidates): number {
  return Math.min(...targets.map((target) => waitOf(desk, target, isRetry)))
}

function waitOf({ gates, loadOf }: Desk, target: Target, isRetry: boolean): number {
  return Math.max(gates.of(target).readyInMs(), isRetry ? loadOf(target.endpoint).retryInMs() : 0)
}

function admit(desk: Desk, { targets, isRetry }: Candidates): Permit | NoPermit {
  const ready = targets.filter((target) => waitOf(desk, target, isRetry) === 0)
  for (const target of targets) if (!ready.includes(target)) desk.gates.of(target).refused()
  const preferred = ready.some(({ endpoint }) => !desk.isAvoided(endpoint))
    ? ready.filter(({ endpoint }) => !desk.isAvoided(endpoint))
    : ready
  const loaded = preferred.map((target) => ({ target, load: desk.loadOf(target.endpoint) }))
  const order = loaded[0]?.load.order
  if (order === undefined) return 'closed'
  // a later endpoint is for when this one fails, not for when it is busy
  const free = loaded.filter(({ load }) => load.order === order && !load.isFull())
  const [best] = free.toSorted((a, b) => a.load.level() - b.load.level())
  if (best === undefined) return 'full'
  return permitFor(desk, { ...best, isRetry }) ?? 'closed'
}

function permitFor(
  { gates, unused }: Desk,
  { target, load, isRetry }: { readonly target: Target; readonly load: EndpointLoad; readonly isRetry: boolean },
): Permit | null {
  const pass = gates.of(target).admit()
  if (pass === null) return null
  const leave = load.enter(isRetry)
  const permit: Permit = {
    target,
    release: () => {
      leave()
      // of a permit that was used, the call says how it went
      if (unused.delete(permit)) pass.settle('neutral')
    },
  }
  unused.set(permit, pass)
  return permit
}

/** What an unused permit stands for; a call elsewhere gives it back. */
function passOf({ unused }: Desk, { endpoint, model }: Target, permit: Permit): BreakerPass | null {
  const pass = unused.get(permit)
  if (pass === undefined) return null
  unused.delete(permit)
  if (permit.target.endpoint === endpoint && permit.target.model === model) return pass
  pass.settle('neutral')
  return null
}

async function whenAnyReady(desk: Desk, { targets, isRetry }: Candidates, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const decided = new AbortController()
  const about = { isRetry, signal: AbortSignal.any([signal, decided.signal]) }
  try {
    await Promise.race(targets.map((target) => whenReady(desk, target, about)))
  } finally {
    decided.abort()
  }
}

async function whenReady(
  { gates, loadOf, clock }: Desk,
  target: Target,
  { isRetry, signal }: { readonly isRetry: boolean; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    await gates.of(target).whenReady(signal)
    const waitMs = isRetry ? loadOf(target.endpoint).retryInMs() : 0
    if (waitMs === 0) return
    await pause(waitMs, { clock, signal })
  }
}
