import type { ClosedStream, FailedRequest, FinishedRequest, HttpObserver } from '../http/app-parts.ts'
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
    }),
    requestFailed: neverThrowing(logger, ({ method, route, correlationId, error }: FailedRequest) => {
      logger.error(`${method} ${route} hit a defect`, { correlationId, method, route, error, errorCode: 'internal' })
      captureDefect(error)
    }),
    streamOpened: neverThrowing(logger, (stream: { readonly route: string; readonly correlationId: string }) => {
      streams.debug('Stream opened', stream)
      metrics?.http.streamOpened()
    }),
    streamClosed: neverThrowing(logger, (stream: ClosedStream) => {
      const message = stream.end === 'slow' ? 'Stream closed: its reader took nothing for too long' : 'Stream closed'
      streams.info(message, { ...stream })
      metrics?.http.streamClosed(stream)
    }),
  }
}

function logRequest(logger: Logger, { method, route, status, durationMs, correlationId }: FinishedRequest): void {
  const message = `${method} ${route} ${status}`
  const about = { correlationId, durationMs, method, route, status }
  if (status === 500) logger.error(message, about)
  else if (probes.has(route)) logger.debug(message, about)
  else if (status > 500) logger.warning(message, about)
  else logger.info(message, about)
}
