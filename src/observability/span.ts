/** Where a span stands in its trace. */
export interface SpanContext {
  /** 32 digits in lower-case hex. */
  readonly traceId: string
  /** 16 digits in lower-case hex. */
  readonly spanId: string
  readonly sampled: boolean
}

/** A span that is over. */
export interface FinishedSpan {
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  readonly context: SpanContext
  readonly parent: SpanContext | null
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Milliseconds since the epoch. */
  readonly endedAt: number
  /** What is undefined or null is left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>
  /** Code of the failure that it ended with; null: none. */
  readonly error: string | null
}

/** Where spans go. No method throws or waits. */
export interface SpanWriter {
  /** Whether spans below `parent`, or without one in the trace, are recorded: the same on every replica. */
  samples(traceId: string, parent: SpanContext | null): boolean
  write(span: FinishedSpan): void
  /** Sends what is left, at the latest after `timeoutMs`. Never rejects. */
  close(timeoutMs: number): Promise<void>
}
