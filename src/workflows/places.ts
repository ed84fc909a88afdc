/** The right to run one task; to be given back. */
export interface Place {
  release(): void
}

/** Who asks for a place. */
export interface PlaceRequest {
  readonly workflowId: string
  /** Higher first. */
  readonly priority: number
  /** Older first, milliseconds since the epoch. */
  readonly createdAt: number
}

/** Bounds the tasks that this replica runs at once. */
export interface Places {
  /** Waits for its turn: priority, then the workflow with the fewest running tasks, then age. Rejects with the signal's reason. */
  acquire(request: PlaceRequest, signal: AbortSignal): Promise<Place>
  /** Places neither taken nor waited for. */
  free(): number
  used(): number
}

interface Waiting {
  readonly request: PlaceRequest
  readonly admit: (place: Place) => void
}

/** `onFreed` is told each time a place is given back. */
export function createPlaces(max: number, onFreed: () => void): Places {
  const running = new Map<string, number>()
  const waiting = new Set<Waiting>()
  let used = 0

  const load = (workflowId: string) => running.get(workflowId) ?? 0
  const isBefore = ({ request: a }: Waiting, { request: b }: Waiting) =>
    b.priority - a.priority || load(a.workflowId) - load(b.workflowId) || a.createdAt - b.createdAt

  const take = (workflowId: string): Place => {
    used += 1
    running.set(workflowId, load(workflowId) + 1)
    let released = false
    return {
      release() {
        if (released) return
        released = true
        used -= 1
        if (load(workflowId) === 1) running.delete(workflowId)
        else running.set(workflowId, load(workflowId) - 1)
        admitNext()
        onFreed()
      },
    }
  }

  const admitNext = () => {
    while (used < max && waiting.size > 0) {
      const [next] = [...waiting].toSorted(isBefore)
      if (next === undefined) return
      waiting.delete(next)
      next.admit(take(next.request.workflowId))
    }
  }

  return {
    acquire(request, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        const abort = () => {
          waiting.delete(entry)
          reject(signal.reason as Error)
        }
        const entry: Waiting = {
          request,
          admit(place) {
            signal.removeEventListener('abort', abort)
            resolve(place)
          },
        }
        signal.addEventListener('abort', abort, { once: true })
        waiting.add(entry)
        admitNext()
      })
    },
    free: () => Math.max(0, max - used - waiting.size),
    used: () => used,
  }
}
