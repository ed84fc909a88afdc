import type { Breaker, BreakerPass, BreakerState } from './breaker.ts'
import type { Clock } from './clock.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** Why a target must be left alone for a while: it said so itself. */
export interface NotBefore {
  readonly waitMs: number
  /** `loading` ends as soon as the model is there. */
  readonly kind: 'asked' | 'loading'
  readonly code: 'llm_rate_limited' | 'llm_error'
  readonly reason: string
}

/** The breaker and the not-before time of one target, and those who wait for them. */
export interface Gate {
  state(): BreakerState
  admit(): BreakerPass | null
  /** A call was kept out, or sent elsewhere, because `admit` would have refused it. */
  refused(): void
  /** 0 when `admit` may succeed now; about a second when only the end of another call can tell. */
  readyInMs(): number
  /** Resolves as soon as `admit` may succeed; rejects with the signal's reason while it may not. */
  whenReady(signal: AbortSignal): Promise<void>
  postpone(notBefore: NotBefore): void
  /** The model is loaded: no need to wait for that any more. */
  loaded(): void
  /** What the not-before time that still lies ahead stands for. */
  postponed(): NotBefore | null
  /** Since the open breaker last refused or failed a call. */
  hurtForMs(): number
  /** Since the last use; 0 while calls run or wait. */
  idleForMs(): number
  close(): void
}

const unknownWaitMs = 1_000

interface GateParts {
  readonly clock: Clock
  readonly createBreaker: (changed: (state: BreakerState) => void) => Breaker
  /** Told every change of the breaker, with the time until it lets a call try (null: it does). */
  readonly changed: (state: BreakerState, retryInMs: number | null) => void
}

/** Open to all. */
export function createGate({ clock, createBreaker, changed }: GateParts): Gate {
  const waiting = createWaitingRoom()
  const postponement = createPostponement(clock)
  const alarm = createAlarm(clock)
  let calls = 0
  let usedAt = clock.now()
  let hurtAt = Number.NEGATIVE_INFINITY

  const breaker = createBreaker((state) => {
    if (state === 'open') hurtAt = clock.now()
    changed(state, state === 'open' ? breaker.openForMs() : null)
    arm()
  })
  const timedWaitMs = (): number => Math.max(breaker.openForMs(), postponement.forMs())
  const isReady = (): boolean => breaker.mayAdmit() && postponement.forMs() === 0
  const wake = (): void => {
    if (isReady()) waiting.wake()
  }

  // looks again whenever time alone may have made it ready
  function arm(): void {
    alarm.set(timedWaitMs(), arm)
    wake()
  }
  const noteUse = (refused: boolean): void => {
    usedAt = clock.now()
    if (refused && breaker.state() !== 'closed') hurtAt = usedAt
  }

  return {
    state: breaker.state,
    admit: () => {
      const pass = isReady() ? breaker.admit() : null
      noteUse(pass === null)
      if (pass === null) return null
      calls += 1
      return withAfterSettle(pass, () => {
        calls -= 1
        noteUse(false)
        wake()
      })
    },
    refused: () => noteUse(true),
    readyInMs: () => timedWaitMs() || (breaker.mayAdmit() ? 0 : unknownWaitMs),
    whenReady: async (signal) => {
      if (isReady()) return
      // before the clock is looked at again: who is woken by that must be there
      const woken = waiting.wait(signal)
      noteUse(true)
      await woken
    },
    postpone: (asked) => {
      postponement.extend(asked)
      arm()
    },
    loaded: () => {
      postponement.endLoading()
      arm()
    },
    postponed: postponement.current,
    hurtForMs: () => clock.now() - hurtAt,
    idleForMs: () => (calls > 0 || waiting.size() > 0 ? 0 : clock.now() - usedAt),
    close: () => alarm.set(0, arm),
  }
}

/** The only timer of a gate; a time of 0 is none. */
function createAlarm(clock: Clock): { readonly set: (inMs: number, run: () => void) => void } {
  let cancel: (() => void) | null = null
  return {
    set: (inMs, run) => {
      cancel?.()
      cancel = inMs > 0 ? clock.after(inMs, run) : null
    },
  }
}

interface Postponement {
  /** The later of both holds. */
  readonly extend: (asked: NotBefore) => void
  readonly endLoading: () => void
  readonly forMs: () => number
  /** null when it is over. */
  readonly current: () => NotBefore | null
}

function createPostponement(clock: Clock): Postponement {
  let notBefore: (NotBefore & { readonly at: number }) | null = null
  const forMs = (): number => Math.max(0, (notBefore?.at ?? 0) - clock.now())
  return {
    forMs,
    extend: (asked) => {
      const at = clock.now() + asked.waitMs
      if (at > (notBefore?.at ?? Number.NEGATIVE_INFINITY)) notBefore = { ...asked, at }
    },
    endLoading: () => {
      if (notBefore?.kind === 'loading') notBefore = null
    },
    current: () => (forMs() > 0 ? notBefore : null),
  }
}

function withAfterSettle(pass: BreakerPass, afterwards: () => void): BreakerPass {
  let settled = false
  return {
    reachedFirstToken: pass.reachedFirstToken,
    settle: (verdict) => {
      if (settled) return
      settled = true
      pass.settle(verdict)
      afterwards()
    },
  }
}
