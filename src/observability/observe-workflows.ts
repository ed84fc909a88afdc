import type { CommittedEvent, LifecycleEvent, LifecycleType, WorkflowObserver } from '../workflows/events.ts'
import { failureCodeOf, numberOf, quotingCodes, tableOf, textOf } from './event-data.ts'
import type { Log, Logger } from './log.ts'
import type { LogFields } from './log-line.ts'
import type { Metrics } from './metrics.ts'
import { neverThrowing } from './never-throwing.ts'

const longestReason = 500

export interface WorkflowObserverParts {
  readonly log: Log
  /** null: nothing is measured. */
  readonly metrics: Metrics | null
}

/**
 * Logs and measures every committed event: workflows under `workflows.engine`, steps under `agents.<role>`. Never
 * throws. Neither requirement nor output is among the fields.
 */
export function observeWorkflows({ log, metrics }: WorkflowObserverParts): WorkflowObserver {
  const engine = log.logger('workflows.engine')
  const agents = new Map<string, Logger>()
  const agentLogger = (role: string): Logger => {
    const logger = agents.get(role) ?? log.logger(`agents.${role}`)
    agents.set(role, logger)
    return logger
  }
  return neverThrowing(engine, (committed) => {
    if (committed.step === null) logWorkflow(engine, committed)
    else logStep(agentLogger(committed.step.role), committed)
    metrics?.recordWorkflow(committed)
  })
}

type Severity = keyof Logger
type Lines = Partial<Record<LifecycleType, readonly [severity: Severity, message: string]>>

const workflowLines: Lines = {
  'workflow.queued': ['info', 'accepted'],
  'workflow.started': ['info', 'started'],
  'workflow.waiting': ['info', 'waits for a person'],
  'workflow.resumed': ['info', 'resumed'],
  'workflow.completed': ['info', 'completed'],
  'workflow.failed': ['error', 'failed'],
  'workflow.cancelled': ['info', 'cancelled'],
}

const stepLines: Lines = {
  'step.queued': ['debug', 'Task queued'],
  'step.started': ['info', 'Task started'],
  'step.retrying': ['warning', 'Task begins a new attempt'],
  'step.continued': ['info', 'The output limit was hit; the model goes on'],
  'artifact.created': ['debug', 'Artifact created'],
  'step.completed': ['info', 'Task completed successfully'],
  'step.incomplete': ['warning', 'Task incomplete'],
  'step.waiting': ['info', 'Task waits for a person'],
  'step.approved': ['info', 'Task approved'],
  'step.rejected': ['info', 'Task rejected'],
  'step.failed': ['error', 'Task failed'],
  'step.skipped': ['info', 'Task skipped'],
  'step.cancelled': ['info', 'Task cancelled'],
}

function logWorkflow(logger: Logger, { workflow, event }: CommittedEvent): void {
  const [severity, message] = workflowLines[event.type] ?? ['debug', event.type]
  const noun = workflow.kind === 'task' ? 'Direct task' : 'Workflow'
  logger[severity](`${noun} ${message}${because(event)}`, {
    correlationId: event.correlationId,
    // The step that ended last is at work when its workflow ends: the line is not about it.
    agentId: null,
    taskId: null,
    workflowId: workflow.id,
    durationMs: numberOf(event.data, 'duration_ms'),
    errorCode: failureCodeOf(event.data),
    type: workflow.type,
    reason: textOf(event.data, 'reason'),
    ...usageFields(event.data),
  })
}

function logStep(logger: Logger, committed: CommittedEvent): void {
  const { event } = committed
  const [severity, message] = stepLines[event.type] ?? ['debug', event.type]
  const isPlanned = failureCodeOf(event.data) === 'shutdown'
  logger[isPlanned ? 'info' : severity](`${message}${because(event)}`, stepFields(committed))
}

function stepFields({ workflow, step, event }: CommittedEvent): LogFields {
  const { data } = event
  return {
    correlationId: event.correlationId,
    agentId: step?.role ?? null,
    taskId: step?.taskId ?? null,
    workflowId: workflow.id,
    durationMs: numberOf(data, 'duration_ms'),
    errorCode: failureCodeOf(data),
    step: event.step,
    attempt: event.attempt,
    delayMs: numberOf(data, 'delay_ms'),
    endpoint: textOf(data, 'endpoint'),
    model: textOf(data, 'model'),
    reason: textOf(data, 'reason'),
    dependency: textOf(data, 'dependency'),
    finishReason: textOf(data, 'finish_reason'),
    path: textOf(data, 'path'),
    ...usageFields(data),
  }
}

function usageFields(data: LifecycleEvent['data']): LogFields {
  const usage = tableOf(data, 'usage')
  return {
    inputTokens: numberOf(usage, 'input_tokens'),
    outputTokens: numberOf(usage, 'output_tokens'),
    llmCalls: numberOf(usage, 'llm_calls'),
  }
}

function because(event: LifecycleEvent): string {
  const message = quotingCodes.has(failureCodeOf(event.data) ?? '')
    ? null
    : textOf(tableOf(event.data, 'error'), 'message')
  return message === null ? '' : `: ${message.slice(0, longestReason)}`
}
