import type { DemoOptions, DemoType } from './options.ts'

/** Body of `POST /workflows` for one demo. */
export interface Scenario {
  readonly type: DemoType
  readonly requirement: string
  readonly context: Readonly<Record<string, unknown>>
}

const SCENARIOS: Readonly<Record<DemoType, Omit<Scenario, 'type'>>> = {
  feature_development: {
    requirement:
      'Create a REST API for user authentication with JWT: registration, login, token refresh and logout. ' +
      'Passwords must be stored safely, and a stolen refresh token must not stay useful.',
    context: { language: 'python', framework: 'fastapi' },
  },
  bug_fix: {
    requirement:
      'Customers are sometimes charged twice for one order. Find the cause, fix it and make sure it stays fixed.',
    context: {
      bug_description:
        'Since release 4.12.0 about 3 of 1,000 orders show two successful card charges a few seconds apart. ' +
        'The support tickets have in common that the payment page answered slowly and the customer saw "Please wait".',
      language: 'typescript',
      framework: 'express',
    },
  },
  infrastructure: {
    requirement:
      'Run our order API (a stateless container, PostgreSQL behind it) on AWS so that it survives the loss of one ' +
      'availability zone, scales with load, and can be rebuilt from the repository.',
    context: { cloud: 'aws', region: 'eu-central-1', orchestrator: 'kubernetes' },
  },
  documentation: {
    requirement:
      'Document our public Webhooks API so that a developer can receive and verify a first event in 15 minutes.',
    context: { audience: 'backend developers of our customers', format: 'markdown' },
  },
  analysis: {
    requirement:
      'Should we move the nightly CSV export to our warehouse to change data capture, so that reports are at most ' +
      'five minutes old? Give us a recommendation with cost, risk and a plan.',
    context: { database: 'PostgreSQL 16, 1.2 TB', warehouse: 'BigQuery', team: '4 engineers' },
  },
}

/** The story of a template, with the user's own requirement where one is given. */
export function scenarioFor({ type, requirement }: Pick<DemoOptions, 'type' | 'requirement'>): Scenario {
  const scenario = SCENARIOS[type]
  return { type, requirement: requirement ?? scenario.requirement, context: scenario.context }
}
