import { Counter, Histogram, type Registry } from 'prom-client'
import type { LlmEvent } from '../llm/model.ts'
import type { CostOf } from '../llm/prices.ts'
import { traceContext } from '../trace-context.ts'
import type { KnownLabels } from './known-labels.ts'
import type { JsonMetrics } from './metrics-json.ts'

type CallEnded = Extract<LlmEvent, { type: 'llm.call_ended' }>
type BreakerChanged = Extract<LlmEvent, { type: 'llm.breaker_changed' }>

// OpenTelemetry's, with three more for local models, whose calls last minutes
const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36,
]
const tokenBuckets = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
]
const callLabels = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const

export interface LlmMetrics {
  observe(event: LlmEvent): void
  /** A prompt was cut to fit the model's context. */
  promptCut(): void
}

export interface LlmMetricsParts {
  readonly json: JsonMetrics
  readonly models: KnownLabels
  readonly roles: KnownLabels
  readonly costOf: CostOf
}

/** Metrics of the calls to model servers. The role is that of the work in which an event is told. */
export function createLlmMetrics(registry: Registry, parts: LlmMetricsParts): LlmMetrics {
  const { json, models, roles } = parts
  const instruments = createInstruments(registry)
  const truncations = new Counter({
    name: 'llm_context_truncations_total',
    help: "Prompts that were cut to fit the model's context.",
    registers: [registry],
  })

  const costUsd = ({ model, usage }: CallEnded) => (usage === null ? null : parts.costOf(model, usage))
  const ended = (event: CallEnded): void => {
    const model = models.labelOf(event.model)
    const role = roles.labelOf(traceContext.getStore()?.agentId)
    instruments.requests.inc({ role, model, endpoint: event.endpoint, outcome: event.outcome })
    recordCall(instruments, event, model)
    recordUse(instruments, event, { role, model, costUsd: costUsd(event) })
    recordGuideNames(json, event)
  }
  const breakerOpened = ({ endpoint, model }: BreakerChanged): void => {
    instruments.opened.inc({ endpoint, model: models.labelOf(model) })
    json.count('llm.circuit_breaker.open')
  }
  return {
    observe: (event) => {
      if (event.type === 'llm.call_started') json.count('llm.request')
      else if (event.type === 'llm.call_ended') ended(event)
      else if (event.type === 'llm.endpoint_checked') models.learn(event.models)
      else if (event.state === 'open') breakerOpened(event)
    },
    promptCut: () => {
      truncations.inc()
      json.count('llm.context.truncation')
    },
  }
}

type Instruments = ReturnType<typeof createInstruments>

function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'llm_requests_total',
      help: 'Requests sent to model servers, by outcome: success, aborted, or an error code.',
      labelNames: ['role', 'model', 'endpoint', 'outcome'],
      registers,
    }),
    durations: new Histogram({
      name: 'gen_ai_client_operation_duration_seconds',
      help: 'Duration of requests to model servers.',
      labelNames: [...callLabels, 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
    firstChunks: new Histogram({
      name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
      help: 'Time to the first token of an answer.',
      labelNames: callLabels,
      buckets: durationBuckets,
      registers,
    }),
    tokens: new Histogram({
      name: 'gen_ai_client_token_usage',
      help: 'Tokens per request, as the model server reported them.',
      labelNames: [...callLabels, 'gen_ai_token_type'],
      buckets: tokenBuckets,
      registers,
    }),
    ...createUseCounters(registers),
    opened: new Counter({
      name: 'llm_circuit_breaker_opened_total',
      help: 'How often circuit breakers opened.',
      labelNames: ['endpoint', 'model'],
      registers,
    }),
  }
}

function createUseCounters(registers: Registry[]) {
  return {
    used: new Counter({
      name: 'llm_tokens_total',
      help: 'Tokens of all calls, failed ones too, by type: input or output; estimated where a server did not report them.',
      labelNames: ['role', 'model', 'type'],
      registers,
    }),
    cost: new Counter({
      name: 'llm_cost_usd_total',
      help: 'Cost of all calls in USD, by llm.prices; nothing for models without a price.',
      labelNames: ['role', 'model'],
      registers,
    }),
  }
}

function recordUse(
  { used, cost }: Instruments,
  { usage }: CallEnded,
  about: { readonly role: string; readonly model: string; readonly costUsd: number | null },
): void {
  const { costUsd, ...labels } = about
  if (usage === null) return
  used.inc({ ...labels, type: 'input' }, usage.inputTokens)
  used.inc({ ...labels, type: 'output' }, usage.outputTokens)
  if (costUsd !== null) cost.inc(labels, costUsd)
}

function recordCall({ durations, firstChunks, tokens }: Instruments, event: CallEnded, model: string): void {
  const { outcome, durationMs, firstTokenMs, usage } = event
  const labels = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: 'openai_compatible',
    gen_ai_request_model: model,
  }
  durations.observe(outcome === 'success' ? labels : { ...labels, error_type: outcome }, durationMs / 1_000)
  if (firstTokenMs !== null) firstChunks.observe(labels, firstTokenMs / 1_000)
  if (usage !== null && !usage.estimated) {
    tokens.observe({ ...labels, gen_ai_token_type: 'input' }, usage.inputTokens)
    tokens.observe({ ...labels, gen_ai_token_type: 'output' }, usage.outputTokens)
  }
}

function recordGuideNames(json: JsonMetrics, { outcome, durationMs }: CallEnded): void {
  json.measure('llm.request.duration_ms', durationMs)
  if (outcome === 'success') {
    json.count('llm.success')
    json.measure('llm.generation.duration_ms', durationMs)
  } else if (outcome !== 'aborted') {
    json.count('llm.error')
  }
  if (outcome === 'llm_timeout') json.count('llm.timeout')
}
