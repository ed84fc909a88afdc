import { describe, expect, test } from 'vitest'
import { createRoles } from '../../src/agents/roles.ts'
import { dagFaults } from '../../src/workflows/dag.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'

/** The table of the contract: `→` after, `‖` at the same time. */
const table: Readonly<Record<string, string>> = {
  feature_development:
    'requirements_analysis (business_analyst) → architecture_design (developer) → implementation (developer) → qa_testing (qa_engineer) ‖ infrastructure (devops_engineer) → documentation (technical_writer)',
  bug_fix:
    'bug_analysis (qa_engineer) → bug_fix (developer) → regression_testing (qa_engineer) → release_notes (technical_writer)',
  infrastructure:
    'infrastructure_design (devops_engineer) → infrastructure_implementation (devops_engineer) → infrastructure_testing (qa_engineer) → operations_documentation (technical_writer)',
  documentation:
    'documentation_requirements (business_analyst) → documentation_creation (technical_writer) → technical_review (developer)',
  analysis:
    'requirements_gathering (business_analyst) → technical_feasibility (developer) ‖ infrastructure_assessment (devops_engineer) → final_report (business_analyst)',
}

/** Steps of a line of the table, each with all steps of the stage before it. */
function stepsOf(line: string) {
  const stages = line.split(' → ').map((stage) =>
    stage.split(' ‖ ').map((step) => {
      const [, id = '', role = ''] = /^(\w+) \((\w+)\)$/.exec(step) ?? []
      return { id, role }
    }),
  )
  return stages.flatMap((stage, index) =>
    stage.map(({ id, role }) => ({ id, role, dependsOn: (stages[index - 1] ?? []).map((step) => step.id) })),
  )
}

describe('the built-in templates', () => {
  test('are those of the contract', () => {
    expect(builtInTemplates.map((template) => template.type)).toEqual(Object.keys(table))
  })

  test.each(builtInTemplates.map((template) => [template.type, template] as const))('%s', (type, template) => {
    const steps = template.steps.map(({ id, role, dependsOn }) => ({ id, role, dependsOn }))
    expect(steps).toEqual(stepsOf(table[type] ?? ''))
    expect(dagFaults(template.steps)).toEqual([])
    expect(template.steps.map((step) => step.onFailure)).toEqual(template.steps.map(() => 'stop'))
    expect(template.title).not.toBe('')
    expect(template.description).not.toBe('')
  })

  const steps = builtInTemplates.flatMap((template) => template.steps)

  test.each(steps.map((step) => [step.id, step] as const))('%s is a task type of its role', (_id, step) => {
    const role = createRoles().find((candidate) => candidate.id === step.role)
    const taskType = role?.taskTypes.find((candidate) => candidate.name === step.taskType)
    expect(step.taskType).toBe(step.id)
    expect(taskType?.instructions).toBeTruthy()
    expect(taskType?.deliverables).not.toEqual([])
  })

  test('no two steps are asked for the same', () => {
    const roles = createRoles()
    const instructions = steps.map(
      ({ role, taskType }) =>
        roles.find(({ id }) => id === role)?.taskTypes.find(({ name }) => name === taskType)?.instructions,
    )
    expect(new Set(instructions).size).toBe(steps.length)
  })

  test('only a bug fix needs something of the context', () => {
    const required = builtInTemplates.map(({ type, input }) => [type, input['required']])
    expect(Object.fromEntries(required)).toEqual({
      feature_development: [],
      bug_fix: ['bug_description'],
      infrastructure: [],
      documentation: [],
      analysis: [],
    })
  })

  test('welcome a context with other keys', () => {
    expect(builtInTemplates.map((template) => template.input['additionalProperties'])).toEqual(
      builtInTemplates.map(() => true),
    )
  })
})
