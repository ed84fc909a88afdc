/** What the calls of one step have cost. */
export const usage = {
  input_tokens: 812,
  output_tokens: 240,
  cached_tokens: 0,
  reasoning_tokens: 0,
  llm_calls: 1,
  cost_usd: null,
  estimated: false,
}

const step = {
  id: 'build',
  role: 'developer',
  task_id: 'task_019bbd4e5c7b7c1da2b3c4d5e6f70819',
  status: 'completed',
  attempt: 1,
  depends_on: [],
  started_at: '2026-01-14T10:30:01.566Z',
  ended_at: '2026-01-14T10:30:02.063Z',
  duration_ms: 497,
  endpoint: 'default',
  model: 'qwen3:14b',
  finish_reason: 'stop',
  truncated_input: false,
  output: 'Done.\n```python:src/app.py\nprint("hello")\n```\n',
  edited: false,
  artifacts: ['src/app.py'],
  rejected_artifacts: [],
  usage: usage,
  reason: null,
  error: null,
}

const summary = {
  id: 'wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
  type: 'custom',
  status: 'completed',
  reason: null,
  requirement: 'A command line tool that counts words',
  metadata: { ticket: 'ABC-1' },
  options: {},
  created_at: '2026-01-14T10:30:01.297Z',
  started_at: '2026-01-14T10:30:01.529Z',
  ended_at: '2026-01-14T10:30:02.063Z',
  duration_ms: 534,
  progress: { completed: 1, total: 1 },
  usage: usage,
  error: null,
  correlation_id: '019bbd4e-5c70-7a1b-8c2d-3e4f5a6b7c8d',
  links: {
    self: '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
    events: '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e/events',
    artifacts: '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e/artifacts',
    cancel: '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e/cancel',
  },
}

const workflow = { ...summary, context: { language: 'python' }, steps: [step] }

/** Answers about workflows, by the name of their schema. */
export const workflowExamples: Readonly<Record<string, unknown>> = {
  Workflow: workflow,
  WorkflowSummary: summary,
  StepDetail: {
    ...step,
    attempts: [
      {
        attempt: 1,
        status: 'kept',
        started_at: '2026-01-14T10:30:01.566Z',
        ended_at: '2026-01-14T10:30:02.063Z',
        endpoint: 'default',
        model: 'qwen3:14b',
        usage: usage,
        finish_reason: 'stop',
        output: 'Done.\n```python:src/app.py\nprint("hello")\n```\n',
        error: null,
      },
    ],
  },
  Artifact: {
    path: 'src/app.py',
    step: 'build',
    role: 'developer',
    attempt: 1,
    bytes: 15,
    sha256: 'b80792336156c7b0f7fe02eeef24610d2d52a10d1810397744471d1dc5738180',
    media_type: 'text/x-python',
    version: 1,
    created_at: '2026-01-14T10:30:02.063Z',
  },
  Graph: {
    id: 'wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
    type: 'custom',
    status: 'completed',
    nodes: [{ id: 'build', role: 'developer', status: 'completed', attempt: 1 }],
    edges: [],
  },
}

/** The JSON form of a stream. */
export const eventListExample = {
  data: [
    {
      id: '1f0a8b6c4d2e-1',
      type: 'workflow.queued',
      workflow_id: 'wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
      seq: 1,
      at: '2026-01-14T10:30:01.297Z',
      correlation_id: '019bbd4e-5c70-7a1b-8c2d-3e4f5a6b7c8d',
      status: 'queued',
      created_at: '2026-01-14T10:30:01.297Z',
      workflow_type: 'custom',
      steps: [{ id: 'build', role: 'developer', task_id: 'task_019bbd4e5c7b7c1da2b3c4d5e6f70819', depends_on: [] }],
    },
    {
      id: '1f0a8b6c4d2e-7',
      type: 'workflow.completed',
      workflow_id: 'wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
      seq: 7,
      at: '2026-01-14T10:30:02.063Z',
      correlation_id: '019bbd4e-5c70-7a1b-8c2d-3e4f5a6b7c8d',
      status: 'completed',
      reason: null,
      usage: usage,
      duration_ms: 534,
    },
  ],
  next: '1f0a8b6c4d2e-7',
  done: true,
}
