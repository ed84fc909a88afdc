import { AppError } from '../errors.ts'

/** The right to hold one stream open. */
export interface StreamSeat {
  /** Calls back once when the server leaves; at once when it has left already. */
  onCut(cut: () => void): void
  /** Gives the seat back; idempotent. */
  release(): void
}

export interface StreamGate {
  /** Throws `overloaded` when as many streams are open as may be. */
  enter(): StreamSeat
  /** Streams open now, those that are being held included. */
  open(): number
  /** Breaks off every stream, and every later one. */
  cutAll(): void
}

/** Counts the open streams, and reaches them all when the server leaves. */
export function createStreamGate(
  parts: { readonly leaving: AbortSignal },
  options: { readonly maxSseConnections: number },
): StreamGate {
  const cuts = new Map<StreamSeat, (() => void) | null>()
  let left = false

  const cutAll = () => {
    left = true
    for (const cut of cuts.values()) cut?.()
  }
  if (parts.leaving.aborted) left = true
  else parts.leaving.addEventListener('abort', cutAll, { once: true })

  return {
    enter() {
      if (cuts.size >= options.maxSseConnections) {
        throw new AppError('overloaded', 'As many event streams are open as this server allows; try again soon.')
      }
      const seat: StreamSeat = {
        onCut(cut) {
          if (left) cut()
          else cuts.set(seat, cut)
        },
        release: () => void cuts.delete(seat),
      }
      cuts.set(seat, null)
      return seat
    },
    open: () => cuts.size,
    cutAll,
  }
}
