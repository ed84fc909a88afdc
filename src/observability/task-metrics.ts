import { Counter, Histogram, type Registry } from 'prom-client'
import type { CommittedEvent, LifecycleEvent, LifecycleType } from '../workflows/events.ts'
import { failureCodeOf, numberOf } from './event-data.ts'
import type { KnownLabels } from './known-labels.ts'
import type { JsonMetrics } from './metrics-json.ts'
import { createTaskTimes } from './task-times.ts'

const durationBuckets = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6]

// why a step begins a new attempt without any fault of a model server
const otherReasons = new Set(['worker_lost', 'shutdown', 'task_timeout', 'internal'])

const ends: Partial<Record<LifecycleType, string>> = {
  'step.completed': 'completed',
  'step.incomplete': 'incomplete',
  'step.failed': 'failed',
  'step.cancelled': 'cancelled',
}

/** Metrics of the tasks that agents do: steps of workflows and direct ones. A retry is the same task going on. */
export function createTaskMetrics(
  registry: Registry,
  parts: { readonly json: JsonMetrics; readonly roles: KnownLabels },
): (committed: CommittedEvent) => void {
  const { json, roles } = parts
  const { started, ended, durations, retries } = createInstruments(registry)
  const times = createTaskTimes()
  // as workflows: what has not happened yet is 0
  for (const role of roles.known()) {
    started.inc({ role }, 0)
    for (const status of Object.values(ends)) ended.inc({ role, status }, 0)
  }

  const observeStart = (role: string): void => {
    started.inc({ role })
    json.count('agent.task.start')
  }
  const observeRetry = (event: LifecycleEvent): void => {
    const reason = failureCodeOf(event.data) ?? 'internal'
    if (otherReasons.has(reason)) return
    retries.inc({ reason })
    json.count('llm.retry')
  }
  const observeEnd = (status: string, role: string, committed: CommittedEvent): void => {
    ended.inc({ role, status })
    if (status === 'completed') json.count('agent.task.complete')
    else if (status !== 'cancelled') json.count('agent.task.error')
    const seenMs = times.ended(committed)
    const durationMs = numberOf(committed.event.data, 'duration_ms') ?? seenMs
    if (durationMs === null) return
    const error = failureCodeOf(committed.event.data)
    const labels = { gen_ai_operation_name: 'invoke_agent', gen_ai_agent_name: role }
    durations.observe(error === null ? labels : { ...labels, error_type: error }, durationMs / 1_000)
    json.measure('agent.task.duration_ms', durationMs)
  }

  return (committed) => {
    const { step, event } = committed
    if (step === null) return
    const role = roles.labelOf(step.role)
    if (event.type === 'step.started' && times.started(committed)) observeStart(role)
    if (event.type === 'step.retrying') observeRetry(event)
    const status = ends[event.type]
    const wasBegun = (event.attempt ?? 0) > 0
    if (status !== undefined && wasBegun) observeEnd(status, role, committed)
  }
}

function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    started: new Counter({
      name: 'agent_tasks_started_total',
      help: 'Tasks that agents began.',
      labelNames: ['role'],
      registers,
    }),
    ended: new Counter({
      name: 'agent_tasks_total',
      help: 'Tasks of agents that ended, by status.',
      labelNames: ['role', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'gen_ai_invoke_agent_duration_seconds',
      help: 'Time that agents worked on tasks.',
      labelNames: ['gen_ai_operation_name', 'gen_ai_agent_name', 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
    retries: new Counter({
      name: 'llm_retries_total',
      help: 'Failed tries at model servers after which another one was made, by error code.',
      labelNames: ['reason'],
      registers,
    }),
  }
}
