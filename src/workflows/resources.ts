import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { failureCodes } from '../errors.ts'
import { lifecycleTypes } from './events.ts'
import type { StepStatus, WorkflowStatus } from './workflow.ts'

const refTo = <T extends TSchema>(schema: T) => Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })
const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const literals = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] })
const Time = () => Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds.' })
const FreeObject = () => Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const Metadata = () => Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } })

/** Statuses of a workflow. */
export const WorkflowStatusValue = Type.Unsafe<WorkflowStatus>(
  literals(['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled']),
)
/** Statuses of a step. */
export const StepStatusValue = Type.Unsafe<StepStatus>(
  literals(['pending', 'queued', 'running', 'waiting', 'completed', 'incomplete', 'failed', 'skipped', 'cancelled']),
)

const FailureCodeValue = literals(failureCodes)

/** Why a step or a workflow failed; the same in step, workflow and event. */
export const FailureResource = Type.Object(
  {
    code: FailureCodeValue,
    message: Type.String(),
    retryable: Type.Boolean({ description: 'Whether trying again may help.' }),
    attempts: Type.Optional(Type.Integer()),
    endpoint: Type.Optional(Type.String()),
    status: Type.Optional(Type.Integer({ description: 'HTTP status that the model server answered with.' })),
    budget: Type.Optional(Type.String()),
  },
  { $id: 'Failure' },
)
export type FailureResource = Static<typeof FailureResource>

/** Sum over every call to a model, failed tries included. */
export const UsageResource = Type.Object(
  {
    input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    cached_tokens: Type.Integer(),
    reasoning_tokens: Type.Integer(),
    llm_calls: Type.Integer(),
    cost_usd: Nullable(Type.Number({ description: 'null without a price, never 0.' })),
    estimated: Type.Boolean({ description: 'A server did not report its tokens, or a call was cut off.' }),
  },
  { $id: 'Usage' },
)
export type UsageResource = Static<typeof UsageResource>

/** Links of a workflow or a task, as paths. */
export const LinksResource = Type.Object(
  { self: Type.String(), events: Type.String(), artifacts: Type.String(), cancel: Type.String() },
  { $id: 'Links' },
)
export type LinksResource = Static<typeof LinksResource>

/** A workflow's webhook; its secret is never shown. */
export const WebhookResource = Type.Object(
  { url: Type.String(), events: Type.Array(literals(lifecycleTypes)) },
  { $id: 'Webhook' },
)
export type WebhookResource = Static<typeof WebhookResource>

/** One event on its way to a webhook, with every try. */
export const DeliveryResource = Type.Object(
  {
    id: Type.String({ description: 'The `webhook-id` of every try.' }),
    event: literals(lifecycleTypes),
    seq: Type.Integer({ description: 'Of the event.' }),
    status: literals(['pending', 'delivered', 'failed', 'disabled']),
    attempts: Type.Array(
      Type.Object({
        at: Time(),
        status_code: Nullable(Type.Integer({ description: 'Of the answer; null: there was none.' })),
        error: Nullable(Type.String()),
        duration_ms: Type.Number(),
      }),
    ),
    created_at: Time(),
    next_try_at: Nullable(Time()),
    delivered_at: Nullable(Time()),
  },
  { $id: 'Delivery' },
)
export type DeliveryResource = Static<typeof DeliveryResource>

const RejectedArtifact = Type.Object({ path: Type.String(), reason: Type.String() })

const stepFields = {
  id: Type.String(),
  role: Type.String(),
  task_id: Type.String(),
  status: StepStatusValue,
  attempt: Type.Integer({ description: 'The last one opened, 0 before.' }),
  depends_on: Type.Array(Type.String()),
  started_at: Nullable(Time()),
  ended_at: Nullable(Time()),
  duration_ms: Type.Number({ description: 'Time spent running, summed over the attempts.' }),
  endpoint: Nullable(Type.String()),
  model: Nullable(Type.String()),
  finish_reason: Nullable(Type.String()),
  truncated_input: Type.Boolean(),
  output: Nullable(Type.String()),
  edited: Type.Boolean(),
  artifacts: Type.Array(Type.String()),
  rejected_artifacts: Type.Array(RejectedArtifact),
  usage: refTo(UsageResource),
  reason: Nullable(Type.String()),
  dependency: Type.Optional(Type.String({ description: 'Of a skipped step: the one that made it so.' })),
  error: Nullable(refTo(FailureResource)),
}

/** One step of a workflow. */
export const StepResource = Type.Object(stepFields, { $id: 'Step' })
export type StepResource = Static<typeof StepResource>

/** One text that a step made, or began to make. */
export const AttemptResource = Type.Object(
  {
    attempt: Type.Integer(),
    status: literals(['open', 'kept', 'void']),
    started_at: Time(),
    ended_at: Nullable(Time()),
    endpoint: Nullable(Type.String()),
    model: Nullable(Type.String()),
    usage: refTo(UsageResource),
    finish_reason: Nullable(Type.String()),
    output: Nullable(Type.String({ description: 'Of a kept attempt.' })),
    error: Nullable(refTo(FailureResource)),
  },
  { $id: 'Attempt' },
)
export type AttemptResource = Static<typeof AttemptResource>

/** One step with its attempts, oldest first. */
export const StepDetailResource = Type.Object(
  { ...stepFields, attempts: Type.Array(refTo(AttemptResource)) },
  { $id: 'StepDetail' },
)
export type StepDetailResource = Static<typeof StepDetailResource>

const summaryFields = {
  id: Type.String(),
  type: Type.String(),
  status: WorkflowStatusValue,
  reason: Nullable(Type.String()),
  requirement: Type.String(),
  metadata: Metadata(),
  options: FreeObject(),
  webhook: Type.Optional(refTo(WebhookResource)),
  created_at: Time(),
  started_at: Nullable(Time()),
  ended_at: Nullable(Time()),
  duration_ms: Type.Number({ description: 'Time spent running.' }),
  progress: Type.Object({ completed: Type.Integer(), total: Type.Integer() }),
  usage: refTo(UsageResource),
  error: Nullable(refTo(FailureResource)),
  correlation_id: Type.String(),
  links: refTo(LinksResource),
}

/** A workflow in a list: without its steps and its context. */
export const WorkflowSummary = Type.Object(summaryFields, { $id: 'WorkflowSummary' })
export type WorkflowSummary = Static<typeof WorkflowSummary>

/** A workflow. */
export const WorkflowResource = Type.Object(
  { ...summaryFields, context: FreeObject(), steps: Type.Array(refTo(StepResource)) },
  { $id: 'Workflow' },
)
export type WorkflowResource = Static<typeof WorkflowResource>

/** A direct task: one step behind another door; its status is that of its step. */
export const TaskResource = Type.Object(
  {
    id: Type.String(),
    role: Type.String(),
    task: Type.String(),
    task_type: Nullable(Type.String()),
    status: StepStatusValue,
    reason: Nullable(Type.String()),
    attempt: Type.Integer(),
    output: Nullable(Type.String()),
    artifacts: Type.Array(Type.String()),
    usage: refTo(UsageResource),
    model: Nullable(Type.String()),
    finish_reason: Nullable(Type.String()),
    error: Nullable(refTo(FailureResource)),
    created_at: Time(),
    started_at: Nullable(Time()),
    ended_at: Nullable(Time()),
    duration_ms: Type.Number(),
    correlation_id: Type.String(),
    metadata: Metadata(),
    webhook: Type.Optional(refTo(WebhookResource)),
    links: refTo(LinksResource),
  },
  { $id: 'Task' },
)
export type TaskResource = Static<typeof TaskResource>

/** A task in a list: without its output. */
export const TaskSummary = Type.Omit(TaskResource, ['output'], { $id: 'TaskSummary' })
export type TaskSummary = Static<typeof TaskSummary>

/** A file that a step made. */
export const ArtifactResource = Type.Object(
  {
    path: Type.String(),
    step: Type.String(),
    role: Type.String(),
    attempt: Type.Integer(),
    bytes: Type.Integer(),
    sha256: Type.String(),
    media_type: Type.String(),
    version: Type.Integer(),
    created_at: Time(),
  },
  { $id: 'Artifact' },
)
export type ArtifactResource = Static<typeof ArtifactResource>

/** The DAG with its statuses; an edge goes from a step to one that depends on it. */
export const GraphResource = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    status: WorkflowStatusValue,
    nodes: Type.Array(
      Type.Object({ id: Type.String(), role: Type.String(), status: StepStatusValue, attempt: Type.Integer() }),
    ),
    edges: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
  },
  { $id: 'Graph' },
)
export type GraphResource = Static<typeof GraphResource>

/** A step that waits for a person. */
export const ApprovalResource = Type.Object(
  {
    workflow_id: Type.String(),
    type: Type.String({ description: 'Of the workflow.' }),
    step: Type.String(),
    role: Type.String(),
    attempt: Type.Integer({ description: 'The text that is to be judged.' }),
    waiting_since: Time(),
    expires_at: Nullable(Time()),
    links: Type.Object({ workflow: Type.String(), step: Type.String(), approve: Type.String(), reject: Type.String() }),
  },
  { $id: 'Approval' },
)
export type ApprovalResource = Static<typeof ApprovalResource>

/** An agent; there is one per role, so its id is the role. */
export const AgentResource = Type.Object(
  {
    id: Type.String(),
    role: Type.String(),
    title: Type.String(),
    description: Type.String(),
    enabled: Type.Boolean(),
    settings: Type.Object({
      model: Nullable(Type.String({ description: "null: the service's default." })),
      temperature: Nullable(Type.Number()),
      max_tokens: Nullable(Type.Integer()),
      config: FreeObject(),
    }),
    task_types: Type.Array(
      Type.Object({ name: Type.String(), title: Type.String(), deliverables: Type.Array(Type.String()) }),
    ),
    status: literals(['idle', 'working']),
    running: Type.Integer({ description: 'Steps that it works on now.' }),
    completed_today: Type.Integer({ description: 'Steps completed since midnight UTC.' }),
    usage_today: refTo(UsageResource),
    links: Type.Object({ self: Type.String(), tasks: Type.String() }),
  },
  { $id: 'Agent' },
)
export type AgentResource = Static<typeof AgentResource>

/** A template: what `type` of a start may name. */
export const WorkflowTypeResource = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    description: Type.String(),
    roles: Type.Array(Type.String()),
    steps: Type.Array(
      Type.Object({
        id: Type.String(),
        role: Type.String(),
        task_type: Nullable(Type.String()),
        depends_on: Type.Array(Type.String()),
        on_failure: literals(['stop', 'continue']),
        approval: Type.Boolean({ description: 'Its result waits for a person.' }),
      }),
    ),
    input: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'JSON Schema of the context that a start gives.',
    }),
    links: Type.Object({ self: Type.String() }),
  },
  { $id: 'WorkflowType' },
)
export type WorkflowTypeResource = Static<typeof WorkflowTypeResource>
