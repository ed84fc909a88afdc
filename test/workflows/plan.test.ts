import { describe, expect, test } from 'vitest'
import { createRoles } from '../../src/agents/roles.ts'
import { AppError } from '../../src/errors.ts'
import type { InputFault } from '../../src/errors.ts'
import { planTask, planWorkflow, stepDefinition } from '../../src/workflows/plan.ts'
import type { PlanParts } from '../../src/workflows/plan.ts'
import type { CustomStep, StartTask, StartWorkflow } from '../../src/workflows/requests.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'
import { teamOf } from '../agents/agent-task.ts'
import { noPrices } from '../support/no-prices.ts'
import { scriptedModel } from '../agents/scripted-model.ts'

const templates = new Map(builtInTemplates.map((template) => [template.type, template]))
const origin = {
  caller: { correlationId: 'request', traceparent: '00-aa-bb-01', idempotency: null },
  now: 1_700_000_000_000,
  jobId: 'job-1',
  owner: 'team-a',
}

function partsWith(settings: Readonly<Record<string, { enabled: boolean }>> = {}) {
  const agents = teamOf(scriptedModel([]), { roles: createRoles(), settings })
  return { agents, templates, listedModels: () => null, pricing: noPrices }
}

const parts = partsWith()
const withoutDeveloper = partsWith({ developer: { enabled: false } })

type StepSketch = Partial<CustomStep> & Pick<CustomStep, 'id'>

function customStep(sketch: StepSketch): CustomStep {
  return { role: 'developer', task: `do ${sketch.id}`, ...sketch }
}

function custom(...sketches: readonly StepSketch[]): StartWorkflow {
  return { type: 'custom', requirement: 'Build it.', steps: sketches.map(customStep) }
}

function refusal(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was taken')
}

function faultsOf(request: StartWorkflow, of: PlanParts = parts): readonly InputFault[] {
  const error = refusal(() => planWorkflow(of, request, origin))
  expect(error.code).toBe('invalid-workflow')
  return error.details.faults ?? []
}

describe('a workflow', () => {
  const request: StartWorkflow = {
    type: 'feature_development',
    requirement: 'Build a login.',
    context: { language: 'python' },
    files: [{ path: 'src/app.py', content: 'pass' }],
    metadata: { ticket: 'ABC-1' },
    options: { model: 'm', temperature: 0.2, max_tokens: 4096, stream: true, timeout_seconds: 1.5, priority: -7 },
  }

  test('begins queued and active, with its job, its roots ready', () => {
    const { state, events, input } = planWorkflow(parts, request, origin)
    expect(state).toMatchObject({
      kind: 'workflow',
      type: 'feature_development',
      status: 'queued',
      seq: events.length,
      active: true,
      activation: 1,
      jobId: 'job-1',
      claim: null,
      correlationId: 'request',
      traceparent: '00-aa-bb-01',
      createdAt: origin.now,
      updatedAt: origin.now,
      startedAt: null,
      endedAt: null,
    })
    expect(events.map((event) => [event.seq, event.type, event.step])).toEqual([
      [1, 'workflow.queued', null],
      [2, 'step.queued', 'requirements_analysis'],
    ])
    expect(state.steps.map((step) => [step.index, step.status, step.attempt])).toEqual(
      state.steps.map((_step, index) => [index, index === 0 ? 'queued' : 'pending', 0]),
    )
    const { type: _type, ...given } = request
    expect(input).toEqual({ ...given, webhook: null })
  })

  test('has its options in the terms of the service, the priority apart', () => {
    const { state } = planWorkflow(parts, request, origin)
    expect(state.priority).toBe(-7)
    expect(state.options).toEqual({ model: 'm', temperature: 0.2, maxTokens: 4096, stream: true, timeoutMs: 1500 })
  })

  test('with only what it must have has empty rest', () => {
    const { state, input } = planWorkflow(parts, { type: 'bug_fix', requirement: 'x' }, origin)
    expect(input).toEqual({ requirement: 'x', context: {}, files: [], metadata: {}, options: {}, webhook: null })
    expect([state.priority, state.options]).toEqual([0, {}])
  })

  test('has ids of its own, which sort by time', () => {
    const ids = Array.from({ length: 20 }, () => planWorkflow(parts, request, origin).state)
    const all = ids.flatMap(({ id, steps }) => [id, ...steps.map((step) => step.taskId)])
    expect(new Set(all).size).toBe(all.length)
    for (const id of ids.map((state) => state.id)) expect(id).toMatch(/^wf_[0-9a-f]{32}$/)
    for (const id of ids.flatMap(({ steps }) => steps.map((step) => step.taskId)))
      expect(id).toMatch(/^task_[0-9a-f]{32}$/)
    const times = ids.map(({ id }) => id.slice(3, 15))
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : Number(a > b))))
  })

  test('of an unknown type is told which there are', () => {
    expect(faultsOf({ type: 'poem', requirement: 'x' })).toEqual([
      {
        pointer: '/type',
        detail:
          '"poem" is not a workflow type; there are feature_development, bug_fix, infrastructure, documentation, analysis, custom',
      },
    ])
  })

  test.each(['constructor', '__proto__', 'toString'])('of the type %s is unknown too', (type) => {
    expect(faultsOf({ type, requirement: 'x' })[0]?.pointer).toBe('/type')
  })

  test('that needs a disabled role is refused', () => {
    const [fault] = faultsOf({ type: 'bug_fix', requirement: 'x' }, withoutDeveloper)
    expect(fault).toEqual({ pointer: '/type', detail: 'the role "developer" is disabled here' })
  })

  test('that does not need it is not', () => {
    const only = { id: 'a', role: 'qa_engineer' }
    expect(planWorkflow(withoutDeveloper, custom(only), origin).state.status).toBe('queued')
  })
})

describe('a custom workflow', () => {
  test('is made of the steps as they were given', () => {
    const { state, events } = planWorkflow(
      parts,
      custom(
        { id: 'report', depends_on: ['one', 'two'], role: 'technical_writer' },
        { id: 'one', task_type: 'code_review', on_failure: 'continue', context: { a: 1 }, options: { max_tokens: 5 } },
        { id: 'two' },
      ),
      origin,
    )
    expect(state.steps.map((step) => [step.definition.id, step.status])).toEqual([
      ['report', 'pending'],
      ['one', 'queued'],
      ['two', 'queued'],
    ])
    expect(state.steps[1]?.definition).toEqual({
      id: 'one',
      role: 'developer',
      taskType: 'code_review',
      instruction: 'do one',
      dependsOn: [],
      onFailure: 'continue',
      approval: false,
      context: { a: 1 },
      options: { maxTokens: 5 },
    })
    expect(events.map((event) => event.step)).toEqual([null, 'one', 'two'])
  })

  const faults: readonly { what: string; request: StartWorkflow; pointers: readonly string[] }[] = [
    { what: 'a duplicate id', request: custom({ id: 'a' }, { id: 'a' }), pointers: ['/steps/1/id'] },
    {
      what: 'an unknown dependency',
      request: custom({ id: 'a' }, { id: 'b', depends_on: ['a', 'x'] }),
      pointers: ['/steps/1/depends_on/1'],
    },
    {
      what: 'a step that depends on itself',
      request: custom({ id: 'a', depends_on: ['a'] }),
      pointers: ['/steps/0/depends_on/0'],
    },
    {
      what: 'a cycle',
      request: custom({ id: 'a', depends_on: ['c'] }, { id: 'b', depends_on: ['a'] }, { id: 'c', depends_on: ['b'] }),
      pointers: ['/steps/0/depends_on', '/steps/1/depends_on', '/steps/2/depends_on'],
    },
    { what: 'an unknown role', request: custom({ id: 'a' }, { id: 'b', role: 'poet' }), pointers: ['/steps/1/role'] },
    {
      what: 'a role that is in every object',
      request: custom({ id: 'a', role: 'constructor' }),
      pointers: ['/steps/0/role'],
    },
    {
      what: 'a task type of another role',
      request: custom({ id: 'a', task_type: 'bug_analysis' }),
      pointers: ['/steps/0/task_type'],
    },
    {
      what: 'everything at once',
      request: custom({ id: 'a', role: 'poet' }, { id: 'a', depends_on: ['x'], task_type: 'nothing' }),
      pointers: ['/steps/1/id', '/steps/1/depends_on/0', '/steps/0/role', '/steps/1/task_type'],
    },
  ]

  test.each(faults)('with $what is refused', ({ request, pointers }) => {
    expect(faultsOf(request).map((fault) => fault.pointer)).toEqual(pointers)
  })

  test('names step, role and what there is instead', () => {
    const [role] = faultsOf(custom({ id: 'verse', role: 'poet' }))
    expect(role?.detail).toBe(
      'step "verse": "poet" is not a role; there are business_analyst, developer, qa_engineer, devops_engineer, technical_writer',
    )
    const [type] = faultsOf(custom({ id: 'verse', task_type: 'poetry' }))
    expect(type?.detail).toMatch(
      /^step "verse": "poetry" is not a task type of developer; there are architecture_design, /,
    )
  })

  test('with a disabled role is told so, and of its task type as well', () => {
    const request = custom({ id: 'a', role: 'qa_engineer' }, { id: 'b', task_type: 'poetry' })
    expect(faultsOf(request, withoutDeveloper).map((fault) => fault.pointer)).toEqual([
      '/steps/1/role',
      '/steps/1/task_type',
    ])
  })

  test('may have fifty steps', () => {
    const steps = Array.from({ length: 50 }, (_step, index) => {
      return { id: `s${index}`, depends_on: index === 0 ? [] : [`s${index - 1}`] }
    })
    expect(planWorkflow(parts, custom(...steps), origin).state.steps).toHaveLength(50)
  })
})

describe('a direct task', () => {
  const plan = (request: StartTask, role = 'developer', of = parts) => planTask(of, { role, request }, origin)

  test('is a workflow of one step behind another door', () => {
    const { state, input, events } = plan({
      task: 'Review this.',
      task_type: 'code_review',
      context: { a: 1 },
      files: [{ path: 'a.ts', content: '' }],
      metadata: { k: 'v' },
      options: { priority: 3, timeout_seconds: 10 },
    })
    const [step] = state.steps
    expect(state).toMatchObject({ kind: 'task', type: 'task', priority: 3, options: { timeoutMs: 10_000 } })
    expect(state.id).toMatch(/^task_[0-9a-f]{32}$/)
    expect(step).toMatchObject({ taskId: state.id, status: 'queued' })
    expect(step?.definition).toMatchObject({
      id: 'task',
      role: 'developer',
      taskType: 'code_review',
      instruction: 'Review this.',
    })
    expect(input).toEqual({
      requirement: null,
      context: { a: 1 },
      files: [{ path: 'a.ts', content: '' }],
      metadata: { k: 'v' },
      options: { priority: 3, timeout_seconds: 10 },
      webhook: null,
    })
    expect(events.map((event) => [event.type, event.step])).toEqual([
      ['workflow.queued', null],
      ['step.queued', 'task'],
    ])
  })

  test.each(['poet', '', 'constructor'])('for the role %j, which is not there, is not found', (role) => {
    expect(refusal(() => plan({ task: 'x' }, role)).code).toBe('not-found')
  })

  test('for a disabled role is refused; the role is a parameter, not in the body', () => {
    const error = refusal(() => plan({ task: 'x' }, 'developer', withoutDeveloper))
    expect(error.code).toBe('invalid-workflow')
    expect(error.details.faults).toEqual([{ pointer: 'role', detail: 'the role "developer" is disabled here' }])
  })

  test('of an unknown task type is refused', () => {
    const error = refusal(() => plan({ task: 'x', task_type: 'poetry' }))
    expect(error.code).toBe('invalid-workflow')
    expect(error.details.faults?.map((fault) => fault.pointer)).toEqual(['/task_type'])
  })
})

describe('a step', () => {
  test('has what its request leaves out', () => {
    expect(stepDefinition({ id: 'a', role: 'developer', task: 'x' })).toEqual({
      id: 'a',
      role: 'developer',
      taskType: null,
      instruction: 'x',
      dependsOn: [],
      onFailure: 'stop',
      approval: false,
      context: {},
      options: {},
    })
  })

  test('has no option that was not given', () => {
    const { options } = stepDefinition({ id: 'a', role: 'developer', task: 'x', options: { timeout_seconds: 0.25 } })
    expect(options).toStrictEqual({ timeoutMs: 250 })
  })
})

describe('a model that is asked for', () => {
  const listing = { ...parts, listedModels: () => ['qwen3', 'devstral'] }

  test('has to be listed, in the request and in each step', () => {
    const request = custom({ id: 'a' }, { id: 'b', options: { model: 'nope-9' } })
    expect(faultsOf({ ...request, options: { model: 'nope' } }, listing)).toEqual([
      { pointer: '/options/model', detail: 'no model server lists "nope"; there are qwen3, devstral' },
      { pointer: '/steps/1/options/model', detail: 'no model server lists "nope-9"; there are qwen3, devstral' },
    ])
    const task = { task: 'Do it.', options: { model: 'nope' } }
    expect(refusal(() => planTask(listing, { role: 'developer', request: task }, origin)).code).toBe('invalid-workflow')
  })

  test('is taken when it is listed, and while the lists are not known', () => {
    expect(() => planWorkflow(listing, { ...custom({ id: 'a' }), options: { model: 'qwen3' } }, origin)).not.toThrow()
    expect(() => planWorkflow(parts, { ...custom({ id: 'a' }), options: { model: 'nope' } }, origin)).not.toThrow()
  })
})
