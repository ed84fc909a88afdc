import { Counter, type Registry } from 'prom-client'
import { createKnownLabels } from './known-labels.ts'

/** What the calls to models of one key have used. */
export interface KeySpending {
  readonly inputTokens: number
  readonly outputTokens: number
  /** null: the model has no price. */
  readonly costUsd: number | null
}

/** What each API key does. A key is '' where nobody has one; a name that is not configured any more counts as `other`. */
export interface KeyMetrics {
  /** A request or a stream. */
  asked(key: string): void
  limited(key: string): void
  started(key: string, kind: 'workflow' | 'task'): void
  spent(key: string, spending: KeySpending): void
}

/** Metrics by the names of the configured keys. */
export function createKeyMetrics(registry: Registry, names: readonly string[]): KeyMetrics {
  const known = createKnownLabels(['', ...names], names.length + 1)
  const { requests, limited, started, tokens, cost } = createInstruments(registry)
  const labels = (key: string) => ({ key: known.labelOf(key) })
  return {
    asked: (key) => requests.inc(labels(key)),
    limited: (key) => limited.inc(labels(key)),
    started: (key, kind) => started.inc({ ...labels(key), kind }),
    spent(key, { inputTokens, outputTokens, costUsd }) {
      tokens.inc({ ...labels(key), gen_ai_token_type: 'input' }, inputTokens)
      tokens.inc({ ...labels(key), gen_ai_token_type: 'output' }, outputTokens)
      if (costUsd !== null) cost.inc(labels(key), costUsd)
    },
  }
}

function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'api_key_requests_total',
      help: 'Requests that API keys made, streams included.',
      labelNames: ['key'],
      registers,
    }),
    limited: new Counter({
      name: 'api_key_rate_limited_total',
      help: 'Requests of API keys that were refused because there were too many.',
      labelNames: ['key'],
      registers,
    }),
    started: new Counter({
      name: 'api_key_workflows_started_total',
      help: 'Workflows and direct tasks that API keys started.',
      labelNames: ['key', 'kind'],
      registers,
    }),
    tokens: new Counter({
      name: 'api_key_tokens_total',
      help: 'Tokens that the workflows of API keys used, failed tries included.',
      labelNames: ['key', 'gen_ai_token_type'],
      registers,
    }),
    cost: new Counter({
      name: 'api_key_cost_usd_total',
      help: 'What the workflows of API keys cost, in US dollars, as far as models have a price.',
      labelNames: ['key'],
      registers,
    }),
  }
}
