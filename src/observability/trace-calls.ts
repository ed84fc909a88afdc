import type { LlmEvent, Model } from '../llm/model.ts'
import type { TraceIds } from '../trace-context.ts'
import { traceContext, withTraceIds } from '../trace-context.ts'
import type { SpanContext, SpanWriter } from './span.ts'
import { newSpanContext, readTraceparent, workflowSpan, writeTraceparent } from './trace-parent.ts'
import { attemptSpan } from './trace-workflows.ts'

type CallEnded = Extract<LlmEvent, { type: 'llm.call_ended' }>

const harmless: ReadonlySet<string> = new Set(['success', 'aborted'])

/** The same model; each call is made under a span of its own, which the model server is told of. */
export function traceCalls(model: Model, writer: SpanWriter): Model {
  const stream: Model['stream'] = (request, signal) => {
    const context = newSpanContext(writer, parentOf(writer, traceContext.getStore() ?? {}))
    return withTraceIds({ callTraceparent: writeTraceparent(context) }, () => model.stream(request, signal))
  }
  return { ...model, stream }
}

export interface CallTracerParts {
  readonly writer: SpanWriter
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Base URL of an endpoint. */
  readonly urlOf: (endpoint: string) => string | undefined
}

/** Writes a span for each call to a model server when it has ended. Nothing of prompt, answer or message. */
export function observeCalls({ writer, now, urlOf }: CallTracerParts): (event: LlmEvent) => void {
  return (event) => {
    if (event.type !== 'llm.call_ended') return
    const ids = traceContext.getStore() ?? {}
    const context = readTraceparent(ids.callTraceparent)
    if (context === null || !context.sampled) return
    const endedAt = now()
    writer.write({
      name: `chat ${event.model}`,
      kind: 'client',
      context,
      parent: parentOf(writer, ids),
      startedAt: endedAt - event.durationMs,
      endedAt,
      attributes: { ...callAttributes(event), ...placeAttributes(urlOf(event.endpoint)), ...workAttributes(ids) },
      error: harmless.has(event.outcome) ? null : event.outcome,
    })
  }
}

/** The attempt that a call is made in; without one, whatever caused it. */
function parentOf(writer: SpanWriter, ids: TraceIds): SpanContext | null {
  const { workflowId, taskId, attempt, traceparent = null } = ids
  if (workflowId === undefined) return readTraceparent(traceparent)
  const { context } = workflowSpan(writer, { id: workflowId, traceparent })
  if (taskId === undefined || attempt === undefined) return context
  return attemptSpan(writer, context, { taskId, attempt })
}

function callAttributes({ endpoint, model, outcome, usage, firstTokenMs, status }: CallEnded) {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai_compatible',
    'gen_ai.request.model': model,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'gen_ai.response.time_to_first_chunk': firstTokenMs === null ? null : firstTokenMs / 1000,
    'http.response.status_code': status,
    'llm.endpoint': endpoint,
    'error.type': outcome === 'success' ? null : outcome,
  }
}

function placeAttributes(url: string | undefined) {
  if (url === undefined || !URL.canParse(url)) return {}
  const { hostname, port, protocol } = new URL(url)
  const standardPort = protocol === 'https:' ? 443 : 80
  return { 'server.address': hostname, 'server.port': port === '' ? standardPort : Number(port) }
}

function workAttributes({ workflowId, taskId, agentId }: TraceIds) {
  return { 'gen_ai.conversation.id': workflowId, 'gen_ai.agent.id': agentId, 'workflow.task_id': taskId }
}
