import type { Principal } from './principal.ts'
import type { ApproveStep, RejectStep, RerunStep, ResumeWorkflow, StartTask, StartWorkflow } from './requests.ts'
import type {
  AgentResource,
  ApprovalResource,
  ArtifactResource,
  DeliveryResource,
  GraphResource,
  StepDetailResource,
  TaskResource,
  TaskSummary,
  WorkflowResource,
  WorkflowSummary,
  WorkflowTypeResource,
} from './resources.ts'
import type { StepStatus, WorkflowStatus } from './workflow.ts'

/** What names a workflow in a path: `/workflows/:id`, or `/agents/:role/tasks/:id`. */
export type WorkflowRef =
  | { readonly kind: 'workflow'; readonly id: string }
  | { readonly kind: 'task'; readonly role: string; readonly id: string }

/** A step of a workflow. */
export interface StepRef {
  readonly id: string
  readonly step: string
}

/** The request that causes something: its ids go into the workflow's events. */
export interface Caller {
  readonly correlationId: string
  readonly traceparent: string | null
  /** The key under which it may be repeated, with the SHA-256 (hex) over method, path and canonical body; null: none. */
  readonly idempotency: { readonly key: string; readonly digest: string } | null
}

/** What came of a request that starts or changes something. */
export interface Outcome<T> {
  readonly resource: T
  /** false: there was nothing to change. */
  readonly changed: boolean
  /** The request is a repetition: nothing was done now, the resource is as it is now. */
  readonly replayed: boolean
  /** Where the stream of this request begins; null: at the beginning. */
  readonly cursor: string | null
}

type Either = WorkflowResource | TaskResource

export interface ListQuery {
  /** Of workflows; empty: all. */
  readonly statuses: readonly WorkflowStatus[]
  /** Of tasks, whose status is that of their step; empty: all. */
  readonly stepStatuses: readonly StepStatus[]
  readonly type: string | null
  readonly createdAfter: number | null
  readonly createdBefore: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly limit: number
  /** A `next` of an earlier page; anything else is `invalid-cursor`. */
  readonly after: string | null
}

export interface Page<T> {
  readonly data: readonly T[]
  /** Cursor of the next page; null at the end. */
  readonly next: string | null
}

export interface ArtifactFile extends ArtifactResource {
  readonly content: Buffer
}

/** One frame of an event stream. `data` is the JSON text of the whole event; `id` null for frames that are live only. */
export interface Frame {
  readonly id: string | null
  readonly type: string
  readonly data: string
}

/** What a reader gets at once. */
export interface EventBatch {
  readonly frames: readonly Frame[]
  /** The workflow has ended and all has been read. */
  readonly done: boolean
  /** It was deleted. */
  readonly gone: boolean
  /** The very same `frames` are given to other readers: what is made of them serves all. */
  readonly shared?: boolean
}

/**
 * One reader of one workflow's events: its whole state is its cursor. Not for concurrent use.
 */
export interface EventReader {
  /** The position reached: give it back to go on there. */
  readonly cursor: string
  /** What is there beyond the position, at most `limit` frames; empty when nothing is. At once where it can. */
  read(limit: number): EventBatch | Promise<EventBatch>
  /** Resolves when `read` may give something new (or at the latest after a second of doubt); rejects with the signal's reason. */
  changed(signal: AbortSignal): Promise<void>
  /**
   * Calls `run` each time that `read` may give something new, at once if it may since the last read, until what it
   * gives back is called. `run` must not throw; it runs in the asynchronous context of whoever made something happen.
   */
  onChange(run: () => void): () => void
  /** Stops following; idempotent. */
  close(): void
}

/** The verbs as one principal may use them. */
export interface WorkflowServices {
  /** Nothing that others have started is there for one that does not see all: `not-found`. */
  as(principal: Principal): WorkflowService
}

/** The verbs that the edge calls. All throw `AppError`: `not-found` for ids that are not there, `unavailable` without the database. */
export interface WorkflowService {
  /**
   * Throws `invalid-workflow` with faults; `queue-full`; `draining`. Once it resolves, the workflow is on disk. Every
   * verb with an idempotency key throws `idempotency-key-reused` when that is bound to another request.
   */
  start(request: StartWorkflow, caller: Caller): Promise<Outcome<WorkflowResource>>
  startTask(role: string, request: StartTask, caller: Caller): Promise<Outcome<TaskResource>>
  /** `etag` changes with state and usage. */
  get(ref: WorkflowRef): Promise<{ readonly resource: WorkflowResource | TaskResource; readonly etag: string }>
  list(query: ListQuery): Promise<Page<WorkflowSummary>>
  listTasks(role: string, query: ListQuery): Promise<Page<TaskSummary>>
  step(id: string, step: string): Promise<StepDetailResource>
  /** `changed` false: it had ended before. */
  cancel(ref: WorkflowRef, caller: Caller): Promise<Outcome<Either>>
  /** What failed, was skipped or cancelled runs again. Throws `conflict` unless it has failed or was cancelled; `invalid-workflow`. */
  resume(ref: WorkflowRef, request: ResumeWorkflow, caller: Caller): Promise<Outcome<Either>>
  /** One ended step runs again, and after it what depends on it. Throws `conflict`, `invalid-workflow`. */
  rerun(at: StepRef, request: RerunStep, caller: Caller): Promise<Outcome<WorkflowResource>>
  /** Answers an open gate. `changed` false: this attempt had been answered in the same way. Throws `conflict`. */
  approve(at: StepRef, request: ApproveStep, caller: Caller): Promise<Outcome<WorkflowResource>>
  reject(at: StepRef, request: RejectStep, caller: Caller): Promise<Outcome<WorkflowResource>>
  /** Every open gate, those that wait longest first. `after`: a `next` of an earlier page, else `invalid-cursor`. */
  approvals(page: { readonly limit: number; readonly after: string | null }): Promise<Page<ApprovalResource>>
  /** Throws `conflict` unless it has ended. */
  remove(ref: WorkflowRef): Promise<void>
  artifacts(ref: WorkflowRef): Promise<readonly ArtifactResource[]>
  artifact(ref: WorkflowRef, path: string, version: number | null): Promise<ArtifactFile>
  graph(id: string): Promise<GraphResource>
  /** What its webhook was to be told, oldest first; empty without a webhook. */
  deliveries(ref: WorkflowRef): Promise<readonly DeliveryResource[]>
  /** Has one sent once more. Throws `not-found`, `conflict` when the receiver wants nothing any more. */
  redeliver(ref: WorkflowRef, delivery: string, caller: Caller): Promise<Outcome<DeliveryResource>>
  /** Throws `invalid-cursor`. Cursor null: from the beginning. */
  openEvents(ref: WorkflowRef, cursor: string | null): Promise<EventReader>
  workflowTypes(): readonly WorkflowTypeResource[]
  workflowType(type: string): WorkflowTypeResource
  agents(): Promise<readonly AgentResource[]>
  agent(role: string): Promise<AgentResource>
}
