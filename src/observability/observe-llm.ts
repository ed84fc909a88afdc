import type { LlmEvent } from '../llm/model.ts'
import { quotingCodes } from './event-data.ts'
import type { Log, Logger } from './log.ts'
import type { LogFields } from './log-line.ts'
import type { Metrics } from './metrics.ts'
import { neverThrowing } from './never-throwing.ts'

type Of<T extends LlmEvent['type']> = Extract<LlmEvent, { type: T }>

export interface LlmObserverParts {
  readonly log: Log
  /** null: nothing is measured. */
  readonly metrics: Metrics | null
  /** Base URL of an endpoint, for messages; its name where there is none. */
  readonly urlOf: (endpoint: string) => string | undefined
}

/** Logs and measures what happens at the model servers. Never throws. */
export function observeLlm({ log, metrics, urlOf }: LlmObserverParts): (event: LlmEvent) => void {
  const logger = log.logger('llm.client')
  const logCheck = createCheckLog(log.logger('llm.pool'), urlOf)
  const logEvent = (event: LlmEvent): void => {
    switch (event.type) {
      case 'llm.call_started':
        return logger.debug('Model call started', { endpoint: event.endpoint, model: event.model })
      case 'llm.call_ended':
        return logCall(logger, event)
      case 'llm.breaker_changed':
        return logBreaker(log.logger('llm.breaker'), event)
      case 'llm.endpoint_checked':
        return logCheck(event)
      default:
        return event satisfies never
    }
  }
  return neverThrowing(logger, (event) => {
    logEvent(event)
    metrics?.recordLlm(event)
  })
}

// others answer in their stead, if there are others: nobody would notice
const needsOperator: ReadonlySet<string> = new Set(['llm_unauthorized', 'quota_exhausted'])

function logCall(logger: Logger, event: Of<'llm.call_ended'>): void {
  const { outcome, usage, durationMs, endpoint, model, firstTokenMs, status } = event
  const about: LogFields = {
    durationMs,
    endpoint,
    model,
    firstTokenMs: firstTokenMs === null ? null : Math.round(firstTokenMs),
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    estimated: usage?.estimated === true ? true : null,
  }
  if (outcome === 'success') return logger.info('Model call completed', about)
  if (outcome === 'aborted') return logger.info('Model call aborted', about)
  const reason = quotingCodes.has(outcome) ? outcome : (event.message ?? 'no reason was given')
  const failed = { ...about, errorCode: outcome, status }
  if (!needsOperator.has(outcome)) return logger.warning(`Model call failed: ${reason}`, failed)
  logger.error(`Model call refused by endpoint ${endpoint}, which only its operator can mend: ${reason}`, failed)
}

function logBreaker(logger: Logger, { endpoint, model, state, retryInMs }: Of<'llm.breaker_changed'>): void {
  const about = { endpoint, model }
  if (state === 'closed') return logger.info('Circuit breaker is CLOSED: the model server works again.', about)
  if (state === 'half_open') return logger.info('Circuit breaker is HALF_OPEN: a few calls are let through.', about)
  const wait = retryInMs === null ? '' : `, next try in ${Math.ceil(retryInMs / 1_000)} s`
  logger.warning(`Circuit breaker is OPEN for ${endpoint}${wait}`, { ...about, errorCode: 'circuit_open' })
}

function createCheckLog(logger: Logger, urlOf: LlmObserverParts['urlOf']): (event: Of<'llm.endpoint_checked'>) => void {
  const lastOk = new Map<string, boolean>()
  return ({ endpoint, ok, detail, models }) => {
    const before = lastOk.get(endpoint)
    if (before === ok) return
    lastOk.set(endpoint, ok)
    const server = `Model server ${urlOf(endpoint) ?? endpoint}`
    if (!ok) {
      const reason = detail.replace(/\.$/, '')
      logger.warning(`${server} cannot be reached: ${reason}. Workflows wait and retry until it answers.`, { endpoint })
    } else {
      const text = before === undefined ? 'answers.' : 'answers again.'
      logger.info(`${server} ${text}`, { endpoint, models: models.slice(0, 10) })
    }
  }
}
