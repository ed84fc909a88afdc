import { Type, type TProperties } from '@sinclair/typebox'
import { flag, whole } from './setting.ts'

/** How a role may be called in the configuration. */
export const ROLE_NAME = /^[a-z][a-z0-9_]{0,63}$/

/** How a key under a role's `config` may be called. */
export const CONFIG_KEY = /^[A-Za-z][\w-]{0,63}$/

/** What may stand under `config` of a role besides its own settings: it is woven into the system prompt as it is. */
const configOfChoice = {
  default: {},
  additionalProperties: Type.Unknown(),
  propertyNames: {
    pattern: CONFIG_KEY.source,
    description: 'a key of a config begins with a letter, and has letters, digits, _ and -',
  },
}

function words(defaults: readonly string[], description: string) {
  return Type.Array(Type.String({ minLength: 1 }), { default: defaults, description })
}

function role<T extends TProperties>(config: T) {
  return Type.Object(
    {
      enabled: flag({ default: true, description: 'False: nobody can give this role work.' }),
      model: Type.Optional(Type.String({ description: 'Model of this role, instead of openai_api_model.' })),
      temperature: Type.Optional(
        Type.Number({
          minimum: 0,
          maximum: 2,
          description: 'Temperature of this role, instead of openai_temperature.',
        }),
      ),
      max_tokens: Type.Optional(
        Type.Integer({
          minimum: 1,
          unit: 'tokens',
          description: 'Longest output of one call of this role, instead of openai_max_tokens.',
        }),
      ),
      title: Type.Optional(Type.String({ description: 'Name of the role for people.' })),
      prompt_file: Type.Optional(
        Type.String({
          format: 'path',
          description:
            'Markdown file with the system prompt; a relative path starts at the working directory. A role that is not built in needs it.',
        }),
      ),
      config: Type.Object(config, configOfChoice),
      task_types: Type.Unsafe<Record<string, string>>({
        type: 'object',
        propertyNames: { pattern: ROLE_NAME.source },
        additionalProperties: { type: 'string', minLength: 1 },
        default: {},
        description: 'More task types of this role, as a table of names and instructions.',
      }),
    },
    { default: {}, additionalProperties: false },
  )
}

const builtInRoles = {
  business_analyst: role({
    jira_integration: flag({ default: true, description: 'Write stories in the form of Jira tickets.' }),
    confluence_integration: flag({ default: true, description: 'Write documents that fit Confluence.' }),
  }),
  developer: role({
    languages: words(['python', 'javascript', 'typescript'], 'Programming languages that the developer knows.'),
    frameworks: words(['fastapi', 'react', 'django'], 'Frameworks that the developer knows.'),
    gitlab_integration: flag({ default: true, description: 'Work in the way of GitLab merge requests.' }),
  }),
  qa_engineer: role({
    test_frameworks: words(['pytest', 'jest', 'playwright'], 'Test frameworks that the tester knows.'),
    coverage_threshold: whole({
      default: 80,
      minimum: 0,
      maximum: 100,
      unit: 'percent',
      description: 'Line coverage that tests must reach.',
    }),
  }),
  devops_engineer: role({
    platforms: words(['docker', 'kubernetes', 'aws'], 'Platforms to deploy on.'),
    ci_cd_tools: words(['gitlab-ci', 'github-actions'], 'Tools for continuous integration and delivery.'),
  }),
  technical_writer: role({
    formats: words(['markdown', 'confluence', 'openapi'], 'Formats of documentation.'),
    style_guide: Type.String({ default: 'google', description: 'Style guide that the writer follows.' }),
  }),
}

/** A role that is part of the service. */
export type BuiltInRole = keyof typeof builtInRoles

/** Names of the roles that are part of the service. */
export const BUILT_IN_ROLES: readonly string[] = Object.keys(builtInRoles)

/** The roles: the built-in ones are always there, an operator may add others. */
export const agentSettings = {
  agents: Type.Object(builtInRoles, {
    default: {},
    additionalProperties: role({}),
    propertyNames: {
      pattern: ROLE_NAME.source,
      description: 'a role is named with lower-case letters, digits and _',
    },
  }),
}
