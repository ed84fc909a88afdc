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
  /** Resolves as soon as `admit` may succeed; rejects with the signal's reason. */
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
  let notBefore: (NotBefore & { readonly at: number }) | null = null
  let calls = 0
  let usedAt = clock.now()
  let hurtAt = Number.NEGATIVE_INFINITY
  let cancelTimer: (() => void) | null = null

  const breaker = createBreaker((state) => {
    if (state === 'open') hurtAt = clock.now()
    changed(state, state === 'open' ? breaker.openForMs() : null)
    arm()
  })
  const postponedForMs = (): number => Math.max(0, (notBefore?.at ?? 0) - clock.now())
  const timedWaitMs = (): number => Math.max(breaker.openForMs(), postponedForMs())
  const isReady = (): boolean => breaker.mayAdmit() && postponedForMs() === 0
  const wake = (): void => {
    if (isReady()) waiting.wake()
  }

  // looks again whenever time alone may have made it ready
  function arm(): void {
    cancelTimer?.()
    const waitMs = timedWaitMs()
    cancelTimer = waitMs > 0 ? clock.after(waitMs, arm) : null
    wake()
  }
  const noteUse = (refused: boolean): void => {
    usedAt = clock.now()
    if (refused && breaker.state() !== 'closed') hurtAt = usedAt
  }
  const settled = (): void => {
    calls -= 1
    noteUse(false)
    wake()
  }

  return {
    state: breaker.state,
    admit: () => {
      const pass = isReady() ? breaker.admit() : null
      noteUse(pass === null)
      if (pass === null) return null
      calls += 1
      return withAfterSettle(pass, settled)
    },
    refused: () => noteUse(true),
    readyInMs: () => timedWaitMs() || (breaker.mayAdmit() ? 0 : unknownWaitMs),
    whenReady: async (signal) => {
      signal.throwIfAborted()
      if (isReady()) return
      noteUse(true)
      await waiting.wait(signal)
    },
    postpone: (asked) => {
      const at = clock.now() + asked.waitMs
      if (at > (notBefore?.at ?? Number.NEGATIVE_INFINITY)) notBefore = { ...asked, at }
      arm()
    },
    loaded: () => {
      if (notBefore?.kind === 'loading') notBefore = null
      arm()
    },
    postponed: () => (postponedForMs() > 0 ? notBefore : null),
    hurtForMs: () => clock.now() - hurtAt,
    idleForMs: () => (calls > 0 || waiting.size() > 0 ? 0 : clock.now() - usedAt),
    close: () => cancelTimer?.(),
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
