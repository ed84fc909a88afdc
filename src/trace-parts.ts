import type { RequestTracer } from './http/app-parts.ts'
import type { LlmEvent, Model } from './llm/model.ts'
import type { Log } from './observability/log.ts'
import { neverThrowing } from './observability/never-throwing.ts'
import type { SpanWriter } from './observability/span.ts'
import { observeCalls, traceCalls } from './observability/trace-calls.ts'
import { traceRequests } from './observability/trace-requests.ts'
import { traceWorkflows } from './observability/trace-workflows.ts'
import type { Storage } from './storage/create-storage.ts'
import type { ChangeObserver } from './workflows/publish-change.ts'

/** How the parts of the service are traced: from outside. */
export interface Traces {
  /** The model as it is to be called. */
  readonly model: Model
  /** Tells traces of every call besides whom it is told to anyway. */
  besides(observe: (event: LlmEvent) => void): (event: LlmEvent) => void
  readonly observers: { readonly observeChange?: ChangeObserver }
  readonly edge: { readonly tracer?: RequestTracer }
  /** Resolves when the spans of all that has ended are written. */
  settled(): Promise<void>
}

export interface TracesParts {
  readonly tracing: SpanWriter
  readonly log: Log
  readonly storage: Pick<Storage, 'store' | 'clock'>
  readonly model: Model
  readonly urlOf: (endpoint: string) => string | undefined
}

/** Workflows with more events than these, which nobody has seen yet, count as never revived. */
const mostEvents = 10_000

/** Joins the observers of traces. */
export function createTraces({ tracing: writer, log, storage, model, urlOf }: TracesParts): Traces {
  const logger = log.logger('observability.tracing')
  const now = () => storage.clock.now()
  const eventsOf = async (id: string) => (await storage.store.eventsAfter(id, 0, mostEvents))?.events ?? []
  const observeCall = neverThrowing(logger, observeCalls({ writer, now, urlOf }))
  const workflows = traceWorkflows({ writer, eventsOf })
  return {
    model: traceCalls(model, writer),
    besides: (observe) => (event) => {
      observe(event)
      observeCall(event)
    },
    observers: { observeChange: neverThrowing(logger, workflows.observe) },
    edge: { tracer: traceRequests(writer, now) },
    settled: () => workflows.settled(),
  }
}
