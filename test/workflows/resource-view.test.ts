import { describe, expect, test as base } from 'vitest'
import { createRoles } from '../../src/agents/roles.ts'
import { viewAgent, viewTemplate } from '../../src/workflows/catalogue-view.ts'
import {
  etagOf,
  viewArtifact,
  viewGraph,
  viewStep,
  viewStepDetail,
  viewSummary,
  viewTask,
  viewWorkflow,
} from '../../src/workflows/resource-view.ts'
import type { StoredArtifact, WorkflowRecord } from '../../src/workflows/store.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { teamOf } from '../agents/agent-task.ts'
import { scriptedModel } from '../agents/scripted-model.ts'
import { createResourceCheck } from './wire-schemas.ts'
import type { CheckWire } from './wire-schemas.ts'
import { closedAttempt } from './table-row.ts'
import { definition, failure, stepNamed, times, usage, workflowOf } from './workflow-states.ts'

const test = base.extend<{ check: CheckWire }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants the pattern
  check: [async ({}, use) => use(await createResourceCheck()), { scope: 'file' }],
})

const state = workflowOf(
  'running',
  [
    { id: 'a', status: 'completed', artifacts: ['src/a.ts'], usage },
    { id: 'b', status: 'running', after: ['a'], usage: { ...usage, costUsd: 0.25, estimated: true } },
    { id: 'c', status: 'pending', after: ['a', 'b'] },
    { id: 'd', status: 'failed', rejectedArtifacts: [{ path: '../x', reason: 'leaves the workflow' }] },
    { id: 'e', status: 'skipped', after: ['d'], dependency: 'd' },
    { id: 'f', status: 'incomplete' },
    { id: 'g', status: 'cancelled' },
    { id: 'h', status: 'queued' },
    { id: 'i', status: 'waiting' },
  ],
  { options: { temperature: 0.2 } },
)

function recordOf(of: WorkflowState): WorkflowRecord {
  return {
    state: of,
    input: {
      requirement: 'Build a login.',
      context: { language: 'python' },
      metadata: { ticket: 'ABC-1' },
      options: { temperature: 0.2, timeout_seconds: 60 },
      webhook: null,
    },
    outputs: new Map([
      [0, 'the output'],
      [5, 'half of it'],
    ]),
  }
}

const record = recordOf(state)

const ended = workflowOf('failed', [{ id: 'a', status: 'failed' }], {
  reason: 'step_failed',
  error: failure('llm_error', { attempts: 4, endpoint: 'default', status: 500, retryable: true }),
})

const task: WorkflowRecord = {
  ...recordOf({
    ...ended,
    id: 'task_1',
    kind: 'task',
    type: 'task',
    steps: ended.steps.map((step) => ({ ...step, definition: definition('task', { taskType: 'code_review' }) })),
  }),
  outputs: new Map(),
}

const artifact: StoredArtifact = {
  path: 'src/a.ts',
  stepIndex: 0,
  attempt: 1,
  version: 2,
  mediaType: 'text/x-typescript',
  bytes: 12,
  sha256: 'aa',
  createdAt: times.changed,
}

test('the check knows a missing, a wrong and an unknown field', ({ check }) => {
  const { id: _id, ...nameless } = viewSummary(record, times.now)
  expect(check('WorkflowSummary', nameless)).toHaveLength(1)
  const view = viewWorkflow(record, times.now)
  expect(check('Workflow', { ...view, colour: 'red' })).toHaveLength(1)
  const steps = view.steps.map((step) =>
    step.id === 'a' ? { ...step, usage: { ...step.usage, llm_calls: 'two' } } : step,
  )
  expect(check('Workflow', { ...view, steps })).toHaveLength(1)
})

describe('every view is what its schema says, field by field', () => {
  test('workflow', ({ check }) => {
    expect(check('Workflow', viewWorkflow(record, times.now))).toEqual([])
    expect(check('Workflow', viewWorkflow(recordOf(ended), times.now))).toEqual([])
  })

  test('summary', ({ check }) => {
    expect(check('WorkflowSummary', viewSummary(record, times.now))).toEqual([])
  })

  test.for(state.steps.map((step) => [step.status, step] as const))('step that is %s', ([, step], { check }) => {
    expect(check('Step', viewStep(step, null, times.now))).toEqual([])
  })

  test('step with its attempts', ({ check }) => {
    const attempts = [
      { ...closedAttempt('void', { error: failure() }), usage, output: null },
      { ...closedAttempt('kept', { attempt: 2, finishReason: 'stop' }), usage, output: 'the output' },
      { ...closedAttempt('void', { attempt: 3, status: 'open', endedAt: null }), usage, output: null },
    ]
    const detail = viewStepDetail(stepNamed(state, 'a'), { output: 'the output', attempts }, times.now)
    expect(check('StepDetail', detail)).toEqual([])
    expect(detail.attempts.map(({ attempt, status, output }) => [attempt, status, output])).toEqual([
      [1, 'void', null],
      [2, 'kept', 'the output'],
      [3, 'open', null],
    ])
  })

  test('task', ({ check }) => {
    expect(check('Task', viewTask(task, times.now))).toEqual([])
  })

  test('artifact', ({ check }) => {
    const view = viewArtifact(artifact, state)
    expect(check('Artifact', view)).toEqual([])
    expect(view).toMatchObject({ step: 'a', role: 'developer', created_at: '1970-01-01T00:00:05.000Z' })
  })

  test('graph', ({ check }) => {
    const view = viewGraph(state)
    expect(check('Graph', view)).toEqual([])
    expect(view.edges).toContainEqual({ from: 'a', to: 'c' })
    expect(view.edges).toHaveLength(4)
  })

  test('agents', ({ check }) => {
    const { profiles } = teamOf(scriptedModel([]), { roles: createRoles() })
    const today = new Map([['developer', { usage, completedSteps: 3 }]])
    const views = profiles.map((profile) => viewAgent(profile, { today, busy: new Map([['developer', 2]]) }))
    expect(views.flatMap((view) => check('Agent', view))).toEqual([])
    expect(views.find((view) => view.role === 'developer')).toMatchObject({
      status: 'working',
      running: 2,
      completed_today: 3,
      usage_today: { input_tokens: 30, llm_calls: 2 },
    })
    expect(views.find((view) => view.role === 'qa_engineer')).toMatchObject({ status: 'idle', completed_today: 0 })
  })

  test('workflow types', ({ check }) => {
    expect(builtInTemplates.flatMap((template) => check('WorkflowType', viewTemplate(template)))).toEqual([])
  })
})

describe('a workflow', () => {
  test('shows what the client gave, and what became of it', () => {
    expect(viewWorkflow(record, times.now)).toMatchObject({
      id: state.id,
      status: 'running',
      requirement: 'Build a login.',
      context: { language: 'python' },
      metadata: { ticket: 'ABC-1' },
      options: { temperature: 0.2, timeout_seconds: 60 },
      created_at: '1970-01-01T00:00:01.000Z',
      started_at: '1970-01-01T00:00:02.000Z',
      ended_at: null,
      progress: { completed: 1, total: 9 },
      usage: { input_tokens: 60, output_tokens: 24, llm_calls: 4, cost_usd: 0.25, estimated: true },
      correlation_id: 'start',
      links: {
        self: `/workflows/${state.id}`,
        events: `/workflows/${state.id}/events`,
        artifacts: `/workflows/${state.id}/artifacts`,
        cancel: `/workflows/${state.id}/cancel`,
      },
    })
  })

  test('in a list has neither steps nor context', () => {
    const fields = Object.keys(viewSummary(record, times.now))
    expect(fields).not.toContain('steps')
    expect(fields).not.toContain('context')
  })

  test('costs null without a price, never 0', () => {
    expect(viewSummary(recordOf(ended), times.now).usage.cost_usd).toBeNull()
  })

  test('counts the time that it spends running, also while it does', () => {
    expect(viewSummary(record, times.now).duration_ms).toBe(8000)
    expect(viewSummary(record, 0).duration_ms).toBe(0)
    expect(viewSummary(recordOf(ended), times.now).duration_ms).toBe(3000)
  })
})

describe('a step', () => {
  test('has the text that it kept, the time of all its attempts, and why it was skipped', () => {
    const { steps } = viewWorkflow(record, times.now)
    const step = (id: string) => steps.find((candidate) => candidate.id === id)
    expect(step('a')).toMatchObject({ output: 'the output', artifacts: ['src/a.ts'], task_id: 'task_a', edited: false })
    expect(step('b')).toMatchObject({ output: null, duration_ms: 6500, depends_on: ['a'] })
    expect(step('d')?.rejected_artifacts).toEqual([{ path: '../x', reason: 'leaves the workflow' }])
    expect(step('e')).toMatchObject({ reason: 'dependency_failed', dependency: 'd' })
    expect(step('f')).toMatchObject({ output: 'half of it', error: { code: 'output_limit' } })
  })
})

describe('a direct task', () => {
  test('is its one step behind its own door', () => {
    expect(viewTask(task, times.now)).toMatchObject({
      id: 'task_1',
      role: 'developer',
      task: 'do task',
      task_type: 'code_review',
      status: 'failed',
      attempt: 1,
      output: null,
      error: { code: 'llm_error' },
      links: { self: '/agents/developer/tasks/task_1', events: '/agents/developer/tasks/task_1/events' },
    })
  })
})

describe('the validator', () => {
  const changed = (change: Partial<WorkflowState>) => etagOf({ ...state, ...change })
  const withUsage = (more: Partial<typeof usage>) =>
    changed({ steps: state.steps.map((step) => (step.index === 0 ? { ...step, usage: { ...usage, ...more } } : step)) })

  test('is weak, and the same for the same', () => {
    expect(etagOf(state)).toMatch(/^W\/"[\x21\x23-\x7e]+"$/)
    expect(changed({})).toBe(etagOf(state))
  })

  test('changes with every event and with usage', () => {
    const tags = [
      etagOf(state),
      changed({ seq: 11 }),
      withUsage({ llmCalls: 3 }),
      withUsage({ inputTokens: 31 }),
      withUsage({ outputTokens: 14 }),
    ]
    expect(new Set(tags).size).toBe(tags.length)
  })
})
