import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** A fault as events and the resource carry it. */
export const EventError = Type.Object({ code: Type.String(), message: Type.String() })
/** A fault as events and the resource carry it. */
export type EventError = Static<typeof EventError>

/** One step of the DAG that `workflow.queued` tells. */
export const PlannedStep = Type.Object({
  id: Type.String(),
  role: Type.String(),
  depends_on: Type.Array(Type.String()),
})
/** One step of the DAG that `workflow.queued` tells. */
export type PlannedStep = Static<typeof PlannedStep>

/** Tokens and calls, summed. `cost_usd` is null without a price. */
export const Usage = Type.Object({
  input_tokens: Type.Number(),
  output_tokens: Type.Number(),
  llm_calls: Type.Optional(Type.Number()),
  cost_usd: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  estimated: Type.Optional(Type.Boolean()),
})
/** Tokens and calls, summed. `cost_usd` is null without a price. */
export type Usage = Static<typeof Usage>

/** One event of the stream as it is on the wire; which fields are there depends on `type`. */
export const StreamEvent = Type.Object({
  type: Type.String(),
  workflow_id: Type.String(),
  step: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  attempt: Type.Optional(Type.Number()),
  /** Of a delta: where `text` begins in the attempt's output, in UTF-16 code units. */
  offset: Type.Optional(Type.Number()),
  text: Type.Optional(Type.String()),
  n: Type.Optional(Type.Number()),
  delay_ms: Type.Optional(Type.Number()),
  duration_ms: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  path: Type.Optional(Type.String()),
  bytes: Type.Optional(Type.Number()),
  status: Type.Optional(Type.String()),
  /** A code; of a skipped step the service may tell the dependency that failed beside it. */
  reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  dependency: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  error: Type.Optional(Type.Union([EventError, Type.Null()])),
  artifacts: Type.Optional(Type.Array(Type.Unknown())),
  usage: Type.Optional(Usage),
  steps: Type.Optional(Type.Array(PlannedStep)),
})
/** One event of the stream as it is on the wire; which fields are there depends on `type`. */
export type StreamEvent = Static<typeof StreamEvent>

/** Reads the `data:` of one frame. Throws when it is not an event. */
export function parseStreamEvent(data: string): StreamEvent {
  const value: unknown = JSON.parse(data)
  if (Value.Check(StreamEvent, value)) return value
  const fault = Value.Errors(StreamEvent, value).First()
  throw new Error(`The stream holds something that is no event (${fault?.path}: ${fault?.message}): ${data}`)
}

const ENDS: ReadonlySet<string> = new Set(['workflow.completed', 'workflow.failed', 'workflow.cancelled'])

/** Whether this event ends the workflow. */
export function endsWorkflow(event: StreamEvent): boolean {
  return ENDS.has(event.type)
}
