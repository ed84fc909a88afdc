import { randomUUID } from 'node:crypto'
import type { Log } from './log.ts'
import type { Variables } from './otel-environment.ts'
import { readTraceSettings } from './otel-environment.ts'
import type { SpanWriter } from './span.ts'

export interface TracingOptions {
  /** `OTEL_*` variables that apply, those of `.env` too. */
  readonly variables: Variables
  readonly version: string
  readonly log: Log
}

/**
 * Starts sending traces if the `OTEL_*` variables say where to; null: they do not, and OpenTelemetry is not even loaded.
 * A collector that is away is one WARNING; it holds up nothing.
 */
export async function startTracing({ variables, version, log }: TracingOptions): Promise<SpanWriter | null> {
  const logger = log.logger('observability.tracing')
  const { settings, warnings } = readTraceSettings(variables)
  for (const warning of warnings) logger.warning(warning)
  if (settings === null) return null
  // OpenTelemetry's exporter looks at the environment itself, and knows no .env.
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value
  const { createOtlpSpans } = await import('./otlp-spans.ts')
  let failing = false
  const onSent = (failure: Error | null): void => {
    if (failing === (failure !== null)) return
    failing = failure !== null
    if (failure === null) return logger.info('Traces are taken again.')
    logger.warning(
      `Traces cannot be sent (OTEL_EXPORTER_OTLP_ENDPOINT): ${reasonOf(failure)}. They are lost meanwhile.`,
    )
  }
  return createOtlpSpans({ settings, version, instanceId: randomUUID(), onSent })
}

function reasonOf(failure: Error): string {
  const code: unknown = Reflect.get(failure, 'code')
  return typeof code === 'string' || typeof code === 'number' ? String(code) : failure.message || failure.name
}
