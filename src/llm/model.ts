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
  /** Tokens that the server counts for each one of a caller's estimate; 1 until it has told. */
  readonly tokenRatio: number
}

/** Where a call may go, best first, and whether it repeats one that failed: those are rationed. */
export interface Candidates {
  readonly targets: readonly Target[]
  readonly isRetry: boolean
}

/**
 * The right to make an answer at a target: its first call past the breaker, and one of the endpoint's places
 * (`max_in_flight`) until `release`, which whoever was given it must call.
 */
export interface Permit {
  readonly target: Target
  release(): void
}

/** Nobody may be called now: `closed` for a time that `whenReady` knows; `full` until some permit is released. */
export type NoPermit = 'closed' | 'full'

export interface ModelRequest {
  readonly target: Target
  readonly messages: readonly ChatMessage[]
  /** The caller's estimate of the prompt, in tokens, by the target's `tokenRatio`. */
  readonly inputTokens: number
  /** 0–2. */
  readonly temperature: number
  /** Most tokens of the answer. */
  readonly maxTokens: number
  /** false asks the server for a plain answer: one text event. */
  readonly stream: boolean
  /** From `Model.admit`. A further call on it, or one without, fails with `circuit_open` when the breaker refuses. */
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

/** Text is well-formed Unicode without U+0000, and is never changed afterwards. `end` comes once, last, after `usage`; a failed call may have had a `usage` too. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'end'; readonly finishReason: string; readonly model: string }

/** The port behind which all model servers are. */
export interface Model {
  /**
   * Where an answer of the wanted model can be had, in the order in which it is to be tried; at least one. Without a
   * wanted model each endpoint answers with the configured default if it serves that, else with its first. Waits up to 2 s
   * for servers that have not told yet what they serve. Never fails: an unreachable server fails the call.
   */
  targets(wanted: string | null, signal: AbortSignal): Promise<readonly Target[]>
  /** The right to call the best candidate that may be called now: endpoints of one order share the load. */
  admit(candidates: Candidates): Permit | NoPermit
  /** Resolves as soon as `admit` may be better than `closed`; rejects with the signal's reason. */
  whenReady(candidates: Candidates, signal: AbortSignal): Promise<void>
  /** Milliseconds until `whenReady` may resolve, 0 for now. */
  readyInMs(candidates: Candidates): number
  /** What a call would fail with now without being made: `circuit_open`, or what the servers asked for; null: it may be made. */
  refusal(candidates: Candidates): AppError | null
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
    readonly successes: number
    readonly failures: number
    /** Mean duration of the latest successful calls, in milliseconds; null before any. */
    readonly latencyMs: number | null
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
