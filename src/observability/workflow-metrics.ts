import { Counter, Histogram, type Registry } from 'prom-client'
import type { CommittedEvent, LifecycleType } from '../workflows/events.ts'
import { failureCodeOf, numberOf } from './event-data.ts'
import type { KnownLabels } from './known-labels.ts'
import type { JsonMetrics } from './metrics-json.ts'

const durationBuckets = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200]

const ends: Partial<Record<LifecycleType, string>> = {
  'workflow.completed': 'completed',
  'workflow.failed': 'failed',
  'workflow.cancelled': 'cancelled',
}

/** Metrics of whole workflows. A direct task is none: it counts as a task of its agent. */
export function createWorkflowMetrics(
  registry: Registry,
  parts: { readonly json: JsonMetrics; readonly types: KnownLabels },
): (committed: CommittedEvent) => void {
  const { json, types } = parts
  const { started, ended, durations } = createInstruments(registry)
  // A counter that begins at 1 has not risen, for who looks at its rate: the first failure would not be seen.
  for (const type of types.known()) {
    started.inc({ type }, 0)
    for (const status of Object.values(ends)) ended.inc({ type, status }, 0)
  }

  const observeEnd = (type: string, status: string, data: CommittedEvent['event']['data']): void => {
    ended.inc({ type, status })
    if (status === 'completed') json.count('workflow.complete')
    if (status === 'failed') json.count('workflow.error')
    const durationMs = numberOf(data, 'duration_ms')
    if (durationMs === null) return
    const error = failureCodeOf(data)
    const labels = { gen_ai_operation_name: 'invoke_workflow', gen_ai_workflow_name: type }
    durations.observe(error === null ? labels : { ...labels, error_type: error }, durationMs / 1_000)
    json.measure('workflow.duration_ms', durationMs)
  }

  return ({ workflow, event }) => {
    if (workflow.kind !== 'workflow') return
    const type = types.labelOf(workflow.type)
    const status = ends[event.type]
    if (status !== undefined) observeEnd(type, status, event.data)
    if (event.type !== 'workflow.started') return
    started.inc({ type })
    json.count('workflow.start')
  }
}

function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    started: new Counter({
      name: 'workflows_started_total',
      help: 'Workflows that began to run.',
      labelNames: ['type'],
      registers,
    }),
    ended: new Counter({
      name: 'workflows_total',
      help: 'Workflows that ended, by status.',
      labelNames: ['type', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'gen_ai_workflow_duration_seconds',
      help: 'Time that workflows spent running.',
      labelNames: ['gen_ai_operation_name', 'gen_ai_workflow_name', 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
  }
}
