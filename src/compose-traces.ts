import type { Log } from './observability/log.ts'
import type { SpanWriter } from './observability/span.ts'
import type { Traces, TracesParts } from './trace-parts.ts'

/** How the service is traced; without somewhere to send spans not at all, and nothing of it is even loaded. */
export async function composeTraces(
  { tracing = null, log }: { readonly tracing?: SpanWriter | null; readonly log: Log },
  parts: Pick<TracesParts, 'storage' | 'model' | 'urlOf'>,
): Promise<Traces> {
  if (tracing === null) {
    return {
      model: parts.model,
      besides: (observe) => observe,
      observers: {},
      edge: {},
      settled: async () => undefined,
    }
  }
  const { createTraces } = await import('./trace-parts.ts')
  return createTraces({ ...parts, tracing, log })
}
