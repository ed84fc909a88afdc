import type {
  AgentResource,
  ApprovalResource,
  StepDetailResource,
  TaskResource,
  UsageResource,
  WorkflowResource,
  WorkflowTypeResource,
} from '../../src/workflows/resources.ts'

const createdAt = '2026-01-14T10:30:00.000Z'

const usage: UsageResource = {
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  reasoning_tokens: 0,
  llm_calls: 0,
  cost_usd: null,
  estimated: false,
}

function links(self: string) {
  return { self, events: `${self}/events`, artifacts: `${self}/artifacts`, cancel: `${self}/cancel` }
}

/** A queued workflow without steps. */
export function fakeWorkflow(
  id: string,
  given: Partial<WorkflowResource> & Pick<WorkflowResource, 'type' | 'correlation_id'>,
): WorkflowResource {
  return {
    id,
    status: 'queued',
    reason: null,
    requirement: '',
    context: {},
    metadata: {},
    options: {},
    created_at: createdAt,
    started_at: null,
    ended_at: null,
    duration_ms: 0,
    progress: { completed: 0, total: 0 },
    steps: [],
    usage,
    error: null,
    links: links(`/workflows/${id}`),
    ...given,
  }
}

/** A queued task. */
export function fakeTask(
  id: string,
  given: Partial<TaskResource> & Pick<TaskResource, 'role' | 'task' | 'correlation_id'>,
): TaskResource {
  return {
    id,
    task_type: null,
    status: 'queued',
    reason: null,
    attempt: 0,
    output: null,
    artifacts: [],
    usage,
    model: null,
    finish_reason: null,
    error: null,
    created_at: createdAt,
    started_at: null,
    ended_at: null,
    duration_ms: 0,
    metadata: {},
    links: links(`/agents/${given.role}/tasks/${id}`),
    ...given,
  }
}

/** A step without attempts. */
export function fakeStep(id: string, status: StepDetailResource['status']): StepDetailResource {
  return {
    id,
    role: 'developer',
    task_id: 'task_0',
    status,
    attempt: 1,
    depends_on: [],
    started_at: createdAt,
    ended_at: null,
    duration_ms: 0,
    endpoint: null,
    model: null,
    finish_reason: null,
    truncated_input: false,
    output: null,
    edited: false,
    artifacts: [],
    rejected_artifacts: [],
    usage,
    reason: null,
    error: null,
    attempts: [],
  }
}

/** The open gate of the step `work`. */
export function fakeApproval(workflowId: string): ApprovalResource {
  const workflow = `/workflows/${workflowId}`
  const step = `${workflow}/steps/work`
  return {
    workflow_id: workflowId,
    type: 'analysis',
    step: 'work',
    role: 'developer',
    attempt: 1,
    waiting_since: createdAt,
    expires_at: null,
    links: { workflow, step, approve: `${step}/approve`, reject: `${step}/reject` },
  }
}

/** A template whose context needs the given fields. */
export function fakeType(type: string, required: readonly string[] = []): WorkflowTypeResource {
  const properties = Object.fromEntries(required.map((name) => [name, { type: 'string', minLength: 1 }]))
  return {
    type,
    title: type,
    description: type,
    roles: ['developer'],
    steps: [{ id: 'work', role: 'developer', task_type: null, depends_on: [], on_failure: 'stop', approval: false }],
    input: { type: 'object', properties, required: [...required] },
    links: { self: `/workflow-types/${type}` },
  }
}

/** An idle agent. */
export function fakeAgent(role: string): AgentResource {
  return {
    id: role,
    role,
    title: role,
    description: role,
    enabled: true,
    settings: { model: null, temperature: null, max_tokens: null, config: {} },
    task_types: [],
    status: 'idle',
    running: 0,
    completed_today: 0,
    usage_today: usage,
    links: { self: `/agents/${role}`, tasks: `/agents/${role}/tasks` },
  }
}
