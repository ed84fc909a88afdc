import type { Failure } from '../errors.ts'
import type { Budget } from './budget.ts'
import type { LifecycleType } from './events.ts'

export type WorkflowStatus = 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled'

export type StepStatus =
  | 'pending'
  | 'queued'
  | 'running'
  | 'waiting'
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'skipped'
  | 'cancelled'

/** Overrides that a request may set, for the workflow or for one step; the step's win. */
export interface RunOptions {
  readonly model?: string
  readonly temperature?: number
  readonly maxTokens?: number
  readonly stream?: boolean
  /** Milliseconds that one start of a step may take. */
  readonly timeoutMs?: number
  /** How often a rejected step runs again. */
  readonly maxRevisions?: number
  /** Of the whole workflow. */
  readonly budget?: Budget
}

/** One node of the DAG, as it was asked for; never changes. */
export interface StepDefinition {
  readonly id: string
  readonly role: string
  readonly taskType: string | null
  /** What a custom step or a direct task asks for in words. */
  readonly instruction: string | null
  readonly dependsOn: readonly string[]
  readonly onFailure: 'stop' | 'continue'
  /** Its result waits for a person before anything goes on from it. */
  readonly approval: boolean
  readonly context: Readonly<Record<string, unknown>>
  readonly options: RunOptions
}

/** Sum over calls to models, failed tries included. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly reasoningTokens: number
  readonly llmCalls: number
  /** null without a price. */
  readonly costUsd: number | null
  /** A server did not report its tokens, or a call was cut off. */
  readonly estimated: boolean
}

/** What a person wants otherwise, of the text of an attempt (null: of none that was kept). */
export interface Feedback {
  readonly text: string
  readonly attempt: number | null
}

/** One step as it stands. Times are milliseconds since the epoch, by the database's clock. */
export interface StepState {
  readonly definition: StepDefinition
  /** Position in the DAG as it was given; stable, also part of cursors. */
  readonly index: number
  readonly taskId: string
  readonly status: StepStatus
  /** Last attempt opened, 0 before. */
  readonly attempt: number
  /** Newest attempt whose text is the step's result; null while there is none. */
  readonly keptAttempt: number | null
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** `seq` of the event that ended it. */
  readonly endedSeq: number | null
  /** Time spent in closed attempts; the open one began at `runningSince`. */
  readonly runningMs: number
  readonly runningSince: number | null
  readonly endpoint: string | null
  readonly model: string | null
  readonly finishReason: string | null
  readonly truncatedInput: boolean
  readonly artifacts: readonly string[]
  readonly rejectedArtifacts: readonly { readonly path: string; readonly reason: string }[]
  readonly reason: string | null
  /** The dependency that made it `skipped`. */
  readonly dependency: string | null
  readonly error: Failure | null
  /** Failed tries and time of the current start; starts after a `task_timeout`; lost workers. */
  readonly triesUsed: number
  readonly timeUsedMs: number
  readonly restarts: number
  readonly losses: number
  /** No try before this moment. */
  readonly notBefore: number | null
  /** Text of calls that ended with `length` in a void attempt: opens the next one's answer. */
  readonly carriedText: string | null
  readonly carriedContinuations: number
  /** The attempt that waits for an answer, or whose gate was closed without one. */
  readonly waitingAttempt: number | null
  readonly waitingSince: number | null
  /** When the open gate closes by itself; null: never, or there is none. */
  readonly expiresAt: number | null
  /** How often it ran again because somebody rejected its result. */
  readonly revisions: number
  /** What every start is told until the step has a new text. */
  readonly feedback: Feedback | null
  /** Its result is what a person made of the kept text. */
  readonly edited: boolean
  /** From the ledger of calls; not stored with the step. */
  readonly usage: Usage
}

/** The right to run a workflow: grows with each activation, and within one with each time its job is fetched. */
export interface Claim {
  readonly activation: number
  readonly retry: number
}

/** A workflow (or a direct task, which is a workflow of one step behind another door) as it stands. */
export interface WorkflowState {
  readonly id: string
  readonly kind: 'workflow' | 'task'
  readonly type: string
  /** Name of the principal that started it. */
  readonly owner: string
  readonly status: WorkflowStatus
  readonly reason: string | null
  readonly error: Failure | null
  /** Number of the last lifecycle event. */
  readonly seq: number
  /** Somebody runs it or is to run it: it has exactly one live job, `jobId`. */
  readonly active: boolean
  readonly activation: number
  readonly jobId: string | null
  readonly claim: Claim | null
  readonly priority: number
  readonly options: RunOptions
  /** Types of the events that its webhook is told of; null: it has none. */
  readonly webhookEvents: readonly LifecycleType[] | null
  readonly correlationId: string
  readonly traceparent: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** Time of the last change, so that times never run backwards. */
  readonly updatedAt: number
  readonly runningMs: number
  readonly runningSince: number | null
  /** In the order in which the DAG was given. */
  readonly steps: readonly StepState[]
}

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  llmCalls: 0,
  costUsd: null,
  estimated: false,
}

/** Sum of two usages; a cost stays null only while neither has a price. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    llmCalls: a.llmCalls + b.llmCalls,
    costUsd: a.costUsd === null && b.costUsd === null ? null : (a.costUsd ?? 0) + (b.costUsd ?? 0),
    estimated: a.estimated || b.estimated,
  }
}

/** True for the statuses in which a workflow rests for good, unless somebody revives it. */
export function hasEnded(status: WorkflowStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
