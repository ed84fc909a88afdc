import type { Clock } from './clock.ts'
import { callFailure } from './failures.ts'

/** Limits of one call, in milliseconds. */
export interface CallLimits {
  /** 0: only `callTimeoutMs` bounds it. */
  readonly firstTokenTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly callTimeoutMs: number
}

/** Watches over one call; whatever ends it early aborts `signal`. */
export interface CallDeadlines {
  /** Aborted by a deadline (with an `llm_timeout`), by the caller or by `abort`. */
  readonly signal: AbortSignal
  /** A token has come. */
  readonly progressed: () => void
  /** The caller has taken everything and waits from now on: what it did until then is not the server's time. */
  readonly callerWaits: () => void
  /** The answer is complete: only a moment more for what may follow it. */
  answered(): void
  abort(reason: Error): void
  /** Stops watching. */
  clear(): void
}

const afterAnswerMs = 2_000

/** Starts the deadlines of one call now. A plain answer has no first token and no pauses. */
export function startCallDeadlines(
  limits: CallLimits,
  parts: {
    readonly clock: Clock
    readonly endpoint: string
    readonly caller: AbortSignal
    readonly streaming: boolean
    /** While the caller works on what it got, no token can be missing. */
    readonly isCallerBusy: () => boolean
  },
): CallDeadlines {
  const { clock, caller, endpoint, streaming, isCallerBusy } = parts
  const { callTimeoutMs, firstTokenTimeoutMs, idleTimeoutMs } = limits
  const controller = new AbortController()
  const abort = (reason: unknown): void => controller.abort(reason)
  const expire = (message: string) => (): void =>
    abort(callFailure('llm_timeout', message, { retryable: true, endpoint }))
  const onCallerAbort = (): void => abort(caller.reason)
  caller.addEventListener('abort', onCallerAbort, { once: true })

  const tooLong = `The call took longer than ${seconds(callTimeoutMs)} (LLM_TIMEOUT).`
  const noStart = `No first token for ${seconds(firstTokenTimeoutMs)} (LLM_FIRST_TOKEN_TIMEOUT).`
  const silent = expire(`No token for ${seconds(idleTimeoutMs)} (LLM_IDLE_TIMEOUT).`)
  const cancelWhole = clock.after(callTimeoutMs, expire(tooLong))
  let cancelWait = streaming && firstTokenTimeoutMs > 0 ? clock.after(firstTokenTimeoutMs, expire(noStart)) : null
  const idle = createIdleWatch(idleTimeoutMs, { clock, silent, isCallerBusy })
  let watching = false

  return {
    signal: controller.signal,
    progressed: () => {
      idle.progressed()
      if (watching || !streaming) return
      watching = true
      cancelWait?.()
      cancelWait = idle.start()
    },
    callerWaits: idle.progressed,
    answered: () => {
      watching = true
      cancelWait?.()
      cancelWait = clock.after(Math.min(idleTimeoutMs, afterAnswerMs), silent)
    },
    abort,
    clear: () => {
      cancelWhole()
      cancelWait?.()
      caller.removeEventListener('abort', onCallerAbort)
    },
  }
}

interface IdleWatch {
  /** The result ends the watch. */
  readonly start: () => () => void
  readonly progressed: () => void
}

// one timer that looks again, instead of a new one for each token
function createIdleWatch(
  idleMs: number,
  parts: { readonly clock: Clock; readonly silent: () => void; readonly isCallerBusy: () => boolean },
): IdleWatch {
  const { clock, silent, isCallerBusy } = parts
  let lastAt = 0
  let cancel: (() => void) | null = null
  const look = (): void => {
    const leftMs = isCallerBusy() ? idleMs : lastAt + idleMs - clock.now()
    if (leftMs > 0) cancel = clock.after(leftMs, look)
    else silent()
  }
  return {
    start: () => {
      look()
      return () => cancel?.()
    },
    progressed: () => {
      lastAt = clock.now()
    },
  }
}

function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(3))} s`
}
