import type { ApiKey } from '../config/api-key.ts'
import type { WorkflowServices } from '../workflows/service.ts'
import type { Signing } from './stream-tickets.ts'

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
  /** Name of the key that it came with; '' where nobody was asked for one, or it was not known. */
  readonly key: string
}

export interface FailedRequest {
  readonly method: string
  readonly route: string
  readonly correlationId: string
  readonly error: unknown
}

/** Why a stream is over: its workflow's end, or who left. */
export type StreamEnd = 'done' | 'client-left' | 'slow' | 'leaving' | 'gone' | 'unavailable' | 'failed'

/** A stream that somebody reads. */
export interface OpenedStream {
  readonly route: string
  readonly correlationId: string
  /** As in `FinishedRequest`. */
  readonly key: string
}

export interface ClosedStream extends OpenedStream {
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
  /** A request was refused because there were too many of this key, '' of a client address. */
  requestLimited?(limited: { readonly key: string }): void
  streamOpened?(stream: OpenedStream): void
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
  /** Of stream tickets. */
  readonly signing: Signing
  /** How late the process answers, in milliseconds; measured unless it is given. */
  readonly loopDelayMs?: () => number
}

/** Who may do how much. */
export interface AccessOptions {
  /** Without any everybody may do everything. */
  readonly apiKeys: readonly ApiKey[]
  /** Requests of one key, or of one client address where nobody has a key; 0: any number. */
  readonly ratePerMinute: number
  /** Wrong keys and tickets that one address may send. */
  readonly failuresPerMinute: number
  /** Open streams of one key, or of one client address where nobody has a key; 0: any number. */
  readonly maxStreamsPerKey: number
  /** A process that answers later takes no new work; 0: never. */
  readonly overloadDelayMs: number
  /** Life of a stream ticket. */
  readonly ticketMs: number
}

export interface AppOptions {
  readonly version: string
  readonly bodyLimitBytes: number
  /** Addresses of proxies whose `X-Forwarded-*` is believed; true: everybody's. */
  readonly trustProxy: boolean | readonly string[]
  /** Origins whose web pages may call; `*`: any. Empty: none. */
  readonly corsOrigins: readonly string[]
  readonly access: AccessOptions
  readonly maxSseConnections: number
  readonly sseHeartbeatMs: number
  /** A reader that takes nothing for so long is disconnected. */
  readonly sseSlowClientMs: number
  /** How long a stream that cannot be served yet is held; 10 s by the contract. */
  readonly notReadyHoldMs: number
}
