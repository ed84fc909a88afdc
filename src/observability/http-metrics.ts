import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ClosedStream, FinishedRequest } from '../http/app-parts.ts'
import { createKnownLabels } from './known-labels.ts'

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const streamBuckets = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200]
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export interface HttpMetrics {
  requestFinished(request: FinishedRequest): void
  streamOpened(): void
  streamClosed(stream: ClosedStream): void
  /** Event streams open now. */
  openStreams(): number
}

/** Metrics of the HTTP edge. Routes are templates, so their number is bounded; streams are counted apart. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const knownMethods = createKnownLabels(methods)
  const { requests, streams, durations, frames, slow } = createInstruments(registry)
  let open = 0
  return {
    requestFinished: ({ method, route, status, durationMs }) => {
      const labels = { method: knownMethods.labelOf(method), route, status_code: String(status) }
      requests.observe(labels, durationMs / 1_000)
    },
    streamOpened: () => {
      open += 1
      streams.set(open)
    },
    streamClosed: (stream) => {
      open -= 1
      streams.set(open)
      durations.observe(stream.durationMs / 1_000)
      frames.inc(stream.frames)
      if (stream.end === 'slow') slow.inc()
    },
    openStreams: () => open,
  }
}

function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    requests: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of HTTP requests, event streams excluded.',
      labelNames: ['method', 'route', 'status_code'],
      buckets: requestBuckets,
      registers,
    }),
    streams: new Gauge({ name: 'sse_connections', help: 'Event streams open now.', registers }),
    durations: new Histogram({
      name: 'sse_connection_duration_seconds',
      help: 'How long event streams were open.',
      buckets: streamBuckets,
      registers,
    }),
    frames: new Counter({
      name: 'sse_events_sent_total',
      help: 'Frames sent on event streams, counted when a stream closes.',
      registers,
    }),
    slow: new Counter({
      name: 'sse_slow_client_disconnects_total',
      help: 'Readers that were disconnected because they took nothing for too long.',
      registers,
    }),
  }
}
