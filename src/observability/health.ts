import type { HealthCheck, HealthReport } from '../http/app-parts.ts'
import type { LlmStatus } from '../llm/model.ts'

/** Whether a part can be used, and what there is to say about it. */
interface PartStatus {
  readonly ok: boolean
  readonly detail: string
}

export interface HealthParts {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly llm: () => LlmStatus
  readonly database: () => PartStatus
  readonly queue: () => PartStatus
  /** 0–1: a success rate at or below it is degraded. */
  readonly minSuccessRate: number
  readonly now?: () => number
}

/**
 * The body of `GET /health`. `unhealthy` without database or queue; `degraded` when the success rate is low, an open
 * breaker has hurt somebody in the last 5 minutes, or the last check of a model server failed.
 */
export function createHealth(parts: HealthParts): () => HealthReport {
  const { version, startedAt, minSuccessRate, now = Date.now } = parts
  return () => {
    const llm = parts.llm()
    const faults = llmFaults(llm, minSuccessRate)
    const database = partCheck(parts.database())
    const queue = partCheck(parts.queue())
    const isUsable = database.status === 'ok' && queue.status === 'ok'
    return {
      status: isUsable ? (faults.length === 0 ? 'healthy' : 'degraded') : 'unhealthy',
      version,
      uptime_seconds: Math.max(0, Math.round((now() - startedAt) / 100) / 10),
      active_clients: llm.activeClients,
      success_rate: llm.successRate,
      request_count: llm.requestCount,
      checks: { database, queue, llm: llmCheck(faults, llm) },
    }
  }
}

function partCheck({ ok, detail }: PartStatus): HealthCheck {
  const status = ok ? 'ok' : 'failed'
  return detail === '' ? { status } : { status, detail }
}

function llmCheck(faults: readonly string[], { endpoints }: LlmStatus): HealthCheck {
  const detail = [...faults, ...endpoints.filter(({ requests }) => requests > 0).map(figuresOf)].join(' ')
  const status = faults.length === 0 ? 'ok' : 'degraded'
  return detail === '' ? { status } : { status, detail }
}

function figuresOf({ name, requests, failures, inFlight, latencyMs }: LlmStatus['endpoints'][number]): string {
  const latency = latencyMs === null ? '' : `, ${Math.round(latencyMs)} ms on average`
  return `${name}: ${requests} requests, ${failures} failed, ${inFlight} in flight${latency}.`
}

function llmFaults({ successRate, endpoints, breakers }: LlmStatus, minSuccessRate: number): readonly string[] {
  const lost = endpoints
    .filter(({ reachable }) => reachable === false)
    .map(({ name, detail }) => `The last check of model server ${name} failed: ${detail}`)
  const open = breakers
    .filter(({ hurting }) => hurting)
    .map(({ endpoint, state, retryInMs }) => `${stateText(state)} for model server ${endpoint}${nextTry(retryInMs)}.`)
  const isLow = successRate !== null && successRate <= minSuccessRate
  const low = isLow ? [`Only ${Math.floor(successRate * 100)} % of the latest model calls succeeded.`] : []
  return [...lost, ...new Set(open), ...low]
}

function stateText(state: LlmStatus['breakers'][number]['state']): string {
  return state === 'half_open' ? 'Circuit breaker is HALF_OPEN' : `Circuit breaker is ${state.toUpperCase()}`
}

function nextTry(retryInMs: number | null): string {
  return retryInMs === null ? '' : `, next try in ${Math.ceil(retryInMs / 1_000)} s`
}
