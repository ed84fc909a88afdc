/** Where events come from, once somebody reads. */
export interface EventSource {
  /** The reader has taken everything and waits for the next event. */
  readonly wanted: () => void
  /** The reader leaves before the end. */
  readonly left: () => void
}

/** Where a source puts its events. */
export interface EventSink<Event> {
  /** Hands an event to the reader, or keeps it until the reader comes. */
  push(event: Event): void
  /**
   * Nothing follows. `conclude` runs when the reader has taken everything before: it may push the last events, and
   * what it throws the reader gets after them. Only the first end counts.
   */
  end(conclude: () => void): void
  /** Forgets what is kept, and an end that has not been reached: the reader gets `reason` instead. */
  fail(reason: unknown): void
  /** Runs `run` once, when the reader has taken everything and waits. */
  whenTaken(run: () => void): void
  /** Events that nobody has taken. */
  readonly kept: number
  /** The reader waits. */
  readonly isAwaited: boolean
}
