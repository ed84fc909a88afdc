import { collectDefaultMetrics, type Registry } from 'prom-client'

// gauges whose names say that they are counters; what they sum up is there under the name without the suffix
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Registers the figures of the process: CPU, memory, files, garbage, and the lag of its event loop (every 10 ms). */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10 })
  for (const name of misnamed) registry.removeSingleMetric(name)
}
