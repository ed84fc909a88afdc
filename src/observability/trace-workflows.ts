import type { LifecycleEvent } from '../workflows/events.ts'
import type { ChangeObserver } from '../workflows/publish-change.ts'
import type { AttemptRecord } from '../workflows/store.ts'
import type { StepState, WorkflowState } from '../workflows/workflow.ts'
import { hasEnded } from '../workflows/workflow.ts'
import { numberOf, tableOf } from './event-data.ts'
import type { SpanContext, SpanWriter } from './span.ts'
import { spanWithin, workflowSpan } from './trace-parent.ts'

export interface WorkflowTracerParts {
  readonly writer: SpanWriter
  /** The stored events of a workflow, from the first. */
  readonly eventsOf: (workflowId: string) => Promise<readonly LifecycleEvent[]>
}

export interface WorkflowTracer {
  readonly observe: ChangeObserver
  /** Resolves when every span of what has ended so far is written. */
  settled(): Promise<void>
}

/**
 * Writes a span for each attempt of a step when it is closed, and one for each workflow when it ends, on whichever
 * replica that happens: their ids follow from the workflow, their times are stored.
 */
export function traceWorkflows({ writer, eventsOf }: WorkflowTracerParts): WorkflowTracer {
  const open = new Set<Promise<void>>()

  const writeEnd = async (state: WorkflowState, event: LifecycleEvent): Promise<void> => {
    const run = await findRun(state, event, eventsOf)
    const { context, parent } = workflowSpan(writer, state)
    const isFirst = run.revivedBy === null
    writer.write({
      ...describeEnd(state, event),
      context: isFirst ? context : spanWithin(writer, context, ['revival', run.revivedBy]),
      parent: isFirst ? parent : context,
      startedAt: run.startedAt,
      endedAt: event.at,
    })
  }

  return {
    observe: ({ state, events, attempts }) => {
      const { context } = workflowSpan(writer, state)
      if (!context.sampled) return
      for (const attempt of attempts) writeAttempt(writer, { state, context, attempt })
      const end = events.findLast(({ type }) => isEndOf(state, type))
      if (end === undefined) return
      const writing = writeEnd(state, end).finally(() => open.delete(writing))
      open.add(writing)
    },
    settled: async () => void (await Promise.all(open)),
  }
}

function isEndOf({ status }: WorkflowState, type: LifecycleEvent['type']): boolean {
  return hasEnded(status) && type === `workflow.${status}`
}

/** When the run that ends here began, and the number of the event that revived it; null: it is the first. */
async function findRun(
  { id, createdAt }: WorkflowState,
  { seq: endSeq }: LifecycleEvent,
  eventsOf: WorkflowTracerParts['eventsOf'],
): Promise<{ readonly startedAt: number; readonly revivedBy: number | null }> {
  // When they cannot be read, the span is that of a first run: nearly all are.
  const events = await eventsOf(id).catch(() => [])
  const revival = events.findLast(
    ({ seq, type, data }) => seq < endSeq && type === 'workflow.resumed' && data['from'] !== 'waiting',
  )
  return revival === undefined
    ? { startedAt: createdAt, revivedBy: null }
    : { startedAt: revival.at, revivedBy: revival.seq }
}

function describeEnd({ id, kind, type, status, reason, error, correlationId }: WorkflowState, event: LifecycleEvent) {
  const usage = tableOf(event.data, 'usage')
  return {
    name: `invoke_workflow ${type}`,
    kind: 'internal',
    attributes: {
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': type,
      'gen_ai.conversation.id': id,
      'gen_ai.usage.input_tokens': numberOf(usage, 'input_tokens'),
      'gen_ai.usage.output_tokens': numberOf(usage, 'output_tokens'),
      'workflow.kind': kind,
      'workflow.status': status,
      'workflow.reason': reason,
      'workflow.correlation_id': correlationId,
      'error.type': status === 'failed' ? (error?.code ?? reason) : null,
    },
    error: status === 'failed' ? (error?.code ?? reason ?? 'failed') : null,
  } as const
}

interface ClosedAttempt {
  readonly state: WorkflowState
  readonly context: SpanContext
  readonly attempt: AttemptRecord
}

/** The span of one attempt: the same wherever it is closed, and known to the calls that are made in it. */
export function attemptSpan(
  writer: Pick<SpanWriter, 'samples'>,
  workflow: SpanContext,
  { taskId, attempt }: { readonly taskId: string; readonly attempt: number },
): SpanContext {
  return spanWithin(writer, workflow, [taskId, attempt])
}

function writeAttempt(writer: SpanWriter, { state, context, attempt: record }: ClosedAttempt): void {
  const step = state.steps[record.stepIndex]
  if (step === undefined || record.endedAt === null || record.status === 'open') return
  const { taskId } = step
  const error = record.status === 'void' ? (record.error?.code ?? state.reason ?? 'void') : null
  writer.write({
    name: `invoke_agent ${step.definition.role}`,
    kind: 'internal',
    context: attemptSpan(writer, context, { taskId, attempt: record.attempt }),
    parent: context,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    attributes: attemptAttributes(state, step, record),
    error,
  })
}

function attemptAttributes({ id }: WorkflowState, { definition, taskId }: StepState, record: AttemptRecord) {
  const { role } = definition
  return {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.id': role,
    'gen_ai.agent.name': role,
    'gen_ai.conversation.id': id,
    'gen_ai.request.model': record.model,
    'gen_ai.response.finish_reasons': record.finishReason === null ? null : [record.finishReason],
    'workflow.step': definition.id,
    'workflow.step.attempt': record.attempt,
    'workflow.task_id': taskId,
    'workflow.attempt.status': record.status,
    'llm.endpoint': record.endpoint,
    'error.type': record.error?.code ?? null,
  }
}
