import type { Registry } from 'prom-client'
import type { LlmStatus } from '../llm/model.ts'
import type { DatabaseFigures } from '../storage/database-figures.ts'
import { addDatabaseGauges } from './database-gauges.ts'
import { type AddGauge, createGaugeAdder, tryToRead } from './gauge-adder.ts'
import type { KnownLabels } from './known-labels.ts'

/** Where gauges are read from, each time somebody asks for them. Called synchronously; must be cheap. */
export interface GaugeSources {
  readonly llm: () => LlmStatus
  /** Workflows that wait for a replica, as last counted, and the creation time of the oldest (ms since the epoch). */
  readonly queue: () => { readonly queued: number; readonly oldestCreatedAt: number | null }
  /** Tasks that agents of this replica work on now. */
  readonly busyAgents: () => number
  /** Workflows that this replica holds. */
  readonly heldWorkflows: () => number
  /** This replica would say so at `/readyz`. */
  readonly ready: () => boolean
  readonly database: () => DatabaseFigures
  /** Milliseconds since the epoch, by the clock of `oldestCreatedAt`. */
  readonly now: () => number
}

const breakerLevels = { closed: 0, half_open: 1, open: 2 } as const

/** Registers gauges for everything that has a current value. A source that throws leaves its gauges empty. */
export function registerServiceGauges(
  registry: Registry,
  parts: { readonly sources: GaugeSources; readonly models: KnownLabels; readonly version: string },
): void {
  const { sources, models, version } = parts
  const add = createGaugeAdder(registry)
  add({
    name: 'build_info',
    help: 'The version that runs.',
    labelNames: ['version'],
    read: (set) => set({ version }, 1),
  })
  add({
    name: 'service_ready',
    help: 'This replica takes work: 1 as /readyz says 200, 0 while it starts, drains, or is without its database.',
    read: (set) => set({}, sources.ready() ? 1 : 0),
  })
  addModelGauges(add, sources, models)
  addWorkGauges(add, sources)
  addDatabaseGauges(add, sources.database)
}

function addModelGauges(add: AddGauge, { llm }: GaugeSources, models: KnownLabels): void {
  add({
    name: 'llm_pool_clients',
    help: 'Pooled clients of model servers.',
    read: (set) => set({}, llm().activeClients),
  })
  add({
    name: 'llm_inflight_requests',
    help: 'Requests that model servers are answering now.',
    labelNames: ['endpoint'],
    read: (set) => {
      for (const { name, inFlight } of llm().endpoints) set({ endpoint: name }, inFlight)
    },
  })
  add({
    name: 'llm_endpoint_latency_seconds',
    help: 'Mean duration of the latest successful requests; absent before any.',
    labelNames: ['endpoint'],
    read: (set) => {
      for (const { name, latencyMs } of llm().endpoints) {
        if (latencyMs !== null) set({ endpoint: name }, latencyMs / 1_000)
      }
    },
  })
  add({
    name: 'llm_endpoint_up',
    help: 'The last check of the model server: 1 it answered, 0 it did not; absent before the first.',
    labelNames: ['endpoint'],
    read: (set) => {
      for (const { name, reachable } of llm().endpoints) {
        if (reachable !== null) set({ endpoint: name }, reachable ? 1 : 0)
      }
    },
  })
  add({
    name: 'llm_circuit_breaker_state',
    help: 'Circuit breakers: 0 closed, 1 half-open, 2 open.',
    labelNames: ['endpoint', 'model'],
    read: (set) => {
      for (const { endpoint, model, level } of worstBreakers(llm(), models)) set({ endpoint, model }, level)
    },
  })
}

function addWorkGauges(add: AddGauge, sources: GaugeSources): void {
  add({
    name: 'workflow_queue_depth',
    help: 'Workflows that wait for a replica, on all replicas together; each one tells the same.',
    read: (set) => set({}, sources.queue().queued),
  })
  add({
    name: 'workflow_queue_oldest_age_seconds',
    help: 'Time since the creation of the workflow that waits longest; 0 when none does.',
    read: (set) => set({}, oldestAgeSeconds(sources)),
  })
  add({
    name: 'workflows_held',
    help: 'Workflows that this replica holds.',
    read: (set) => set({}, sources.heldWorkflows()),
  })
  add({
    name: 'agents_busy',
    help: 'Tasks that agents of this replica work on.',
    read: (set) => set({}, sources.busyAgents()),
  })
}

/** The same figures for the JSON view. */
export function readGauges(sources: GaugeSources, openStreams: number): Record<string, number> {
  const gauges: Record<string, number> = {
    'llm.active_clients': 0,
    'llm.in_flight': 0,
    'workflow.queued': 0,
    'workflow.queue.oldest_age_seconds': 0,
    'workflow.held': 0,
    'agent.busy': 0,
    'sse.connections': openStreams,
  }
  const read = (name: string, value: () => number): void => tryToRead(() => (gauges[name] = value()))
  read('llm.active_clients', () => sources.llm().activeClients)
  read('llm.in_flight', () => sources.llm().endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0))
  read('workflow.queued', () => sources.queue().queued)
  read('workflow.queue.oldest_age_seconds', () => oldestAgeSeconds(sources))
  read('workflow.held', sources.heldWorkflows)
  read('agent.busy', sources.busyAgents)
  return gauges
}

function oldestAgeSeconds({ queue, now }: GaugeSources): number {
  const { oldestCreatedAt } = queue()
  return oldestCreatedAt === null ? 0 : Math.max(0, now() - oldestCreatedAt) / 1_000
}

interface BreakerLevel {
  readonly endpoint: string
  readonly model: string
  readonly level: number
}

function worstBreakers({ breakers }: LlmStatus, models: KnownLabels): readonly BreakerLevel[] {
  const worst = new Map<string, BreakerLevel>()
  for (const { endpoint, model, state } of breakers) {
    const label = models.labelOf(model)
    const key = JSON.stringify([endpoint, label])
    const level = Math.max(breakerLevels[state], worst.get(key)?.level ?? 0)
    worst.set(key, { endpoint, model: label, level })
  }
  return [...worst.values()]
}
