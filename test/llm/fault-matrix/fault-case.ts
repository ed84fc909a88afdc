import type { FailureCode } from '../../../src/errors.ts'
import type { LlmClient, LlmClientOptions } from '../../../src/llm/llm-client.ts'
import type { LlmEvent, ModelRequest, TokenUsage } from '../../../src/llm/model.ts'
import { type Behaviour, chunkOf, type HttpAnswer, type SeenCall, sseEvent } from '../../support/fault-answers.ts'
import type { ModelServerDouble, ModelServerOptions } from '../../support/fault-server.ts'
import type { WatchedClock } from '../watched-clock.ts'
import type { Outcome } from '../llm-fixture.ts'

/** What a script may use while it answers. */
export interface Stage {
  readonly clock: WatchedClock
  /** Resolves when the caller has read so much of the text and waits for more. */
  readonly reader: (text: string) => Promise<void>
}

/** What there is before the client. */
export interface Backstage {
  readonly clock: WatchedClock
  readonly server: ModelServerDouble
  /** Runs after the client was closed; last first. */
  readonly atEnd: (close: () => Promise<void> | void) => void
}

/** A client under a hand clock with the settings' defaults, and the server that plays a case to it. */
export interface Scene extends Backstage {
  readonly client: LlmClient
  readonly told: readonly LlmEvent[]
  readonly call: (request?: Partial<ModelRequest>) => Promise<Outcome>
  /** Ends the fault, so that the next try meets a good server; null where that cannot be. */
  readonly mend: (() => Promise<void>) | null
  readonly close: () => Promise<void>
}

/** What the caller, the server's journal and the observer must find. */
export interface ExpectedFailure {
  readonly code: FailureCode
  readonly retryable: boolean
  readonly status?: number
  /** Milliseconds, or the least and the most. */
  readonly retryAfterMs?: number | readonly [number, number]
  readonly message?: RegExp
  /** Default false. */
  readonly uncounted?: true
  /** What the server told of a prompt that was too long, in tokens. */
  readonly overflow?: { readonly promptTokens: number | null; readonly window: number | null }
  /** A failure of the service opens the breaker, whose threshold is 1 here; nothing else does. */
  readonly breaker: 'opens' | 'stays closed'
}

export interface ExpectedText {
  readonly text: string
  readonly reasoning?: string
  readonly finishReason?: string
  readonly usage?: Partial<TokenUsage>
}

interface Case {
  /** The fault, as the catalogue of faults names it. */
  readonly row: string
  /** Which of its forms. */
  readonly form: string
}

/** A fault on the wire. The first call meets it; every later one is answered well. */
export interface PlayedCase extends Case {
  readonly answer?: Behaviour | ((stage: Stage, call: SeenCall) => Behaviour | Promise<Behaviour>)
  /** Stands in for the model server; gives its base URL, and what ends the fault. */
  readonly upstream?: (backstage: Backstage) => Promise<{ readonly url: string; readonly mend?: () => Promise<void> }>
  readonly server?: ModelServerOptions
  readonly options?: Partial<LlmClientOptions>
  /** Default true. */
  readonly stream?: boolean
  readonly request?: Partial<ModelRequest>
  readonly fails?: ExpectedFailure
  readonly gives?: ExpectedText
  /** Text that the caller had got before the failure. */
  readonly before?: string
  /** Calls that reach the server; default 1. */
  readonly calls?: number
  /** The client closed the socket before the answer was over; default false. */
  readonly leaves?: boolean
  /** What the hand clock shows at the end of the call: the least and the most, in milliseconds. */
  readonly takesMs?: readonly [number, number]
  /** What is kept of the model's window; default: nothing. */
  readonly learnsWindow?: number | null
  /** Instead of a single call with the expectations above. */
  readonly plays?: (scene: Scene) => Promise<void>
  /** Anything that is only true here. */
  readonly also?: (scene: Scene) => Promise<void> | void
}

/** A row, or a part of it, that is not played. */
interface SkippedCase extends Case {
  readonly skip: string
}

export type FaultCase = PlayedCase | SkippedCase

type Form = Omit<PlayedCase, 'row'> | Omit<SkippedCase, 'row'>

/** The forms of one row. */
export function row(name: string, ...forms: readonly Form[]): readonly FaultCase[] {
  return forms.map((form) => Object.assign({ row: name }, form))
}

/** The same form, and again for a call that does not stream. */
export function bothWays(form: Omit<PlayedCase, 'row'>): readonly Omit<PlayedCase, 'row'>[] {
  return [form, { ...form, form: `${form.form}, without a stream`, stream: false }]
}

/** A failure that is tried again and speaks against the service. */
export function serviceFault(code: FailureCode, more: Partial<ExpectedFailure> = {}): ExpectedFailure {
  return { code, retryable: true, breaker: 'opens', ...more }
}

/** A failure that is tried again without speaking against the service. */
export function passing(code: FailureCode, more: Partial<ExpectedFailure> = {}): ExpectedFailure {
  return { code, retryable: true, breaker: 'stays closed', ...more }
}

/** A failure that another try would only repeat. */
export function final(code: FailureCode, more: Partial<ExpectedFailure> = {}): ExpectedFailure {
  return { code, retryable: false, breaker: 'stays closed', ...more }
}

/** What a failure tells of a prompt that was too long. */
export function tooLong(promptTokens: number | null = null, window: number | null = null) {
  return { overflow: { promptTokens, window } }
}

/** An answer with an error object as OpenAI has it. */
export function refused(status: number, error: object | string, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers, body: { error } }
}

/** A delta of text. */
export function say(content: string): string {
  return sseEvent(chunkOf({ content }))
}

export const stop = sseEvent(chunkOf({}, 'stop'))
export const done = sseEvent('[DONE]')
