import type { SpanOptions } from '@opentelemetry/api'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { TraceSettings } from './otel-environment.ts'
import type { FinishedSpan, SpanContext, SpanWriter } from './span.ts'

export interface OtlpOptions {
  readonly settings: TraceSettings
  readonly version: string
  /** Tells what the replica is, beside what `OTEL_RESOURCE_ATTRIBUTES` says. */
  readonly instanceId: string
  /** Told whenever a batch has been sent (null), or could not be. */
  readonly onSent: (failure: Error | null) => void
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const

/** Sends spans in batches over OTLP/HTTP, to where `OTEL_EXPORTER_OTLP_*` says. Nothing global is touched. */
export function createOtlpSpans(options: OtlpOptions): SpanWriter {
  const { settings, version, onSent } = options
  const sampler = createSampler(settings)
  // Spans come here when they are over, under ids that were told long ago.
  let ids: SpanContext | null = null
  const idGenerator = {
    generateTraceId: () => ids?.traceId ?? '',
    generateSpanId: () => ids?.spanId ?? '',
  }
  const processor = new BatchSpanProcessor({ exporter: telling(new OTLPTraceExporter(), onSent), ...settings.batches })
  const provider = new TracerProvider({
    resource: describeService(options),
    sampler,
    idGenerator,
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('multi-agent-service', version)
  return {
    samples: (traceId, parent) =>
      sampler.shouldSample(contextOf(parent), traceId, '', SpanKind.INTERNAL, {}, []).decision ===
      SamplingDecision.RECORD_AND_SAMPLED,
    write(span) {
      if (!span.context.sampled) return
      ids = span.context
      const written = tracer.startSpan(span.name, spanOptions(span), contextOf(span.parent))
      if (span.error !== null) written.setStatus({ code: SpanStatusCode.ERROR })
      written.end(Math.max(span.startedAt, span.endedAt))
    },
    async close(timeoutMs) {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, timeoutMs)
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise])
      clearTimeout(timer)
    },
  }
}

function contextOf(parent: SpanContext | null) {
  if (parent === null) return ROOT_CONTEXT
  const { traceId, spanId, sampled } = parent
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

function spanOptions({ kind, startedAt, attributes }: FinishedSpan): SpanOptions {
  const given = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined)
  return { kind: kinds[kind], startTime: startedAt, attributes: Object.fromEntries(given) }
}

function createSampler({ sampler, ratio }: TraceSettings): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler()
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio)
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() })
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() })
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) })
    default:
      return sampler satisfies never
  }
}

function describeService({ settings, version, instanceId }: OtlpOptions) {
  const own = { 'service.name': 'multi-agent-service', 'service.version': version, 'service.instance.id': instanceId }
  const name = settings.serviceName === null ? {} : { 'service.name': settings.serviceName }
  return defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(name))
}

function telling(exporter: OTLPTraceExporter, onSent: OtlpOptions['onSent']): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        // A failure comes with its error.
        onSent(result.error ?? null)
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  }
}
