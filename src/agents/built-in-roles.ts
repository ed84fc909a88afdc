import type { PromptValues } from './prompt-template.ts'

/** A role that comes with the service: its prompt is `prompts/<role>.md`, its tasks `prompts/tasks/<task type>.md`. */
export interface BuiltInRole {
  readonly title: string
  readonly description: string
  /** Defaults of `agents.<role>.config`. */
  readonly config: PromptValues
  readonly taskTypes: readonly string[]
}

/** The team, in the order in which `GET /agents` shows it. */
export const builtInRoles: Readonly<Record<string, BuiltInRole>> = {
  business_analyst: {
    title: 'Business Analyst',
    description:
      'Turns a request into requirements, user stories with acceptance criteria, priorities, dependencies and risks.',
    config: { jira_integration: true, confluence_integration: true },
    taskTypes: [
      'requirements_analysis',
      'documentation_requirements',
      'requirements_gathering',
      'final_report',
      'user_stories',
    ],
  },
  developer: {
    title: 'Developer',
    description: 'Designs the architecture, writes complete code with unit tests, fixes bugs at their cause, reviews.',
    config: {
      languages: ['python', 'javascript', 'typescript'],
      frameworks: ['fastapi', 'react', 'django'],
      gitlab_integration: true,
    },
    taskTypes: [
      'architecture_design',
      'implementation',
      'bug_fix',
      'technical_review',
      'technical_feasibility',
      'code_review',
      'refactoring',
    ],
  },
  qa_engineer: {
    title: 'QA Engineer',
    description: 'Plans and writes tests, analyses bugs, checks security and performance, reports on quality.',
    config: { test_frameworks: ['pytest', 'jest', 'playwright'], coverage_threshold: 80 },
    taskTypes: [
      'qa_testing',
      'bug_analysis',
      'regression_testing',
      'infrastructure_testing',
      'test_plan',
      'security_testing',
    ],
  },
  devops_engineer: {
    title: 'DevOps Engineer',
    description: 'Writes infrastructure as code, containers and pipelines; sees to operation, security and cost.',
    config: { platforms: ['docker', 'kubernetes', 'aws'], ci_cd_tools: ['gitlab-ci', 'github-actions'] },
    taskTypes: [
      'infrastructure',
      'infrastructure_design',
      'infrastructure_implementation',
      'infrastructure_assessment',
      'ci_cd_pipeline',
    ],
  },
  technical_writer: {
    title: 'Technical Writer',
    description: 'Writes READMEs, API references, guides, operations manuals and release notes that hold true.',
    config: { formats: ['markdown', 'confluence', 'openapi'], style_guide: 'google' },
    taskTypes: [
      'documentation',
      'release_notes',
      'operations_documentation',
      'documentation_creation',
      'api_documentation',
    ],
  },
}
