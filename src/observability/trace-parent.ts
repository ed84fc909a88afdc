import { createHash, randomBytes } from 'node:crypto'
import type { SpanContext, SpanWriter } from './span.ts'

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const sampledFlag = 1

/** Reads a `traceparent` (W3C Trace Context, section 3.2); null: it is none. */
export function readTraceparent(text: string | null | undefined): SpanContext | null {
  const [, traceId, spanId, flags] = form.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 }
}

/** The `traceparent` of what is caused within a span. */
export function writeTraceparent({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** A span below `parent`, or the first of a trace of its own, under an id that nobody has. */
export function newSpanContext(writer: Pick<SpanWriter, 'samples'>, parent: SpanContext | null): SpanContext {
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
  return { traceId, spanId: randomBytes(8).toString('hex'), sampled: writer.samples(traceId, parent) }
}

/** A workflow, with the trace context that is stored with it. */
export interface TracedWorkflow {
  readonly id: string
  /** Of the request that started it. */
  readonly traceparent: string | null
}

/** The span of a workflow and its parent: the same on every replica and after every restart. */
export function workflowSpan(
  writer: Pick<SpanWriter, 'samples'>,
  { id, traceparent }: TracedWorkflow,
): { readonly context: SpanContext; readonly parent: SpanContext | null } {
  const parent = readTraceparent(traceparent)
  const traceId = parent?.traceId ?? derivedId(32, 'trace', id)
  const context = { traceId, spanId: derivedId(16, 'workflow', id), sampled: writer.samples(traceId, parent) }
  return { context, parent }
}

/** A span below that of a workflow which `names` name there: the same on every replica. */
export function spanWithin(
  writer: Pick<SpanWriter, 'samples'>,
  parent: SpanContext,
  names: readonly (string | number)[],
): SpanContext {
  const { traceId, spanId } = parent
  return { traceId, spanId: derivedId(16, spanId, ...names), sampled: writer.samples(traceId, parent) }
}

function derivedId(digits: number, ...names: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, digits)
}
