import type { WorkflowServices } from '../workflows/service.ts'

/** One line of `GET /health`. */
export interface HealthCheck {
  readonly status: 'ok' | 'degraded' | 'failed'
  readonly detail?: string
}

/** The body of `GET /health`. */
export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  readonly version: string
  readonly uptime_seconds: number
  readonly active_clients: number
  /** 0–1; null before any request to a model. */
  readonly success_rate: number | null
  readonly request_count: number
  readonly checks: Readonly<Record<string, HealthCheck>>
}

export interface MetricsSource {
  /** The Prometheus text. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>
  /** The JSON view. */
  json(): unknown
}

export interface FinishedRequest {
  readonly method: string
  /** Template of the route, never the URL; `unmatched` where there is none. */
  readonly route: string
  /** 499 when the client left before the answer. */
  readonly status: number
  readonly durationMs: number
  readonly correlationId: string
}

export interface FailedRequest {
  readonly method: string
  readonly route: string
  readonly correlationId: string
  readonly error: unknown
}

/** Why a stream is over: its workflow's end, or who left. */
export type StreamEnd = 'done' | 'client-left' | 'slow' | 'leaving' | 'gone' | 'unavailable' | 'failed'

export interface ClosedStream {
  readonly route: string
  readonly correlationId: string
  readonly frames: number
  readonly bytes: number
  readonly durationMs: number
  readonly end: StreamEnd
}

/** Told of what happens at the edge, synchronously; must not throw. Streams are told of apart from requests. */
export interface HttpObserver {
  requestFinished?(request: FinishedRequest): void
  /** An error that is nobody's input: the client got `internal`. */
  requestFailed?(failed: FailedRequest): void
  streamOpened?(stream: { readonly route: string; readonly correlationId: string }): void
  streamClosed?(stream: ClosedStream): void
}

/** Follows requests for traces; must not throw. */
export interface RequestTracer {
  /** A request has come; null: it is not traced. */
  begin(request: {
    readonly method: string
    /** As in `FinishedRequest`. */
    readonly route: string
    /** The client's. */
    readonly traceparent: string | null
  }): RequestTrace | null
}

/** One request in its trace. */
export interface RequestTrace {
  /** Trace context of what the request causes. */
  readonly traceparent: string
  /** It is over, or its stream is. */
  end(status: number): void
}

/** Judges a path that a client gave to a file of his. */
export type CheckPath = (path: string) => { readonly path: string } | { readonly reason: string }

/** What the edge needs of the rest of the service. */
export interface AppParts {
  readonly services: WorkflowServices
  readonly checkPath: CheckPath
  readonly health: { health(): HealthReport | Promise<HealthReport> }
  /** Without it `/metrics` and `/metrics.json` are 404. */
  readonly metrics?: MetricsSource
  /** The database is there and the service is up. */
  readonly ready: () => boolean
  /** New work is refused; what runs is being finished. */
  readonly draining: () => boolean
  /** Aborted when streams are to be broken off, late in a shutdown. */
  readonly leaving: AbortSignal
  readonly observer?: HttpObserver
  /** Without it requests are not traced, and what they cause belongs to the client's trace. */
  readonly tracer?: RequestTracer
}

export interface AppOptions {
  readonly version: string
  readonly bodyLimitBytes: number
  /** Addresses of proxies whose `X-Forwarded-*` is believed; true: everybody's. */
  readonly trustProxy: boolean | readonly string[]
  /** Origins whose web pages may call; `*`: any. Empty: none. */
  readonly corsOrigins: readonly string[]
  readonly maxSseConnections: number
  readonly sseHeartbeatMs: number
  /** A reader that takes nothing for so long is disconnected. */
  readonly sseSlowClientMs: number
  /** How long a stream that cannot be served yet is held; 10 s by the contract. */
  readonly notReadyHoldMs: number
}
