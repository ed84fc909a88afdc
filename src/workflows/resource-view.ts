import type {
  ArtifactResource,
  AttemptResource,
  GraphResource,
  StepDetailResource,
  StepResource,
  TaskResource,
  TaskSummary,
  WorkflowResource,
  WorkflowSummary,
} from './resources.ts'
import type { StoredArtifact, StoredAttempt, WorkflowRecord } from './store.ts'
import { wireTime, wireUsage } from './wire.ts'
import { addUsage, noUsage } from './workflow.ts'
import type { StepState, Usage, WorkflowState } from './workflow.ts'

/** The whole resource, with the kept texts. */
export function viewWorkflow(record: WorkflowRecord, now: number): WorkflowResource {
  return {
    ...viewSummary(record, now),
    context: record.input.context,
    steps: record.state.steps.map((step) => viewStep(step, record.outputs.get(step.index) ?? null, now)),
  }
}

/** The resource as a list shows it: without steps and context. */
export function viewSummary({ state, input }: WorkflowRecord, now: number): WorkflowSummary {
  return {
    id: state.id,
    type: state.type,
    status: state.status,
    reason: state.reason,
    requirement: input.requirement ?? '',
    metadata: input.metadata,
    options: input.options,
    ...viewWebhook(input),
    ...viewTimes(state, now),
    progress: {
      completed: state.steps.filter((step) => step.status === 'completed').length,
      total: state.steps.length,
    },
    usage: wireUsage(usageOf(state)),
    error: state.error,
    correlation_id: state.correlationId,
    links: viewLinks(`/workflows/${state.id}`),
  }
}

/** One step, with its kept text if there is one. */
export function viewStep(step: StepState, kept: string | null, now: number): StepResource {
  const { output, artifacts, rejectedArtifacts } = resultOf(step, kept)
  return {
    id: step.definition.id,
    role: step.definition.role,
    task_id: step.taskId,
    status: step.status,
    attempt: step.attempt,
    depends_on: [...step.definition.dependsOn],
    started_at: wireTime(step.startedAt),
    ended_at: wireTime(step.endedAt),
    duration_ms: durationOf(step, now),
    endpoint: step.endpoint,
    model: step.model,
    finish_reason: step.finishReason,
    truncated_input: step.truncatedInput,
    output,
    edited: step.edited,
    artifacts: [...artifacts],
    rejected_artifacts: [...rejectedArtifacts],
    usage: wireUsage(step.usage),
    reason: step.reason,
    ...(step.dependency === null ? {} : { dependency: step.dependency }),
    error: step.error,
  }
}

/** A result is not shown while the step is to run again. */
function resultOf(step: StepState, kept: string | null) {
  const isRunningAgain = step.status === 'pending' || step.status === 'queued' || step.status === 'running'
  if (isRunningAgain) return { output: null, artifacts: [], rejectedArtifacts: [] }
  return { output: kept, artifacts: step.artifacts, rejectedArtifacts: step.rejectedArtifacts }
}

/** One step with all its attempts. */
export function viewStepDetail(
  step: StepState,
  { output, attempts }: { readonly output: string | null; readonly attempts: readonly StoredAttempt[] },
  now: number,
): StepDetailResource {
  return { ...viewStep(step, output, now), attempts: attempts.map(viewAttempt) }
}

function viewAttempt(attempt: StoredAttempt): AttemptResource {
  return {
    attempt: attempt.attempt,
    status: attempt.status,
    started_at: wireTime(attempt.startedAt),
    ended_at: wireTime(attempt.endedAt),
    endpoint: attempt.endpoint,
    model: attempt.model,
    usage: wireUsage(attempt.usage),
    finish_reason: attempt.finishReason,
    output: attempt.output,
    error: attempt.error,
  }
}

/** A direct task: its one step, behind its own door. */
export function viewTask({ state, input, outputs }: WorkflowRecord, now: number): TaskResource {
  const [step] = state.steps
  if (step === undefined) throw new Error(`task ${state.id} has no step`)
  const { role, instruction, taskType } = step.definition
  const { output, artifacts } = resultOf(step, outputs.get(0) ?? null)
  return {
    id: state.id,
    role,
    task: instruction ?? '',
    task_type: taskType,
    status: step.status,
    reason: step.reason,
    attempt: step.attempt,
    output,
    artifacts: [...artifacts],
    usage: wireUsage(step.usage),
    model: step.model,
    finish_reason: step.finishReason,
    error: step.error,
    ...viewTimes(state, now),
    correlation_id: state.correlationId,
    metadata: input.metadata,
    ...viewWebhook(input),
    links: viewLinks(`/agents/${role}/tasks/${state.id}`),
  }
}

/** A direct task as a list shows it: without its output. */
export function viewTaskSummary(record: WorkflowRecord, now: number): TaskSummary {
  const { output: _output, ...summary } = viewTask(record, now)
  return summary
}

/** A file in a list. */
export function viewArtifact(artifact: StoredArtifact, state: WorkflowState): ArtifactResource {
  const definition = state.steps[artifact.stepIndex]?.definition
  return {
    path: artifact.path,
    step: definition?.id ?? '',
    role: definition?.role ?? '',
    attempt: artifact.attempt,
    bytes: artifact.bytes,
    sha256: artifact.sha256,
    media_type: artifact.mediaType,
    version: artifact.version,
    created_at: wireTime(artifact.createdAt),
  }
}

/** The DAG with its statuses. */
export function viewGraph(state: WorkflowState): GraphResource {
  return {
    id: state.id,
    type: state.type,
    status: state.status,
    nodes: state.steps.map(({ definition, status, attempt }) => {
      return { id: definition.id, role: definition.role, status, attempt }
    }),
    edges: state.steps.flatMap(({ definition }) => definition.dependsOn.map((from) => ({ from, to: definition.id }))),
  }
}

/** A validator that changes with state and usage. */
export function etagOf(state: WorkflowState): string {
  const { inputTokens, outputTokens, llmCalls } = usageOf(state)
  return `W/"${state.seq}-${llmCalls}-${inputTokens + outputTokens}"`
}

/** Sum over the steps. */
function usageOf(state: WorkflowState): Usage {
  return state.steps.reduce((sum, step) => addUsage(sum, step.usage), noUsage)
}

/** Never its secret. */
function viewWebhook({ webhook }: WorkflowRecord['input']) {
  return webhook === null ? {} : { webhook: { url: webhook.url, events: [...webhook.events] } }
}

function viewTimes(state: WorkflowState, now: number) {
  return {
    created_at: wireTime(state.createdAt),
    started_at: wireTime(state.startedAt),
    ended_at: wireTime(state.endedAt),
    duration_ms: durationOf(state, now),
  }
}

function viewLinks(self: string) {
  return { self, events: `${self}/events`, artifacts: `${self}/artifacts`, cancel: `${self}/cancel` }
}

function durationOf({ runningMs, runningSince }: Pick<StepState, 'runningMs' | 'runningSince'>, now: number): number {
  return Math.round(runningMs + (runningSince === null ? 0 : Math.max(0, now - runningSince)))
}
