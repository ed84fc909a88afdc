import { AsyncLocalStorage } from 'node:async_hooks'

/** The ids that every log line and upstream call of one piece of work carries. */
export interface TraceIds {
  readonly correlationId?: string
  readonly workflowId?: string
  readonly taskId?: string
  /** Role of the agent at work. */
  readonly agentId?: string
  /** Number of the attempt that the agent makes. */
  readonly attempt?: number
  /** W3C trace context of the request that started the work. */
  readonly traceparent?: string
  /** W3C trace context of the one call that is being made; without it the upstream is told `traceparent`. */
  readonly callTraceparent?: string
}

/** Travels with the asynchronous flow, so that no function passes ids along just to have them logged. */
export const traceContext = new AsyncLocalStorage<TraceIds>()

/** Runs `work` with `ids` added to those that are already known. */
export function withTraceIds<T>(ids: TraceIds, work: () => T): T {
  return traceContext.run({ ...traceContext.getStore(), ...ids }, work)
}
