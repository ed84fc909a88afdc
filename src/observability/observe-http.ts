import type { ClosedStream, FailedRequest, FinishedRequest, HttpObserver, OpenedStream } from '../http/app-parts.ts'
import type { Log, Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { neverThrowing } from './never-throwing.ts'

export interface HttpObserverParts {
  readonly log: Log
  /** null: nothing is measured. */
  readonly metrics: Metrics | null
  /** Told of every error that is nobody's input. */
  readonly captureDefect: (error: unknown) => void
}

// asked every few seconds by machines
const probes = new Set(['/livez', '/readyz', '/health', '/metrics', '/metrics.json'])

/** Logs and measures what happens at the HTTP edge: one line per request, by route template, and one per stream. */
export function observeHttp({ log, metrics, captureDefect }: HttpObserverParts): Required<HttpObserver> {
  const logger = log.logger('http.server')
  const streams = log.logger('http.event-stream')
  return {
    requestFinished: neverThrowing(logger, (request: FinishedRequest) => {
      logRequest(logger, request)
      metrics?.http.requestFinished(request)
      metrics?.keys.asked(request.key)
    }),
    requestFailed: neverThrowing(logger, ({ method, route, correlationId, error }: FailedRequest) => {
      logger.error(`${method} ${route} hit a defect`, { correlationId, method, route, error, errorCode: 'internal' })
      captureDefect(error)
    }),
    requestLimited: neverThrowing(logger, ({ key }: { readonly key: string }) => metrics?.keys.limited(key)),
    streamOpened: neverThrowing(logger, (stream: OpenedStream) => {
      streams.debug('Stream opened', { ...stream, key: orNull(stream.key) })
      metrics?.http.streamOpened()
      metrics?.keys.asked(stream.key)
    }),
    streamClosed: neverThrowing(logger, (stream: ClosedStream) => {
      const message = stream.end === 'slow' ? 'Stream closed: its reader took nothing for too long' : 'Stream closed'
      streams.info(message, { ...stream, key: orNull(stream.key) })
      metrics?.http.streamClosed(stream)
    }),
  }
}

const orNull = (key: string) => (key === '' ? null : key)

function logRequest(logger: Logger, { key, ...request }: FinishedRequest): void {
  const { method, route, status, durationMs, correlationId } = request
  const message = `${method} ${route} ${status}`
  const about = { correlationId, durationMs, method, route, status, key: orNull(key) }
  if (status === 500) logger.error(message, about)
  else if (probes.has(route)) logger.debug(message, about)
  else if (status > 500) logger.warning(message, about)
  else logger.info(message, about)
}
