import { describe, expect, test } from 'vitest'
import { createRoles } from '../../src/agents/roles.ts'
import { AppError } from '../../src/errors.ts'
import type { InputFault } from '../../src/errors.ts'
import { planWorkflow } from '../../src/workflows/plan.ts'
import type { CustomStep, StartWorkflow } from '../../src/workflows/requests.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'
import { teamOf } from '../agents/agent-task.ts'
import { noPrices } from '../support/no-prices.ts'
import { scriptedModel } from '../agents/scripted-model.ts'

const parts = {
  agents: teamOf(scriptedModel([]), { roles: createRoles(), settings: {} }),
  templates: new Map(builtInTemplates.map((template) => [template.type, template])),
  listedModels: () => null,
  pricing: noPrices,
}
const caller = { correlationId: 'request', traceparent: null, idempotency: null }
const origin = { caller, owner: '', now: 1_700_000_000_000, jobId: 'job-1' }

function customStep(sketch: Partial<CustomStep> & Pick<CustomStep, 'id'>): CustomStep {
  return { role: 'developer', task: `do ${sketch.id}`, ...sketch }
}

function custom(...sketches: readonly Parameters<typeof customStep>[0][]): StartWorkflow {
  return { type: 'custom', requirement: 'Build it.', steps: sketches.map(customStep) }
}

function faultsOf(request: StartWorkflow): readonly InputFault[] {
  try {
    planWorkflow(parts, request, origin)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid-workflow') return error.details.faults ?? []
    throw error
  }
  throw new Error('it was taken')
}

describe('approvals', () => {
  const gatesOf = (request: StartWorkflow) =>
    planWorkflow(parts, request, origin)
      .state.steps.filter((step) => step.definition.approval)
      .map((step) => step.definition.id)

  test('are of the steps that are named, and of those that ask for it themselves', () => {
    expect(gatesOf({ type: 'bug_fix', requirement: 'x' })).toEqual([])
    expect(gatesOf({ type: 'feature_development', requirement: 'x', approvals: ['architecture_design'] })).toEqual([
      'architecture_design',
    ])
    const request = custom({ id: 'a', approval: true }, { id: 'b' }, { id: 'c', approval: false })
    expect(gatesOf({ ...request, approvals: ['c'] })).toEqual(['a', 'c'])
  })

  test('of a step that is not there are refused', () => {
    expect(faultsOf({ ...custom({ id: 'a' }), approvals: ['a', 'x', 'constructor'] })).toEqual([
      { pointer: '/approvals/1', detail: '"x" is not a step; there are a' },
      { pointer: '/approvals/2', detail: '"constructor" is not a step; there are a' },
    ])
  })

  test.each([
    { what: 'named', step: {}, approvals: ['b'], pointer: '/approvals/0' },
    { what: 'its own', step: { approval: true }, approvals: [], pointer: '/steps/1/approval' },
  ])('of a step whose failure is tolerated are refused: $what', ({ step, approvals, pointer }) => {
    const request = custom({ id: 'a' }, { id: 'b', on_failure: 'continue', ...step })
    expect(faultsOf({ ...request, approvals })).toEqual([
      { pointer, detail: 'step "b" has on_failure "continue", which cannot be together with an approval' },
    ])
  })

  test('may be rejected as often as the options of the workflow and of its step say', () => {
    const request = custom({ id: 'a', approval: true, options: { max_revisions: 0 } })
    const { state } = planWorkflow(parts, { ...request, options: { max_revisions: 10 } }, origin)
    expect([state.options, state.steps[0]?.definition.options]).toEqual([{ maxRevisions: 10 }, { maxRevisions: 0 }])
  })

  test('have not been asked for yet', () => {
    const { state } = planWorkflow(parts, custom({ id: 'a', approval: true }), origin)
    const unasked = { waitingAttempt: null, waitingSince: null, expiresAt: null }
    expect(state.steps[0]).toMatchObject({ ...unasked, revisions: 0, feedback: null, edited: false })
  })
})
