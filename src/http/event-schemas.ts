import type { TProperties, TSchema } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import { FailureResource, UsageResource, WorkflowStatusValue } from '../workflows/resources.ts'

const refTo = (schema: TSchema) => Type.Unsafe<unknown>({ $ref: `${schema.$id}#` })
const Nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])

const seq = Type.Integer({ minimum: 1, description: '1, 2, 3 … per workflow, without gaps.' })
const attempt = Type.Integer({ description: 'The last attempt opened.' })
const step = Type.String({ description: 'Id of the step; `task` of a direct task.' })
const duration = Type.Number()

/** One family of events: the same fields under several types. */
function family(name: string, types: readonly string[], fields: TProperties): TSchema {
  return Type.Object(
    {
      id: Type.Optional(
        Type.String({ description: 'The cursor, in the JSON form; in a stream it is the `id:` line.' }),
      ),
      type: Type.Unsafe<string>({ type: 'string', enum: [...types] }),
      workflow_id: Type.String(),
      at: Type.String({ format: 'date-time' }),
      correlation_id: Type.String(),
      ...fields,
    },
    { $id: name },
  )
}

const results: TProperties = {
  output: Type.String(),
  artifacts: Type.Array(Type.String()),
  usage: refTo(UsageResource),
  finish_reason: Nullable(Type.String()),
  model: Nullable(Type.String()),
  endpoint: Nullable(Type.String()),
  duration_ms: duration,
  error: Type.Optional(refTo(FailureResource)),
  rejected_artifacts: Type.Optional(Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }))),
  edited: Type.Optional(Type.Boolean({ description: 'true: the output is what a person made of it.' })),
}

const families: readonly TSchema[] = [
  family('WorkflowQueued', ['workflow.queued'], {
    seq,
    status: WorkflowStatusValue,
    created_at: Type.String({ format: 'date-time' }),
    workflow_type: Type.String(),
    steps: Type.Array(
      Type.Object({
        id: Type.String(),
        role: Type.String(),
        task_id: Type.String(),
        depends_on: Type.Array(Type.String()),
      }),
      {
        description: 'The DAG.',
      },
    ),
  }),
  family('WorkflowMoved', ['workflow.started', 'workflow.waiting'], { seq, status: WorkflowStatusValue }),
  family('WorkflowResumed', ['workflow.resumed'], {
    seq,
    status: WorkflowStatusValue,
    from: Type.Unsafe<string>({ ...WorkflowStatusValue, description: 'The status left.' }),
    reset: Type.Array(Type.String(), { description: 'Ids of the steps that left an ended state.' }),
  }),
  family('WorkflowEnded', ['workflow.completed', 'workflow.failed', 'workflow.cancelled'], {
    seq,
    status: WorkflowStatusValue,
    reason: Nullable(Type.String()),
    usage: refTo(UsageResource),
    duration_ms: duration,
    error: Type.Optional(refTo(FailureResource)),
  }),
  family('StepQueued', ['step.queued'], { seq, step, role: Type.String(), attempt }),
  family('StepStarted', ['step.started'], {
    seq,
    step,
    role: Type.String(),
    task_id: Type.String(),
    attempt,
    model: Nullable(Type.String()),
    endpoint: Nullable(Type.String()),
  }),
  family('StepDelta', ['step.delta'], {
    step,
    attempt,
    offset: Type.Integer({ description: "Of this text in the attempt's output, in UTF-16 code units." }),
    text: Type.String(),
  }),
  family('StepReasoning', ['step.reasoning'], { step, attempt, text: Type.String() }),
  family('StepRetrying', ['step.retrying'], {
    seq,
    step,
    attempt: Type.Integer({ description: 'The one that is void.' }),
    delay_ms: Type.Number({ description: 'To the earliest next try.' }),
    error: refTo(FailureResource),
  }),
  family('StepContinued', ['step.continued'], { seq, step, attempt, n: Type.Integer() }),
  family('ArtifactCreated', ['artifact.created'], {
    seq,
    step,
    attempt,
    path: Type.String(),
    bytes: Type.Integer(),
    sha256: Type.String(),
    version: Type.Integer(),
  }),
  family('StepDone', ['step.completed', 'step.incomplete'], { seq, step, attempt, ...results }),
  family('StepWaiting', ['step.waiting'], {
    seq,
    step,
    attempt,
    ...results,
    expires_at: Nullable(Type.String({ format: 'date-time', description: 'It fails unless answered before.' })),
  }),
  family('StepAnswered', ['step.approved', 'step.rejected'], {
    seq,
    step,
    attempt: Type.Integer({ description: 'The one that was judged.' }),
    feedback: Type.Optional(Type.String()),
  }),
  family('StepNotDone', ['step.failed', 'step.skipped', 'step.cancelled'], {
    seq,
    step,
    attempt,
    error: Type.Optional(refTo(FailureResource)),
    reason: Type.Optional(Type.String()),
    dependency: Type.Optional(Type.String()),
  }),
]

/** Any event: what `data:` of a frame holds. */
export const EventSchema = Type.Unsafe<unknown>({
  $id: 'Event',
  description: 'What `data:` of a frame holds. Clients ignore types and fields that they do not know.',
  anyOf: families.map((schema) => ({ $ref: `${schema.$id}#` })),
})

/** Every named schema of the events. */
export const eventSchemas: readonly TSchema[] = [...families, EventSchema]
