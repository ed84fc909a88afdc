import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import {
  CustomStep,
  RejectStep,
  SourceFile,
  StartTask,
  StartWorkflow,
  BudgetOptions,
  StepOptions,
  WebhookRequest,
  WorkflowOptions,
} from '../workflows/requests.ts'
import {
  AgentResource,
  ApprovalResource,
  ArtifactResource,
  AttemptResource,
  DeliveryResource,
  FailureResource,
  GraphResource,
  LinksResource,
  StepDetailResource,
  StepResource,
  TaskResource,
  TaskSummary,
  UsageResource,
  WebhookResource,
  WorkflowResource,
  WorkflowSummary,
  WorkflowTypeResource,
} from '../workflows/resources.ts'
import { eventSchemas } from './event-schemas.ts'
import type { HttpApp } from './http-app.ts'
import { HealthReportSchema } from './health-schema.ts'

/** RFC 9457, as every refusal has it. */
const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'A page that explains it: /problems/NAME.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    correlation_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer into the body, or name of a parameter or header.' }),
          detail: Type.String(),
        }),
      ),
    ),
    workflow_status: Type.Optional(Type.String()),
    step_status: Type.Optional(Type.String()),
  },
  { $id: 'Problem' },
)

const shared: readonly TSchema[] = [
  SourceFile,
  BudgetOptions,
  StepOptions,
  WorkflowOptions,
  CustomStep,
  WebhookRequest,
  StartWorkflow,
  StartTask,
  RejectStep,
  FailureResource,
  UsageResource,
  LinksResource,
  WebhookResource,
  DeliveryResource,
  StepResource,
  AttemptResource,
  StepDetailResource,
  WorkflowSummary,
  WorkflowResource,
  TaskResource,
  TaskSummary,
  ArtifactResource,
  ApprovalResource,
  GraphResource,
  AgentResource,
  WorkflowTypeResource,
  HealthReportSchema,
  ProblemSchema,
  ...eventSchemas,
]

/** Makes every named schema known, for `refTo` and for the description. */
export function addSchemas(app: HttpApp): void {
  for (const schema of shared) app.addSchema(schema)
}

/** A reference to a named schema, with its type. */
export function refTo<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })
}

/** The schema of a body that may be left out; it is then null. */
export function optionalBody<T extends TObject>({ properties, additionalProperties }: T) {
  return Type.Unsafe<Static<T> | null>({ type: 'object', nullable: true, properties, additionalProperties })
}

/** `{data, next}` of a list. */
export function pageOf(schema: TSchema): TSchema {
  return Type.Object({
    data: Type.Array(refTo(schema)),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Give it back as after; null at the end.' }),
  })
}

const problemDescriptions: Readonly<Record<number, string>> = {
  400: 'The request is not valid; `errors` names what is at fault.',
  401: 'No key, or one that is not known.',
  403: 'The key has not the scope that this needs.',
  404: 'There is no such thing, or it is of another key.',
  406: 'The answer has no form that the client accepts.',
  409: 'The state does not allow it.',
  413: 'The body is too large.',
  415: 'The body is not JSON in UTF-8, or it is compressed.',
  416: 'The range is outside of the file; `Content-Range` says how many bytes it has.',
  422: 'Well-formed, but it cannot be done as a whole; or the Idempotency-Key was used for another request.',
  429: 'Too many requests, or too much waits already; see `Retry-After`.',
  503: 'Not now: starting, shutting down, overloaded, or the database is away; see `Retry-After`.',
}

/** Responses for the description: refusals of a route by status. */
export function problems(...statuses: readonly number[]): Record<number, unknown> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: problemDescriptions[status] ?? 'Refused.',
        content: { 'application/problem+json': { schema: refTo(ProblemSchema) } },
      },
    ]),
  )
}

/** One response for the description: its forms by media type. */
export function answer(description: string, content: Readonly<Record<string, unknown>>): unknown {
  return {
    description,
    content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
  }
}

/** A response without a body. */
export function emptyAnswer(description: string): unknown {
  return { type: 'null', description }
}

/** A stream of server-sent events. */
export const eventStreamSchema = Type.String({
  description:
    'Server-sent events: `id:` is the cursor, `event:` the type, `data:` one JSON object (see the schema Event).',
})
