import { AppError } from '../errors.ts'

/** The right to hold one stream open. */
export interface StreamSeat {
  /** Calls back once when the server leaves; at once when it has left already. */
  onCut(cut: () => void): void
  /** Gives the seat back; idempotent. */
  release(): void
}

export interface StreamGate {
  /** Throws `overloaded` when as many streams are open as may be, `rate-limited` when as many of this holder are. */
  enter(holder: string): StreamSeat
  /** Streams open now, those that are being held included. */
  open(): number
  /** Breaks off every stream, and every later one. */
  cutAll(): void
}

/** Counts the open streams, and reaches them all when the server leaves. */
export function createStreamGate(
  parts: { readonly leaving: AbortSignal },
  options: { readonly maxSseConnections: number; readonly maxStreamsPerKey: number },
): StreamGate {
  const cuts = new Map<StreamSeat, (() => void) | null>()
  const held = new Map<string, number>()
  let left = false

  const cutAll = () => {
    left = true
    for (const cut of cuts.values()) cut?.()
  }
  if (parts.leaving.aborted) left = true
  else parts.leaving.addEventListener('abort', cutAll, { once: true })

  const refuseTooMany = (holder: string) => {
    const { maxStreamsPerKey } = options
    if (maxStreamsPerKey === 0 || (held.get(holder) ?? 0) < maxStreamsPerKey) return
    const message = `You have as many event streams open as you may: ${maxStreamsPerKey} (MAX_SSE_CONNECTIONS_PER_KEY).`
    throw new AppError('rate-limited', message)
  }
  const count = (holder: string, by: 1 | -1) => {
    const now = (held.get(holder) ?? 0) + by
    if (now === 0) held.delete(holder)
    else held.set(holder, now)
  }

  return {
    enter(holder) {
      refuseTooMany(holder)
      if (cuts.size >= options.maxSseConnections) {
        throw new AppError('overloaded', 'As many event streams are open as this server allows; try again soon.')
      }
      const seat: StreamSeat = {
        onCut(cut) {
          if (left) cut()
          else cuts.set(seat, cut)
        },
        release: () => void (cuts.delete(seat) && count(holder, -1)),
      }
      cuts.set(seat, null)
      count(holder, 1)
      return seat
    },
    open: () => cuts.size,
    cutAll,
  }
}
