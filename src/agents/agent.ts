import type { Failure } from '../errors.ts'
import type { Permit, Target, TokenUsage } from '../llm/model.ts'

/** A file that the user gave, or that an earlier step made. */
export interface SourceFile {
  readonly path: string
  readonly content: string
}

/** The result of an earlier step, as material for a later one. */
export interface EarlierResult {
  readonly step: string
  readonly role: string
  readonly output: string
  readonly files: readonly SourceFile[]
  /** A direct dependency comes before an indirect one when something has to be cut. */
  readonly direct: boolean
  /** `incomplete` and `failed` ones are there only by `on_failure: continue`, and are marked as such. */
  readonly status: 'completed' | 'incomplete' | 'failed'
}

/** Everything that one attempt of one step is given. */
export interface AgentTask {
  readonly role: string
  /** Id of the step; the user prompt's first line is `Step: <step> (<role>)`, which also names the work to a scripted model. */
  readonly step: string
  /** One of the role's task types; null for a free task. */
  readonly taskType: string | null
  /** What a custom step or a direct task asks for; null where the task type says it all. */
  readonly instruction: string | null
  /** null for a direct task: its instruction is all. */
  readonly requirement: string | null
  readonly context: Readonly<Record<string, unknown>>
  readonly files: readonly SourceFile[]
  readonly earlier: readonly EarlierResult[]
  /** What a person wants otherwise, and of which text (empty: none was kept). */
  readonly revision: { readonly feedback: string; readonly formerOutput: string } | null
  readonly target: Target
  /** Overrides of request and step; the role's own and the settings' stand behind them. */
  readonly options: { readonly temperature?: number; readonly maxTokens?: number; readonly stream?: boolean }
  /** Text that calls which ended with `length` gave to a former attempt: it opens this one's answer unpaid. */
  readonly carried: { readonly text: string; readonly continuations: number } | null
  /** Most tokens of the prompt, since a longer one was too long for the server; null: the model's window alone decides. */
  readonly promptLimit: number | null
  /** false: rather than cut, fail with `context_overflow`, because a model with a larger window stands by. */
  readonly mayCut: boolean
}

export interface CallEstimate {
  readonly inputTokens: number
  readonly maxTokens: number
}

/** How one call to a model ended, for the ledger. */
export interface CallOutcome {
  readonly usage: TokenUsage
  readonly finishReason: string | null
}

/** Where an answer goes while it is being made. */
export interface AnswerSink {
  /** Final text: nothing delivered here is changed later. */
  text(text: string): void
  reasoning(text: string): void
  /**
   * Before every call; the first one's estimate is `PreparedTask.firstCall`. Resolves to the output limit that the call
   * may have. Throws when it may not be made.
   */
  callStarting(estimate: CallEstimate): Promise<number>
  /** After every call, failed and aborted ones too (then the usage is an estimate). */
  callEnded(outcome: CallOutcome): Promise<void>
  /** The output limit was hit and the next call asks to go on, for the n-th time; everything so far has been delivered. */
  continuing(n: number): void
}

/** `complete` false: still cut after the last continuation. */
export interface AgentAnswer {
  readonly complete: boolean
  readonly finishReason: string
  /** As the server named it. */
  readonly model: string
}

export interface PreparedTask {
  readonly firstCall: CallEstimate
  /** Something of the material was cut to fit the model's context. */
  readonly truncatedInput: boolean
  /**
   * Makes the answer. Throws an `AppError` with a `FailureCode`; an abort rejects with the signal's reason. The permit
   * stays its owner's, to be released.
   */
  run(parts: {
    readonly sink: AnswerSink
    readonly permit?: Permit
    readonly signal: AbortSignal
  }): Promise<AgentAnswer>
}

/** A file found in an answer. */
export interface Artifact {
  readonly path: string
  readonly content: string
  /** RFC 9110 media type, guessed from the path. */
  readonly mediaType: string
}

export interface RejectedArtifact {
  readonly path: string
  readonly reason: string
}

export interface ExtractedArtifacts {
  readonly artifacts: readonly Artifact[]
  readonly rejected: readonly RejectedArtifact[]
}

export interface TaskType {
  readonly name: string
  readonly title: string
  readonly instructions: string
  readonly deliverables: readonly string[]
}

/** A role as data: what `GET /agents` shows. */
export interface AgentProfile {
  readonly role: string
  readonly title: string
  readonly description: string
  readonly enabled: boolean
  /** null: the service's default. */
  readonly model: string | null
  readonly temperature: number | null
  readonly maxTokens: number | null
  readonly config: Readonly<Record<string, unknown>>
  readonly taskTypes: readonly TaskType[]
}

/** The team, as the workflows above see it. */
export interface Agents {
  readonly profiles: readonly AgentProfile[]
  profile(role: string): AgentProfile | undefined
  /** Builds the prompt. Throws `context_overflow` when it cannot fit, or may not be cut. */
  prepare(task: AgentTask): PreparedTask
  /** Files in an answer; of an incomplete one the open file is left out and listed as rejected. */
  extract(text: string, options: { readonly complete: boolean }): ExtractedArtifacts
}

/** The failure of an answer that hit its output limit even after continuing. */
export function outputLimit(endpoint: string): Failure {
  return {
    code: 'output_limit',
    message: 'The model stopped at its output limit, even after it was asked to go on.',
    retryable: true,
    endpoint,
  }
}
