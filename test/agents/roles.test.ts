import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { describe, expect, test as base } from 'vitest'
import { checkArtifactPath } from '../../src/agents/artifact-path.ts'
import { createRoles, type Role, RoleSettingsError, type RoleSettings } from '../../src/agents/roles.ts'
import { agentSettings } from '../../src/config/agent-settings.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'

const test = base.extend<{ promptFile: (text: string) => string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants the pattern
  promptFile: async ({}, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'prompt-'))
    await use((text) => {
      const path = join(directory, 'prompt.md')
      writeFileSync(path, text)
      return path
    })
    rmSync(directory, { recursive: true })
  },
})

function roleOf(id: string, settings: RoleSettings = {}): Role {
  const role = createRoles({ [id]: settings }).find((candidate) => candidate.id === id)
  if (role === undefined) throw new Error(`no role ${id}`)
  return role
}

function promptOf(id: string, config: Record<string, unknown>): string {
  return roleOf(id, { config }).systemPrompt(4096)
}

function faultsOf(settings: Record<string, RoleSettings>): RoleSettingsError['faults'] {
  try {
    createRoles(settings)
  } catch (error) {
    if (error instanceof RoleSettingsError) return error.faults
  }
  throw new Error('the settings were taken')
}

function taskOf(role: Role, name: string) {
  const taskType = role.taskTypes.find((candidate) => candidate.name === name)
  if (taskType === undefined) throw new Error(`no task type ${name}`)
  return taskType
}

function infrastructureFiles(tools: readonly string[]): readonly string[] {
  const role = roleOf('devops_engineer', { config: { ci_cd_tools: tools, platforms: ['docker'] } })
  return taskOf(role, 'infrastructure').deliverables
}

describe('built-in roles', () => {
  test('are the five of the team, enabled, with title and description', () => {
    const roles = createRoles()
    expect(roles.map((role) => role.id)).toEqual([
      'business_analyst',
      'developer',
      'qa_engineer',
      'devops_engineer',
      'technical_writer',
    ])
    for (const role of roles) {
      expect(role.enabled).toBe(true)
      expect(role.title).toMatch(/^[A-Z]/)
      expect(role.description).toMatch(/^[A-Z].{20,}\.$/)
    }
  })

  test('have the defaults that the settings have', () => {
    const settings = Value.Default(agentSettings.agents, {}) as Record<string, RoleSettings>
    for (const role of createRoles()) expect(settings[role.id]?.config).toEqual(role.config)
  })

  test('are told the size of the answer', () => {
    expect(roleOf('developer').systemPrompt(2048)).toContain('must fit 2048 tokens')
  })

  test('keep their place and can be renamed or disabled', () => {
    const [, developer] = createRoles({ developer: { enabled: false, title: 'Engineer' } })
    expect(developer).toMatchObject({ id: 'developer', enabled: false, title: 'Engineer' })
  })

  test('can have a prompt of the operator, with the common rules behind it', ({ promptFile }) => {
    const developer = roleOf('developer', { promptFile: promptFile('# Rustacean\r\n\r\nWrite {{languages}}.') })
    expect(developer.title).toBe('Developer')
    expect(developer.systemPrompt(1000)).toMatch(/^# Rustacean\n\nWrite python, javascript, typescript\.\n/)
    expect(developer.systemPrompt(1000)).toContain('## Output format')
    expect(developer.taskTypes).toHaveLength(7)
  })
})

describe('task types', () => {
  const roles = createRoles()
  const all = roles.flatMap((role) => role.taskTypes)

  test.for(builtInTemplates.flatMap((template) => template.steps))('$role knows $id', (step) => {
    const role = roles.find((candidate) => candidate.id === step.role)
    expect(role?.taskTypes.map((taskType) => taskType.name)).toContain(step.taskType)
  })

  test.for(all)('$name has a title, instructions and deliverables of its own', (taskType) => {
    expect(taskType.title).toMatch(/^[A-Z]/)
    expect(taskType.instructions.split(/\s+/).length).toBeGreaterThan(100)
    expect(taskType.instructions.split(/\s+/).length).toBeLessThan(260)
    expect(taskType.deliverables.length).toBeGreaterThan(0)
    expect(all.filter((other) => other.instructions === taskType.instructions)).toHaveLength(1)
    expect(all.filter((other) => other.name === taskType.name || other.title === taskType.title)).toHaveLength(1)
    expect(JSON.stringify(taskType)).not.toMatch(/\{\{|\}\}/)
    expect(taskType.instructions).not.toMatch(/^#/m)
  })

  test.for(all)('$name asks only for files that may be stored', (taskType) => {
    const paths = taskType.deliverables.flatMap((item) =>
      Array.from(item.matchAll(/`([^`]*[./][^`]*)`/g), (match) => (match[1] ?? '').replace(/\/$/, '')),
    )
    expect(paths.length).toBeGreaterThan(0)
    for (const path of paths) expect(checkArtifactPath(path)).toEqual({ path })
  })

  test.for(builtInTemplates.flatMap((template) => template.steps.filter((step) => step.dependsOn.length > 0)))(
    '$id says on which steps it builds, by name',
    (step) => {
      const text = all.find((taskType) => taskType.name === step.taskType)?.instructions
      for (const dependency of step.dependsOn) expect(text).toContain(`\`${dependency}\``)
    },
  )

  test('of the operator come after the built-in ones, woven as they are', () => {
    const markdown =
      '# Port\n\nPort it to {{languages}}, keep {{ other }}.\n\n## Deliverables\n\n- `a.rs`: all\n  of it\n* b\n'
    const developer = roleOf('developer', { config: { languages: ['rust'] }, taskTypes: { port_code: markdown } })
    expect(developer.taskTypes.at(-1)).toEqual({
      name: 'port_code',
      title: 'Port',
      instructions: 'Port it to rust, keep {{ other }}.',
      deliverables: ['`a.rs`: all of it', 'b'],
    })
  })

  test('of the operator may be plain text, and take the place of a built-in one', () => {
    const developer = roleOf('developer', { taskTypes: { code_review: 'Look for races.' } })
    expect(developer.taskTypes).toHaveLength(7)
    expect(taskOf(developer, 'code_review')).toEqual({
      name: 'code_review',
      title: 'Code review',
      instructions: 'Look for races.',
      deliverables: [],
    })
  })
})

describe('the configuration of a role is woven in', () => {
  test('lists replace lists', () => {
    const prompt = promptOf('developer', { languages: ['rust', 'go'], frameworks: [] })
    expect(prompt).toContain('- Languages: rust, go.\n- Relational')
    expect(prompt).not.toMatch(/typescript|fastapi|Frameworks:/)
  })

  test('switches drop what belongs to them, in prompt and tasks', () => {
    const analyst = roleOf('business_analyst', { config: { jira_integration: false, confluence_integration: false } })
    expect(analyst.systemPrompt(4096)).not.toMatch(/jira|confluence/i)
    expect(analyst.systemPrompt(4096)).toContain('dependencies and risks. Leave out')
    expect(JSON.stringify(analyst.taskTypes)).not.toMatch(/jira/i)
    const developer = roleOf('developer', { config: { gitlab_integration: false } })
    expect(developer.systemPrompt(4096)).not.toMatch(/gitlab/i)
    expect(JSON.stringify(developer.taskTypes)).not.toMatch(/merge request/i)
  })

  test('numbers change numbers', () => {
    const tester = roleOf('qa_engineer', { config: { coverage_threshold: 90, test_frameworks: ['vitest'] } })
    expect(tester.systemPrompt(4096)).toContain('At least 90 % line coverage')
    expect(tester.systemPrompt(4096)).toContain('Test frameworks: vitest.')
    expect(taskOf(tester, 'test_plan').instructions).toContain('90 % line coverage')
    expect(promptOf('qa_engineer', { coverage_threshold: 0 })).toContain('as the project sets it and 70 % branch')
  })

  test('tools change the files that are asked for', () => {
    expect(infrastructureFiles(['gitlab-ci']).join('\n')).toContain('`.gitlab-ci.yml`: the pipeline\n')
    expect(infrastructureFiles(['gitlab-ci']).join('\n')).not.toMatch(/github|k8s/i)
    expect(infrastructureFiles(['github-actions']).join('\n')).not.toMatch(/gitlab/i)
    expect(infrastructureFiles(['jenkins']).join('\n')).toContain('pipeline definition for jenkins,')
  })

  test('formats and style guide change the writing', () => {
    const prompt = promptOf('technical_writer', { formats: ['asciidoc'], style_guide: 'microsoft' })
    expect(prompt).toContain('the microsoft style guide')
    expect(prompt).toContain('Formats: asciidoc.')
    expect(prompt).not.toMatch(/confluence|one valid 3\.1 document/i)
  })

  test('keys that the prompt does not know become project settings', () => {
    const prompt = promptOf('developer', { team: 'blue', regions: ['eu', 'us'], strict: false, limits: { cpu: 2 } })
    expect(prompt).toContain(
      '## Project settings\n\n- team: blue\n- regions: eu, us\n- strict: no\n- limits: {"cpu":2}\n\n##',
    )
    expect(promptOf('developer', {})).not.toContain('Project settings')
  })

  test('values are never templates themselves', () => {
    expect(promptOf('developer', { languages: ['{{max_tokens}}', '{{#frameworks}}'] })).toContain(
      'Languages: {{max_tokens}}, {{#frameworks}}.',
    )
  })
})

describe('roles of the operator', () => {
  test('come after the built-in ones, with title and description from their prompt', ({ promptFile }) => {
    const path = promptFile('\uFEFF# Security Reviewer\n\nYou review code\nfor {{standard}}.\n\nMore.')
    const settings = { promptFile: path, config: { standard: 'OWASP', depth: 3 }, taskTypes: { audit: 'Audit it.' } }
    const roles = createRoles({ security_reviewer: settings })
    const role = roles.at(-1)
    expect(roles).toHaveLength(6)
    expect(role).toMatchObject({
      id: 'security_reviewer',
      title: 'Security Reviewer',
      description: 'You review code for OWASP.',
      taskTypes: [{ name: 'audit', title: 'Audit', instructions: 'Audit it.', deliverables: [] }],
    })
    expect(role?.systemPrompt(500)).toContain(
      'for OWASP.\n\nMore.\n\n## Project settings\n\n- depth: 3\n\n## Working rules',
    )
    expect(role?.systemPrompt(500)).toContain('must fit 500 tokens')
  })

  test('have a title even without a heading', ({ promptFile }) => {
    expect(roleOf('data_engineer', { promptFile: promptFile('You move data.') }).title).toBe('Data engineer')
  })

  test('are refused with every mistake at once, each with its setting', ({ promptFile }) => {
    const faults = faultsOf({
      lawyer: {},
      poet: { promptFile: '/does/not/exist.md' },
      painter: { promptFile: promptFile(' \n') },
      'Bad-Name': { promptFile: promptFile('') },
      developer: { taskTypes: { empty: ' ', 'no good': 'x' } },
    })
    expect(faults.map((fault) => fault.setting)).toEqual([
      'agents.developer.task_types.empty',
      'agents.developer.task_types.no good',
      'agents.lawyer.prompt_file',
      'agents.poet.prompt_file',
      'agents.painter.prompt_file',
      'agents.Bad-Name',
      'agents.Bad-Name.prompt_file',
    ])
    expect(faults[3]?.detail).toBe('/does/not/exist.md cannot be read (ENOENT)')
  })

  test('named like something that every object has are roles like any other', () => {
    expect(faultsOf({ constructor: {} })).toEqual([
      { setting: 'agents.constructor.prompt_file', detail: 'a role that is not built in needs a prompt file' },
    ])
  })
})
