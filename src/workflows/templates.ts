import type { StepDefinition } from './workflow.ts'

/** A kind of workflow: what it takes, and the DAG that it runs. */
export interface Template {
  readonly type: string
  readonly title: string
  readonly description: string
  /** JSON Schema of the request's `context`. */
  readonly input: Readonly<Record<string, unknown>>
  readonly steps: readonly StepDefinition[]
}

/** A step whose instructions are those of the task type of its own name. */
function step(id: string, role: string, dependsOn: readonly string[] = []): StepDefinition {
  return {
    id,
    role,
    taskType: id,
    instruction: null,
    dependsOn,
    onFailure: 'stop',
    approval: false,
    context: {},
    options: {},
  }
}

/** JSON Schema of a context: the named keys are strings, others are welcome. */
function contextSchema(properties: Readonly<Record<string, string>>, required: readonly string[] = []) {
  const described = Object.entries(properties).map(([name, description]) => [name, { type: 'string', description }])
  return { type: 'object', properties: Object.fromEntries(described), required, additionalProperties: true }
}

/** The templates that are always there. */
export const builtInTemplates: readonly Template[] = [
  {
    type: 'feature_development',
    title: 'Feature development',
    description: 'From a requirement to analysis, design, code, tests, infrastructure and documentation.',
    input: contextSchema({
      language: 'Programming language, as "python"',
      framework: 'Framework, as "fastapi"',
      database: 'Database to use',
      deployment: 'Where it will run, as "kubernetes"',
    }),
    steps: [
      step('requirements_analysis', 'business_analyst'),
      step('architecture_design', 'developer', ['requirements_analysis']),
      step('implementation', 'developer', ['architecture_design']),
      step('qa_testing', 'qa_engineer', ['implementation']),
      step('infrastructure', 'devops_engineer', ['implementation']),
      step('documentation', 'technical_writer', ['qa_testing', 'infrastructure']),
    ],
  },
  {
    type: 'bug_fix',
    title: 'Bug fix',
    description: 'From a bug report to its cause, the fix, regression tests and release notes.',
    input: contextSchema(
      {
        bug_description: 'What happens, what should happen, and how to see it',
        logs: 'Log lines or a stack trace',
        language: 'Programming language',
      },
      ['bug_description'],
    ),
    steps: [
      step('bug_analysis', 'qa_engineer'),
      step('bug_fix', 'developer', ['bug_analysis']),
      step('regression_testing', 'qa_engineer', ['bug_fix']),
      step('release_notes', 'technical_writer', ['regression_testing']),
    ],
  },
  {
    type: 'infrastructure',
    title: 'Infrastructure',
    description: 'From a requirement to a design, infrastructure as code, its tests and an operations manual.',
    input: contextSchema({
      infrastructure_type: 'What it is for, as "web application"',
      platform: 'Where it will run, as "aws" or "kubernetes"',
    }),
    steps: [
      step('infrastructure_design', 'devops_engineer'),
      step('infrastructure_implementation', 'devops_engineer', ['infrastructure_design']),
      step('infrastructure_testing', 'qa_engineer', ['infrastructure_implementation']),
      step('operations_documentation', 'technical_writer', ['infrastructure_testing']),
    ],
  },
  {
    type: 'documentation',
    title: 'Documentation',
    description: 'From a subject to an outline, the documents and a technical review of them.',
    input: contextSchema({
      doc_type: 'Kind of document, as "tutorial" or "api_reference"',
      audience: 'Who reads it, as "developers"',
    }),
    steps: [
      step('documentation_requirements', 'business_analyst'),
      step('documentation_creation', 'technical_writer', ['documentation_requirements']),
      step('technical_review', 'developer', ['documentation_creation']),
    ],
  },
  {
    type: 'analysis',
    title: 'Analysis',
    description:
      'From a question to requirements, technical feasibility, infrastructure assessment and a recommendation.',
    input: contextSchema({ analysis_type: 'Kind of analysis, as "feasibility"' }),
    steps: [
      step('requirements_gathering', 'business_analyst'),
      step('technical_feasibility', 'developer', ['requirements_gathering']),
      step('infrastructure_assessment', 'devops_engineer', ['requirements_gathering']),
      step('final_report', 'business_analyst', ['technical_feasibility', 'infrastructure_assessment']),
    ],
  },
]
