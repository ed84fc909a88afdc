import type { AppError, FailureCode } from '../errors.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Where a call goes: an endpoint by its configured name, and a model that it serves. */
export interface Target {
  readonly endpoint: string
  readonly model: string
  /** Tokens that prompt and answer may have together; null while nobody has told. */
  readonly contextWindow: number | null
}

/** The right to make one call, taken from the breaker of a target. Unused ones are given back by `release`. */
export interface Permit {
  release(): void
}

export interface ModelRequest {
  readonly target: Target
  readonly messages: readonly ChatMessage[]
  /** 0–2. */
  readonly temperature: number
  /** Most tokens of the answer. */
  readonly maxTokens: number
  /** false asks the server for a plain answer: one text event. */
  readonly stream: boolean
  /** Taken by `Model.admit`; without one, `stream` takes it itself and fails with `circuit_open` when refused. */
  readonly permit?: Permit
}

/** Tokens of one call; `estimated` where the server did not report them. */
export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly reasoningTokens: number
  readonly estimated: boolean
}

/** Text is well-formed Unicode without U+0000, and is never changed afterwards. `end` comes once, last, after `usage`. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'end'; readonly finishReason: string; readonly model: string }

/** The port behind which all model servers are. */
export interface Model {
  /** The target for a wanted model (null: the configured default, else the first one that the server lists). Never fails: an unreachable server fails the call. */
  target(wanted: string | null, signal: AbortSignal): Promise<Target>
  /** The right to call now, or null while the breaker refuses or a not-before time (429) lies ahead. */
  admit(target: Target): Permit | null
  /** Resolves as soon as `admit` may succeed; rejects with the signal's reason. */
  whenReady(target: Target, signal: AbortSignal): Promise<void>
  /** Milliseconds until `admit` may succeed, 0 for now. */
  readyInMs(target: Target): number
  /** What a call would fail with now without being made: `circuit_open`, or what the server asked for; null: it may be made. */
  refusal(target: Target): AppError | null
  /**
   * One call. Ends normally only after an `end` event; every other outcome throws an `AppError` with a
   * `FailureCode`, `retryable`, `endpoint`, and `status` and `retryAfterMs` where the server gave them.
   * An abort rejects with the signal's reason and closes the socket.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>
}

/** What `/health`, metrics and the log are told about model servers; told synchronously, must not throw. */
export type LlmEvent =
  | { readonly type: 'llm.call_started'; readonly endpoint: string; readonly model: string }
  | {
      readonly type: 'llm.call_ended'
      readonly endpoint: string
      readonly model: string
      readonly outcome: 'success' | 'aborted' | FailureCode
      readonly durationMs: number
      readonly firstTokenMs: number | null
      readonly usage: TokenUsage | null
      readonly status?: number
      readonly message?: string
    }
  | {
      readonly type: 'llm.breaker_changed'
      readonly endpoint: string
      readonly model: string
      readonly state: 'closed' | 'half_open' | 'open'
      readonly retryInMs: number | null
    }
  | {
      readonly type: 'llm.endpoint_checked'
      readonly endpoint: string
      readonly ok: boolean
      readonly detail: string
      /** Models that the server lists. */
      readonly models: readonly string[]
    }

/** Figures of the pool for `/health` and metrics. */
export interface LlmStatus {
  readonly activeClients: number
  readonly requestCount: number
  /** Successes ÷ requests of the last 5 minutes or 100 requests, whichever is fewer; null before any. */
  readonly successRate: number | null
  readonly endpoints: readonly {
    readonly name: string
    readonly inFlight: number
    readonly requests: number
    readonly failures: number
    /** null before the first check. */
    readonly reachable: boolean | null
    readonly detail: string
  }[]
  readonly breakers: readonly {
    readonly endpoint: string
    readonly model: string
    readonly state: 'closed' | 'half_open' | 'open'
    readonly retryInMs: number | null
    /** Refused or failed a call in the last 5 minutes while open. */
    readonly hurting: boolean
  }[]
}
