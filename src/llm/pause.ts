import type { Clock } from './clock.ts'

/** Resolves after `waitMs` of `clock`; rejects with the signal's reason. */
export function pause(
  waitMs: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const giveUp = (): void => {
      cancel()
      reject(signal.reason as Error)
    }
    const cancel = clock.after(waitMs, () => {
      signal.removeEventListener('abort', giveUp)
      resolve()
    })
    signal.addEventListener('abort', giveUp, { once: true })
  })
}
