import { catalogueExamples, metricsExample } from './catalogue-examples.ts'
import { problemPages } from './problem-pages.ts'
import { eventListExample, workflowExamples } from './workflow-examples.ts'

const startExamples = {
  feature: {
    summary: 'A template',
    value: {
      type: 'feature_development',
      requirement: 'Create a REST API for user authentication with JWT',
      context: { language: 'python', framework: 'fastapi' },
      options: { temperature: 0.2, max_tokens: 4096, timeout_seconds: 600, budget: { max_llm_calls: 40 } },
      metadata: { ticket: 'ABC-1' },
    },
  },
  approvals: {
    summary: 'A template whose design a person approves',
    value: {
      type: 'feature_development',
      requirement: 'A REST API for invoices',
      approvals: ['architecture_design'],
      options: { max_revisions: 2 },
    },
  },
  bugFix: {
    summary: 'A bug to fix',
    value: {
      type: 'bug_fix',
      requirement: 'Fix the login',
      context: { bug_description: 'A password with an umlaut is refused.' },
      files: [{ path: 'src/login.py', content: 'def login(user, password): ...' }],
    },
  },
  told: {
    summary: 'One that tells of its end',
    value: {
      type: 'documentation',
      requirement: 'A manual of the payment service',
      webhook: { url: 'https://hooks.example/agents', events: ['workflow.completed', 'workflow.failed'] },
    },
  },
  custom: {
    summary: 'A DAG of your own',
    value: {
      type: 'custom',
      requirement: 'A command line tool that counts words',
      steps: [
        { id: 'design', role: 'developer', task: 'Design the tool.' },
        { id: 'build', role: 'developer', task: 'Write it.', depends_on: ['design'], approval: true },
        { id: 'manual', role: 'technical_writer', task: 'Write its manual.', depends_on: ['build'] },
      ],
    },
  },
}

const taskExamples = {
  task: {
    summary: 'One task',
    value: { task: 'Review this function.', files: [{ path: 'src/app.py', content: 'def add(a, b): return a - b' }] },
  },
}

const resumeExamples = {
  asItWas: { summary: 'As it was', value: {} },
  otherwise: { summary: 'With other options', value: { options: { model: 'qwen3:14b', timeout_seconds: 1200 } } },
}

const rerunExamples = {
  again: { summary: 'Once more', value: {} },
  feedback: { summary: 'With what is wanted otherwise', value: { feedback: 'Use Argon2 instead of bcrypt.' } },
}

const approveExamples = {
  asItIs: { summary: 'As it is', value: { attempt: 1 } },
  edited: {
    summary: 'With an edited output',
    value: { attempt: 1, output: '# Architecture\n\nOne service, one database.' },
  },
}

const rejectExamples = {
  feedback: { summary: 'With what is wanted otherwise', value: { attempt: 1, feedback: 'Too many services.' } },
}

const waitingWorkflow = '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e'

const approval = {
  workflow_id: 'wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e',
  type: 'feature_development',
  step: 'architecture_design',
  role: 'developer',
  attempt: 1,
  waiting_since: '2026-01-14T10:30:00.000Z',
  expires_at: '2026-01-21T10:30:00.000Z',
  links: {
    workflow: waitingWorkflow,
    step: `${waitingWorkflow}/steps/architecture_design`,
    approve: `${waitingWorkflow}/steps/architecture_design/approve`,
    reject: `${waitingWorkflow}/steps/architecture_design/reject`,
  },
}

const delivery = {
  id: 'msg_wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e_42',
  event: 'workflow.completed',
  seq: 42,
  status: 'delivered',
  attempts: [
    { at: '2026-01-14T10:30:00.000Z', status_code: 503, error: 'the answer was 503', duration_ms: 41 },
    { at: '2026-01-14T10:30:05.000Z', status_code: 204, error: null, duration_ms: 38 },
  ],
  created_at: '2026-01-14T10:30:00.000Z',
  next_try_at: null,
  delivered_at: '2026-01-14T10:30:05.000Z',
}

/** Examples of the JSON bodies of POSTs, by path. */
export const requestExamples: Readonly<Record<string, unknown>> = {
  '/workflows': startExamples,
  '/workflows/{id}/resume': resumeExamples,
  '/workflows/{id}/steps/{step}/rerun': rerunExamples,
  '/workflows/{id}/steps/{step}/approve': approveExamples,
  '/workflows/{id}/steps/{step}/reject': rejectExamples,
  '/agents/{role}/tasks': taskExamples,
  '/agents/{role}/tasks/{id}/resume': resumeExamples,
}

/** Examples of what is answered, by the name of the schema. */
export const resourceExamples: Readonly<Record<string, unknown>> = {
  ...workflowExamples,
  ...catalogueExamples,
  Approval: approval,
  Delivery: delivery,
}

const healthy = catalogueExamples['Health'] as Readonly<Record<string, unknown>>
const notFound = problemPages.find(({ name }) => name === 'not-found')

const streamTicket = {
  ticket: '1768393800000.mF3kqWJ0bq2d8vQmFf6JXy0uTg3nq0YtC1oW7b5sHZk.anna',
  expires_at: '2026-01-14T12:30:00.000Z',
}

/** Examples of what has no schema of its own, or is not what one expects of it, by path and status. */
export const pathExamples: Readonly<Record<string, unknown>> = {
  '/workflows/{id}/events 200': eventListExample,
  '/agents/{role}/tasks/{id}/events 200': eventListExample,
  '/workflows/{id}/events/ticket 201': streamTicket,
  '/agents/{role}/tasks/{id}/events/ticket 201': streamTicket,
  '/health 503': {
    ...healthy,
    status: 'unhealthy',
    checks: { database: { status: 'failed', detail: 'It does not answer.' } },
  },
  '/livez 200': { status: 'ok' },
  '/readyz 200': { status: 'ready' },
  '/metrics.json 200': metricsExample,
  '/openapi.json 200': { openapi: '3.1.0', info: { title: 'LLM Multi-Agent Service', version: '0.1.0' }, paths: {} },
  '/problems 200': { data: [notFound] },
  '/problems/{name} 200': notFound,
}
