import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { lifecycleTypes } from './events.ts'
import type { LifecycleType } from './events.ts'

const refTo = <T extends TSchema>(schema: T) => Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })

/** Holds at least one character that is not white space. */
const notBlank = { minLength: 1, pattern: '\\S' } as const

/** A JSON object with any content. Not `Type.Record`: its pattern misses keys that hold a line break. */
const FreeObject = (description: string) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, maxProperties: 1000, description })

const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 500 },
  propertyNames: { type: 'string', minLength: 1, maxLength: 64 },
  maxProperties: 50,
  description: 'Labels of your own, shown in the resource and usable as filter; at most 50 of at most 500 characters.',
})

/** A file that the user hands in. The path is judged by the edge: it must not leave the workflow. */
export const SourceFile = Type.Object(
  {
    path: Type.String({ minLength: 1, maxLength: 1024, description: 'Relative path, as src/app.py.' }),
    content: Type.String({ maxLength: 2_000_000 }),
  },
  { $id: 'SourceFile', additionalProperties: false },
)
export type SourceFile = Static<typeof SourceFile>

const runOptions = {
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Model to ask.' })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  max_tokens: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Output limit of one call to the model.' }),
  ),
  stream: Type.Optional(Type.Boolean({ description: 'false: ask the model server for plain answers.' })),
  timeout_seconds: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, maximum: 604_800, description: 'Time that one start of a step may take.' }),
  ),
  max_revisions: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10, description: 'How often a rejected step runs again.' }),
  ),
}

/** Options of one step; they win over the workflow's. */
export const StepOptions = Type.Object(runOptions, { $id: 'StepOptions', additionalProperties: false })
export type StepOptions = Static<typeof StepOptions>

/** What a workflow, or a direct task, may spend over all its steps, tries and resumes. */
export const BudgetOptions = Type.Object(
  {
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000_000_000, description: 'Tokens, input and output together.' }),
    ),
    max_llm_calls: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Calls to a model, failed ones too; never exceeded.',
      }),
    ),
    max_duration_seconds: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 31_536_000, description: 'Time that it may spend running.' }),
    ),
    max_cost_usd: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1_000_000_000,
        description: 'Needs a price of every model (LLM_PRICES).',
      }),
    ),
  },
  { $id: 'Budget', additionalProperties: false },
)
export type BudgetOptions = Static<typeof BudgetOptions>

/** Options of a whole workflow, or of a direct task. */
export const WorkflowOptions = Type.Object(
  {
    ...runOptions,
    priority: Type.Optional(
      Type.Integer({ minimum: -100, maximum: 100, description: 'Higher first, then fair among API keys, then age.' }),
    ),
    budget: Type.Optional(refTo(BudgetOptions)),
  },
  { $id: 'WorkflowOptions', additionalProperties: false },
)
export type WorkflowOptions = Static<typeof WorkflowOptions>

/** One step of a `custom` workflow. Unknown roles, task types and dependencies are for the service to judge. */
export const CustomStep = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$', description: 'Unique in the workflow.' }),
    role: Type.String({ minLength: 1, maxLength: 64, description: 'Agent that does it.' }),
    task: Type.String({ ...notBlank, maxLength: 100_000, description: 'What is asked for.' }),
    task_type: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "One of the role's task types." }),
    ),
    depends_on: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 50,
        uniqueItems: true,
        description: 'Ids of the steps whose results it needs.',
      }),
    ),
    on_failure: Type.Optional(
      Type.Unsafe<'stop' | 'continue'>({
        type: 'string',
        enum: ['stop', 'continue'],
        description: 'continue: later steps run even if this one fails.',
      }),
    ),
    approval: Type.Optional(
      Type.Boolean({ description: 'true: its result waits for a person before anything goes on from it.' }),
    ),
    context: Type.Optional(FreeObject('What only this step is to know.')),
    options: Type.Optional(refTo(StepOptions)),
  },
  { $id: 'CustomStep', additionalProperties: false },
)
export type CustomStep = Static<typeof CustomStep>

/** Where a workflow's events are told. What the URL and the secret have to be beyond this, the edge checks. */
export const WebhookRequest = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2000, description: 'https or http, without credentials.' }),
    events: Type.Array(Type.Unsafe<LifecycleType>({ type: 'string', enum: [...lifecycleTypes] }), {
      minItems: 1,
      maxItems: lifecycleTypes.length,
      uniqueItems: true,
      description: 'Types of the events to be told of.',
    }),
    secret: Type.Optional(
      Type.String({
        maxLength: 200,
        writeOnly: true,
        description: 'Signs the messages: whsec_ and 24 to 64 bytes in base64. Left out: the secret of the service.',
      }),
    ),
  },
  { $id: 'WebhookRequest', additionalProperties: false },
)
export type WebhookRequest = Static<typeof WebhookRequest>

const Files = Type.Array(refTo(SourceFile), { maxItems: 200, description: 'Files to work with; at most 200.' })

/** Body of `POST /workflows`. That `steps` comes with `custom` and only with it, the edge checks. */
export const StartWorkflow = Type.Object(
  {
    type: Type.String({ minLength: 1, maxLength: 64, description: 'A template, or custom with steps.' }),
    requirement: Type.String({ ...notBlank, maxLength: 100_000 }),
    context: Type.Optional(FreeObject('Facts that every step is to know, as language or framework.')),
    files: Type.Optional(Files),
    steps: Type.Optional(
      Type.Array(refTo(CustomStep), { minItems: 1, maxItems: 50, description: 'The DAG of a custom workflow.' }),
    ),
    approvals: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 50,
        uniqueItems: true,
        description: 'Ids of the steps whose results wait for a person.',
      }),
    ),
    options: Type.Optional(refTo(WorkflowOptions)),
    webhook: Type.Optional(refTo(WebhookRequest)),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'StartWorkflow', additionalProperties: false },
)
export type StartWorkflow = Static<typeof StartWorkflow>

/** Body of `POST /agents/:role/tasks`. */
export const StartTask = Type.Object(
  {
    task: Type.String({ ...notBlank, maxLength: 100_000, description: 'What is asked for.' }),
    task_type: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "One of the role's task types." }),
    ),
    context: Type.Optional(FreeObject('Facts that the agent is to know.')),
    files: Type.Optional(Files),
    options: Type.Optional(refTo(WorkflowOptions)),
    webhook: Type.Optional(refTo(WebhookRequest)),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'StartTask', additionalProperties: false },
)
export type StartTask = Static<typeof StartTask>

/** Body of a resume: options are merged with those that there are, key by key. */
export const ResumeWorkflow = Type.Object(
  { options: Type.Optional(refTo(WorkflowOptions)) },
  { $id: 'ResumeWorkflow', additionalProperties: false },
)
export type ResumeWorkflow = Static<typeof ResumeWorkflow>

const feedback = { ...notBlank, maxLength: 100_000 }

/** Body of `POST …/rerun`. */
export const RerunStep = Type.Object(
  {
    feedback: Type.Optional(Type.String({ ...feedback, description: 'What is wanted otherwise.' })),
    options: Type.Optional(refTo(WorkflowOptions)),
  },
  { $id: 'RerunStep', additionalProperties: false },
)
export type RerunStep = Static<typeof RerunStep>

const Attempt = Type.Integer({ minimum: 1, description: 'The attempt that is judged; without it the one that waits.' })

/** Body of `POST …/approve`. */
export const ApproveStep = Type.Object(
  {
    attempt: Type.Optional(Attempt),
    output: Type.Optional(
      Type.String({ ...notBlank, maxLength: 2_000_000, description: 'The output as you edited it; its files count.' }),
    ),
  },
  { $id: 'ApproveStep', additionalProperties: false },
)
export type ApproveStep = Static<typeof ApproveStep>

/** Body of `POST …/reject`. */
export const RejectStep = Type.Object(
  {
    attempt: Type.Optional(Attempt),
    feedback: Type.String({ ...feedback, description: 'What is wanted otherwise: the next attempt is given it.' }),
  },
  { $id: 'RejectStep', additionalProperties: false },
)
export type RejectStep = Static<typeof RejectStep>
