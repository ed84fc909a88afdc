import type { RequestTracer } from '../http/app-parts.ts'
import type { SpanWriter } from './span.ts'
import { newSpanContext, readTraceparent, writeTraceparent } from './trace-parent.ts'

// asked every few seconds by machines: their traces would be most of all
const untraced = new Set(['/livez', '/readyz', '/health', '/metrics', '/metrics.json'])

/** Writes a span for each request, also for those that stay open as streams. Nothing of its path, query or headers. */
export function traceRequests(writer: SpanWriter, now: () => number): RequestTracer {
  return {
    begin({ method, route, traceparent }) {
      if (untraced.has(route)) return null
      const parent = readTraceparent(traceparent)
      const context = newSpanContext(writer, parent)
      const startedAt = now()
      return {
        traceparent: writeTraceparent(context),
        end(status) {
          const error = status >= 500 ? String(status) : null
          writer.write({
            name: `${method} ${route}`,
            kind: 'server',
            context,
            parent,
            startedAt,
            endedAt: now(),
            attributes: {
              'http.request.method': method,
              'http.route': route,
              'http.response.status_code': status,
              'error.type': error,
            },
            error,
          })
        },
      }
    },
  }
}
