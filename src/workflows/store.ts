import type { Failure } from '../errors.ts'
import type { Spending } from './budget.ts'
import type { LifecycleEvent } from './events.ts'
import type { ShareStore } from './queue.ts'
import type { NewWebhook, WebhookInput } from './new-webhook.ts'
import type { Claim, StepStatus, Usage, WorkflowState, WorkflowStatus } from './workflow.ts'

export interface SourceFileInput {
  readonly path: string
  readonly content: string
}

/** What a client gave; never changes. */
export interface WorkflowInput {
  /** null for a direct task. */
  readonly requirement: string | null
  readonly context: Readonly<Record<string, unknown>>
  readonly files: readonly SourceFileInput[]
  readonly metadata: Readonly<Record<string, string>>
  /** `options` as the client wrote them, for the resource. */
  readonly options: Readonly<Record<string, unknown>>
  /** Without its secret; null: there is none. */
  readonly webhook: WebhookInput | null
}

/** A new workflow: its state after its first events (`seq` = their number), active, with its job to be sent. */
export interface NewWorkflow {
  readonly state: WorkflowState
  readonly input: WorkflowInput
  readonly events: readonly LifecycleEvent[]
  readonly webhook: NewWebhook | null
}

/** The whole record of one attempt; written when it opens and again when it closes. */
export interface AttemptRecord {
  readonly stepIndex: number
  readonly attempt: number
  readonly status: 'open' | 'kept' | 'void'
  readonly startedAt: number
  readonly endedAt: number | null
  readonly endpoint: string | null
  readonly model: string | null
  readonly finishReason: string | null
  readonly error: Failure | null
}

export interface NewArtifact {
  readonly stepIndex: number
  readonly attempt: number
  readonly path: string
  /** 1, 2, 3 … per path. */
  readonly version: number
  readonly mediaType: string
  readonly sha256: string
  readonly content: string
  /** From a person's edit of the text. */
  readonly edited: boolean
}

/** How a person answered the text of one attempt. */
export interface GateAnswer {
  readonly stepIndex: number
  readonly attempt: number
  readonly verb: 'approve' | 'reject'
  /** SHA-256 of what came with it, to know the same answer again. */
  readonly digest: string
}

/** A row of the ledger, written before the call: so much of the budget is reserved. */
export interface NewCall {
  readonly id: string
  readonly workflowId: string
  readonly stepIndex: number
  readonly attempt: number
  readonly endpoint: string
  readonly model: string
  readonly estimatedInputTokens: number
  readonly maxTokens: number
  /** What its estimated prompt costs; null without a price. */
  readonly costUsd: number | null
  /** What it may cost at most; null without a price. */
  readonly reservedCostUsd: number | null
}

/** Settles a call by its id, whoever holds the claim by then. */
export interface SettledCall {
  readonly id: string
  readonly usage: Omit<Usage, 'llmCalls'>
  readonly finishReason: string | null
}

/**
 * Who may make a change: a verb, on the state it has seen; the runner, under its claim; or a runner that takes the
 * claim, which must be newer than the one that is there and belong to the current activation of an active workflow.
 */
export type Guard =
  | { readonly kind: 'verb' }
  | { readonly kind: 'runner'; readonly claim: Claim }
  | { readonly kind: 'take'; readonly claim: Claim }

/**
 * One change of one workflow: everything or nothing, and nothing unless `seq` is still `seen` and the guard holds.
 * `state` is the workflow afterwards; of its steps only `changedSteps` are written.
 */
export interface Change {
  readonly seen: number
  readonly guard: Guard
  readonly state: WorkflowState
  readonly changedSteps: readonly number[]
  readonly events: readonly LifecycleEvent[]
  readonly attempts: readonly AttemptRecord[]
  readonly outputs: readonly { readonly stepIndex: number; readonly attempt: number; readonly text: string }[]
  /** What a person made of kept texts. */
  readonly edits: Change['outputs']
  readonly artifacts: readonly NewArtifact[]
  readonly answers: readonly GateAnswer[]
  readonly calls: readonly NewCall[]
  /** Calls that have ended: settled by their ids, also when the change is refused. */
  readonly settled: readonly SettledCall[]
  /** New `options` as the client sees them; null: they stay. */
  readonly requestedOptions: Readonly<Record<string, unknown>> | null
  /** Binds an Idempotency-Key to this change; null: there was none. */
  readonly binding: KeyBinding | null
  /** Job to complete in the same transaction (by id, also when it is queued again). */
  readonly completeJob: string | null
  /** Send the job `state.jobId` of `state.activation` in the same transaction. */
  readonly sendJob: boolean
}

/** An Idempotency-Key: repeating the request under it finds what the first one did. */
export interface KeyBinding {
  /** Whose key it is: keys are one namespace per API key. */
  readonly owner: string
  readonly key: string
  /** SHA-256 over method, path and body: another request under the same key is refused. */
  readonly digest: string
  /** Number of the last event before the change: where the stream of the request begins. */
  readonly seq: number
}

/** What a key was bound to. */
export interface BoundKey {
  readonly digest: string
  readonly workflowId: string
  readonly seq: number
}

/** An open gate, for the inbox. */
export interface OpenGate {
  readonly workflowId: string
  readonly type: string
  readonly step: string
  readonly role: string
  readonly attempt: number
  readonly waitingSince: number
  readonly expiresAt: number | null
}

export interface EventPage {
  readonly status: WorkflowStatus
  readonly seq: number
  readonly events: readonly LifecycleEvent[]
}

export interface OpenAttempt {
  readonly stepIndex: number
  readonly step: string
  readonly attempt: number
}

/** The kept result of a step, as material for later ones. */
export interface StepResult {
  readonly stepIndex: number
  readonly output: string
  readonly files: readonly SourceFileInput[]
}

export interface WorkflowHead {
  readonly id: string
  readonly seq: number
  readonly active: boolean
  readonly claim: Claim | null
}

/** What a runner needs of a workflow. */
export interface RunnableWorkflow {
  readonly state: WorkflowState
  readonly input: WorkflowInput
}

/** A workflow for a reader: state, input without the files' content, and the kept texts by step index. */
export interface WorkflowRecord {
  readonly state: WorkflowState
  readonly input: Omit<WorkflowInput, 'files'>
  readonly outputs: ReadonlyMap<number, string>
}

export interface StoredAttempt extends AttemptRecord {
  readonly usage: Usage
  /** Of kept ones. */
  readonly output: string | null
}

export interface StoredArtifact {
  readonly path: string
  readonly stepIndex: number
  readonly attempt: number
  readonly version: number
  readonly mediaType: string
  readonly bytes: number
  readonly sha256: string
  readonly createdAt: number
}

export interface ListFilter {
  readonly statuses: readonly WorkflowStatus[]
  /** Only those with a step in one of these; of a task it is its own status. Empty: all. */
  readonly stepStatuses: readonly StepStatus[]
  readonly type: string | null
  /** Exclusive bounds, milliseconds since the epoch. */
  readonly createdAfter: number | null
  readonly createdBefore: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly limit: number
  /** Id of the last one of the page before. */
  readonly after: string | null
  readonly kind: 'workflow' | 'task'
  /** Only this one's; null: everybody's. */
  readonly owner: string | null
  /** Tasks of this role only. */
  readonly role: string | null
}

/**
 * Where state lives. Every method throws `unavailable` while the database cannot be reached; after that the outcome
 * of a `commit` is unknown and has to be read back.
 */
export interface WorkflowStore extends ShareStore {
  /**
   * Stores a new workflow and sends its job, in one transaction. Throws `idempotency-key-reused`, storing nothing, when
   * the key of `binding` is bound already; so does `commit`.
   */
  create(workflow: NewWorkflow, binding: KeyBinding | null): Promise<void>
  /** What a key is bound to; null: it is free. */
  boundKey(owner: string, key: string): Promise<BoundKey | null>
  /** null: there is none. */
  load(id: string): Promise<WorkflowState | null>
  /** Those of the ids that exist, each with state and input of the same moment. */
  loadRunnable(ids: readonly string[]): Promise<readonly RunnableWorkflow[]>
  /** false: refused, nothing of the workflow was written; read again and decide again. */
  commit(change: Change): Promise<boolean>
  /** Events after `seq`, oldest first, with status and number of the same moment; null: there is no such workflow. */
  eventsAfter(id: string, seq: number, limit: number): Promise<EventPage | null>
  /** Attempts that were open right after event `seq`. */
  attemptsOpenAt(id: string, seq: number): Promise<readonly OpenAttempt[]>
  /** Text of a kept attempt; null when it was not kept. */
  output(id: string, stepIndex: number, attempt: number): Promise<string | null>
  /** What a person made of a kept text; null: nothing. */
  edit(id: string, stepIndex: number, attempt: number): Promise<string | null>
  /** How the text of an attempt was answered; null: not. */
  answer(id: string, stepIndex: number, attempt: number): Promise<GateAnswer | null>
  /** Open gates, those that wait longest first. `after`: the last one of the page before; `owner` null: everybody's. */
  openGates(wanted: {
    readonly limit: number
    readonly after: Pick<OpenGate, 'waitingSince' | 'workflowId' | 'step'> | null
    readonly owner: string | null
  }): Promise<readonly OpenGate[]>
  /** Open gates whose time is over. */
  expiredGates(limit: number): Promise<readonly { readonly workflowId: string; readonly stepIndex: number }[]>
  input(id: string): Promise<WorkflowInput | null>
  /** Texts and files of kept attempts, in the order asked for. */
  results(
    id: string,
    of: readonly { readonly stepIndex: number; readonly attempt: number }[],
  ): Promise<readonly StepResult[]>
  /** Newest version per path, of those that exist. */
  artifactVersions(id: string, paths: readonly string[]): Promise<ReadonlyMap<string, number>>
  settleCall(call: SettledCall): Promise<void>
  /** Takes back a call that was not made after all; one that is settled stays. */
  dropCall(id: string): Promise<void>
  /**
   * What the calls of a workflow have cost, without those of the ids; one that nobody settled counts as the most that
   * it may have cost.
   */
  spent(id: string, without: readonly string[]): Promise<Spending>
  /** Those of the ids that exist. Asks the database for none as well. */
  heads(ids: readonly string[]): Promise<readonly WorkflowHead[]>
  record(id: string): Promise<WorkflowRecord | null>
  /** Newest first. The records have no `outputs`. */
  list(filter: ListFilter): Promise<readonly WorkflowRecord[]>
  attempts(id: string, stepIndex: number): Promise<readonly StoredAttempt[]>
  /** Per path the newest version among current results (kept attempts of completed, incomplete and waiting steps), by path. */
  artifacts(id: string): Promise<readonly StoredArtifact[]>
  /** A file: the current one, or that of a version; null when there is none. */
  artifact(
    id: string,
    path: string,
    version: number | null,
  ): Promise<(StoredArtifact & { readonly content: Buffer }) | null>
  /** Ids of all active workflows, those that were being run first: what the only process takes back at boot. */
  activeIds(): Promise<readonly string[]>
  /** Active workflows whose job is no live job any more. */
  strandedIds(): Promise<readonly string[]>
  /** How many wait in status `queued`, and since when the oldest does. */
  queueDepth(): Promise<{ readonly queued: number; readonly oldestCreatedAt: number | null }>
  /** Usage since midnight UTC and steps running now, per role. */
  usageToday(): Promise<ReadonlyMap<string, { readonly usage: Usage; readonly completedSteps: number }>>
  /** Removes an ended workflow with all that belongs to it. */
  remove(id: string): Promise<'removed' | 'missing' | 'not_ended'>
  /** Removes at most `limit` workflows that ended longer than `keepMs` ago, oldest first; gives how many. */
  removeEnded(keepMs: number, limit: number): Promise<number>
}
