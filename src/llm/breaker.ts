import type { Clock } from './clock.ts'

export type BreakerState = 'closed' | 'half_open' | 'open'

export interface BreakerOptions {
  /** Failed calls in a row that open it. */
  readonly threshold: number
  /** How long it stays open. */
  readonly openMs: number
  /** Successes that close it again; also the most calls at once until then. */
  readonly halfOpen: number
}

/** `neutral` says nothing about the service: our own mistake, a rate limit, an abort. */
type CallVerdict = 'success' | 'failure' | 'neutral'

/** The right to make one call. */
export interface BreakerPass {
  /** A call lasts minutes: while half-open, its first token is its success. */
  readonly reachedFirstToken: () => void
  /** How the call ended; only the first verdict counts. */
  readonly settle: (verdict: CallVerdict) => void
}

/** CLOSED → OPEN after `threshold` failures in a row → HALF_OPEN after `openMs` → CLOSED after `halfOpen` successes. */
export interface Breaker {
  /** As of now: an open one whose time is over says `half_open`. */
  readonly state: () => BreakerState
  /** null: refused. */
  readonly admit: () => BreakerPass | null
  /** Whether `admit` would succeed. */
  readonly mayAdmit: () => boolean
  /** What is left of being open; 0 in other states. */
  readonly openForMs: () => number
}

interface BreakerParts {
  readonly clock: Clock
  /** Told every change of state, synchronously. */
  readonly changed: (state: BreakerState) => void
}

/** Closed, without a failure. */
export function createBreaker(options: BreakerOptions, parts: BreakerParts): Breaker {
  const core = createCore(options, parts)
  const mayAdmit = (): boolean => {
    const state = core.refresh()
    return state === 'closed' || (state === 'half_open' && core.memory.trials < options.halfOpen)
  }
  return {
    state: core.refresh,
    mayAdmit,
    admit: () => {
      if (!mayAdmit()) return null
      const trial = core.memory.state === 'half_open'
      if (trial) core.memory.trials += 1
      return createPass(core, trial)
    },
    openForMs: () => (core.refresh() === 'open' ? Math.max(0, core.memory.openUntil - parts.clock.now()) : 0),
  }
}

interface Core {
  readonly memory: {
    state: BreakerState
    failures: number
    successes: number
    /** Calls that run while half-open. */
    trials: number
    openUntil: number
    /** How often it opened: tells calls that began before from those that matter now. */
    openings: number
  }
  readonly refresh: () => BreakerState
  readonly succeed: () => void
  readonly fail: () => void
}

function createCore({ threshold, openMs, halfOpen }: BreakerOptions, { clock, changed }: BreakerParts): Core {
  const memory: Core['memory'] = { state: 'closed', failures: 0, successes: 0, trials: 0, openUntil: 0, openings: 0 }
  const change = (state: BreakerState): void => {
    Object.assign(memory, { state, failures: 0, successes: 0, trials: 0 })
    if (state === 'open') Object.assign(memory, { openings: memory.openings + 1, openUntil: clock.now() + openMs })
    changed(state)
  }
  return {
    memory,
    refresh: () => {
      if (memory.state === 'open' && clock.now() >= memory.openUntil) change('half_open')
      return memory.state
    },
    succeed: () => {
      if (memory.state === 'closed') memory.failures = 0
      if (memory.state !== 'half_open') return
      memory.successes += 1
      if (memory.successes >= halfOpen) change('closed')
    },
    fail: () => {
      memory.failures += 1
      if (memory.state === 'half_open' || memory.failures >= threshold) change('open')
    },
  }
}

function createPass({ memory, succeed, fail }: Core, trial: boolean): BreakerPass {
  const opening = memory.openings
  let credited = false
  let settled = false
  const counts = (): boolean => opening === memory.openings
  return {
    reachedFirstToken: () => {
      if (!trial || credited || settled || !counts()) return
      credited = true
      succeed()
    },
    settle: (verdict) => {
      if (settled) return
      settled = true
      if (!counts()) return
      const onTrial = trial && memory.state === 'half_open'
      if (onTrial) memory.trials -= 1
      if (verdict === 'failure') fail()
      if (verdict === 'success' && !(onTrial && credited)) succeed()
    },
  }
}
