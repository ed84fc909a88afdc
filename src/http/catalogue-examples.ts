import { usage } from './workflow-examples.ts'

const taskSummary = {
  id: 'task_019bbd4f1b2c7d3e8f4a5b6c7d8e9f01',
  role: 'developer',
  task: 'Review this function.',
  task_type: null,
  status: 'completed',
  reason: null,
  attempt: 1,
  artifacts: ['src/app.py'],
  usage: usage,
  model: 'qwen3:14b',
  finish_reason: 'stop',
  error: null,
  created_at: '2026-01-14T10:30:02.157Z',
  started_at: '2026-01-14T10:30:02.177Z',
  ended_at: '2026-01-14T10:30:02.201Z',
  duration_ms: 24,
  correlation_id: '019bbd4e-5c70-7a1b-8c2d-3e4f5a6b7c8d',
  metadata: {},
  links: {
    self: '/agents/developer/tasks/task_019bbd4f1b2c7d3e8f4a5b6c7d8e9f01',
    events: '/agents/developer/tasks/task_019bbd4f1b2c7d3e8f4a5b6c7d8e9f01/events',
    artifacts: '/agents/developer/tasks/task_019bbd4f1b2c7d3e8f4a5b6c7d8e9f01/artifacts',
    cancel: '/agents/developer/tasks/task_019bbd4f1b2c7d3e8f4a5b6c7d8e9f01/cancel',
  },
}

/** Answers about tasks, agents, templates and the service, by the name of their schema. */
export const catalogueExamples: Readonly<Record<string, unknown>> = {
  Task: { ...taskSummary, output: 'Done.\n```python:src/app.py\nprint("hello")\n```\n' },
  TaskSummary: taskSummary,
  Agent: {
    id: 'developer',
    role: 'developer',
    title: 'Developer',
    description: 'Designs the architecture, writes complete code with unit tests, fixes bugs at their cause, reviews.',
    enabled: true,
    settings: {
      model: null,
      temperature: null,
      max_tokens: null,
      config: {
        languages: ['python', 'javascript', 'typescript'],
        frameworks: ['fastapi', 'react', 'django'],
        gitlab_integration: true,
      },
    },
    task_types: [
      {
        name: 'architecture_design',
        title: 'Architecture design',
        deliverables: [
          '`docs/architecture.md`: stack, components, data model, flows, cross-cutting concerns, source tree, decisions, risks',
        ],
      },
    ],
    status: 'idle',
    running: 0,
    completed_today: 2,
    usage_today: {
      input_tokens: 1624,
      output_tokens: 480,
      cached_tokens: 0,
      reasoning_tokens: 0,
      llm_calls: 2,
      cost_usd: null,
      estimated: false,
    },
    links: { self: '/agents/developer', tasks: '/agents/developer/tasks' },
  },
  WorkflowType: {
    type: 'documentation',
    title: 'Documentation',
    description: 'From a subject to an outline, the documents and a technical review of them.',
    roles: ['business_analyst', 'technical_writer', 'developer'],
    steps: [
      {
        id: 'documentation_requirements',
        role: 'business_analyst',
        task_type: 'documentation_requirements',
        depends_on: [],
        on_failure: 'stop',
        approval: false,
      },
      {
        id: 'documentation_creation',
        role: 'technical_writer',
        task_type: 'documentation_creation',
        depends_on: ['documentation_requirements'],
        on_failure: 'stop',
        approval: false,
      },
      {
        id: 'technical_review',
        role: 'developer',
        task_type: 'technical_review',
        depends_on: ['documentation_creation'],
        on_failure: 'stop',
        approval: false,
      },
    ],
    input: {
      type: 'object',
      properties: {
        doc_type: { type: 'string', description: 'Kind of document, as "tutorial" or "api_reference"' },
        audience: { type: 'string', description: 'Who reads it, as "developers"' },
      },
      required: [],
      additionalProperties: true,
    },
    links: { self: '/workflow-types/documentation' },
  },
  Health: {
    status: 'healthy',
    version: '0.1.0',
    uptime_seconds: 2.8,
    active_clients: 1,
    success_rate: 1,
    request_count: 2,
    checks: {
      database: { status: 'ok', detail: 'ok' },
      queue: { status: 'ok', detail: 'ok' },
      llm: { status: 'ok', detail: 'default: 2 requests, 0 failed, 0 in flight, 216 ms on average.' },
    },
  },
}

/** The JSON view of the metrics. */
export const metricsExample = {
  counters: { 'llm.request': 2, 'llm.success': 2, 'llm.error': 0, 'workflow.start': 1, 'workflow.complete': 1 },
  gauges: { 'workflow.queued': 0, 'agent.busy': 0 },
  histograms: {
    'llm.request.duration_ms': {
      count: 2,
      min: 8.818,
      max: 423.542,
      avg: 216.18,
      p50: 8.818,
      p95: 423.542,
      p99: 423.542,
    },
  },
}
