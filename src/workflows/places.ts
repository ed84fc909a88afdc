/** The right to run one task; to be given back. */
export interface Place {
  release(): void
}

/** Who asks for a place, and what for. */
export interface PlaceRequest<T> {
  readonly workflowId: string
  /** Higher first. */
  readonly priority: number
  /** Older first, milliseconds since the epoch. */
  readonly createdAt: number
  /** Begins the task, the moment that there is a place; null: it cannot be begun yet, and others go first. */
  readonly begin: () => T | null
}

/** Bounds the tasks that this replica runs at once. */
export interface Places {
  /**
   * Waits for its turn: priority, then the workflow with the fewest running tasks, then age. What could not be begun is
   * asked again each time that a place is given back. Rejects with the signal's reason.
   */
  acquire<T>(request: PlaceRequest<T>, signal: AbortSignal): Promise<{ readonly place: Place; readonly begun: T }>
  /** Places neither taken nor waited for. */
  free(): number
  /** Some wait, but only for more than the place that they have already: one more workflow would be next. */
  onlyMoreIsWanted(): boolean
  used(): number
}

interface Waiting {
  readonly request: Omit<PlaceRequest<unknown>, 'begin'>
  /** Takes the place if the task can be begun. */
  readonly admit: (take: (workflowId: string) => Place) => boolean
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

  const admitOne = (kept: Set<Waiting>): boolean => {
    for (const entry of [...waiting].toSorted(isBefore)) {
      if (kept.has(entry)) continue
      if (entry.admit(take)) return waiting.delete(entry)
      kept.add(entry)
    }
    return false
  }
  const admitNext = () => {
    const kept = new Set<Waiting>()
    // each place that is taken changes the order of the others
    while (used < max && admitOne(kept));
  }

  return {
    acquire: (request, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        const abort = () => {
          waiting.delete(entry)
          reject(signal.reason as Error)
        }
        const entry = waitingFor(request, (given) => {
          signal.removeEventListener('abort', abort)
          resolve(given)
        })
        signal.addEventListener('abort', abort, { once: true })
        waiting.add(entry)
        admitNext()
      }),
    free: () => Math.max(0, max - used - waiting.size),
    onlyMoreIsWanted: () => waiting.size > 0 && [...waiting].every(({ request }) => load(request.workflowId) > 0),
    used: () => used,
  }
}

function waitingFor<T>(request: PlaceRequest<T>, give: (given: { place: Place; begun: T }) => void): Waiting {
  return {
    request,
    admit(take) {
      const begun = request.begin()
      if (begun === null) return false
      give({ place: take(request.workflowId), begun })
      return true
    },
  }
}
