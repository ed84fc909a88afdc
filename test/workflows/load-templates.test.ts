import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test as base } from 'vitest'
import { createRoles } from '../../src/agents/roles.ts'
import { loadTemplates } from '../../src/workflows/load-templates.ts'
import { TemplateError } from '../../src/workflows/template-error.ts'
import { builtInTemplates } from '../../src/workflows/templates.ts'

const test = base.extend<{ write: (name: string, yaml: string) => string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants the pattern
  write: async ({}, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'template-'))
    await use((name, yaml) => {
      const path = join(directory, name)
      writeFileSync(path, yaml)
      return path
    })
    rmSync(directory, { recursive: true })
  },
})

const roles = createRoles()

const good = `
type: code_audit
title: Code audit
description: Two looks at the code, and a report.
input:
  type: object
  properties: { language: { type: string } }
  required: [language]
steps:
  - id: security
    role: qa_engineer
    task_type: security_testing
    task: Look for weaknesses.
    on_failure: continue
    context: { standard: OWASP, level: 2 }
    options: { model: big, temperature: 0.1, max_tokens: 2000, timeout_seconds: 30, stream: false }
  - id: quality
    role: developer
    task_type: code_review
    task: Review it.
    approval: true
  - id: report
    role: technical_writer
    task: Write the report.
    depends_on: [security, quality]
`

/** Schemas that nothing can be held to: the first refusal would be a defect of the service. */
const uselessInputs = ['{ type: objekt }', "{ properties: { a: { pattern: '((' } } }"]

function faultsOf(files: readonly string[]): TemplateError['faults'] {
  try {
    loadTemplates(files, roles)
  } catch (error) {
    if (error instanceof TemplateError) return error.faults
    throw error
  }
  throw new Error('the files were taken')
}

test.for(uselessInputs)('the input %s is refused at the start', (input, { write }) => {
  const file = write(
    'bad.yaml',
    `type: bad\ntitle: Bad\ninput: ${input}\nsteps: [{id: a, role: developer, task: Do it.}]\n`,
  )
  expect(faultsOf([file])).toMatchObject([{ place: `${file}/input` }])
})

describe('a good file', () => {
  test('is a template beside the built-in ones', ({ write }) => {
    const templates = loadTemplates([write('audit.yaml', good)], roles)
    expect([...templates.keys()]).toEqual([...builtInTemplates.map((template) => template.type), 'code_audit'])
    expect(templates.get('code_audit')).toEqual({
      type: 'code_audit',
      title: 'Code audit',
      description: 'Two looks at the code, and a report.',
      input: { type: 'object', properties: { language: { type: 'string' } }, required: ['language'] },
      steps: [
        {
          id: 'security',
          role: 'qa_engineer',
          taskType: 'security_testing',
          instruction: 'Look for weaknesses.',
          dependsOn: [],
          onFailure: 'continue',
          approval: false,
          context: { standard: 'OWASP', level: 2 },
          options: { model: 'big', temperature: 0.1, maxTokens: 2000, timeoutMs: 30_000, stream: false },
        },
        {
          id: 'quality',
          role: 'developer',
          taskType: 'code_review',
          instruction: 'Review it.',
          dependsOn: [],
          onFailure: 'stop',
          approval: true,
          context: {},
          options: {},
        },
        {
          id: 'report',
          role: 'technical_writer',
          taskType: null,
          instruction: 'Write the report.',
          dependsOn: ['security', 'quality'],
          onFailure: 'stop',
          approval: false,
          context: {},
          options: {},
        },
      ],
    })
  })

  test('needs neither description nor input', ({ write }) => {
    const yaml = 'type: tiny\ntitle: Tiny\nsteps: [{id: a, role: developer, task: Do it.}]\n'
    expect(loadTemplates([write('tiny.yaml', yaml)], roles).get('tiny')).toMatchObject({
      description: '',
      input: { type: 'object' },
    })
  })

  test('without any there are the built-in ones', () => {
    expect([...loadTemplates([], roles).values()]).toEqual(builtInTemplates)
  })
})

interface BadFile {
  readonly what: string
  /** Replaced in the good file. */
  readonly change?: readonly [string, string]
  readonly yaml?: string
  readonly places: readonly string[]
  readonly detail?: RegExp
}

const badFiles: readonly BadFile[] = [
  { what: 'no YAML', yaml: 'type: [', places: [''], detail: /flow|line 1/i },
  { what: 'nothing', yaml: '', places: [''] },
  { what: 'a list', yaml: '- type: x\n', places: [''] },
  { what: 'no type', change: ['type: code_audit', ''], places: ['/type'] },
  { what: 'a type that cannot be in a path', change: ['code_audit', 'Code Audit'], places: ['/type'] },
  { what: 'a title that is a number', change: ['title: Code audit', 'title: 7'], places: ['/title'] },
  { what: 'an unknown key', change: ['title: Code audit', 'title: Code audit\ntitel: x'], places: ['/titel'] },
  {
    what: 'an unknown key of a step',
    change: ['task: Review it.', 'task: Review it.\n    tsak: x'],
    places: ['/steps/1/tsak'],
  },
  { what: 'no steps', yaml: 'type: x\ntitle: X\nsteps: []\n', places: ['/steps'] },
  { what: 'a bad id', change: ['id: quality', 'id: Quality 1'], places: ['/steps/1/id'] },
  {
    what: 'another on_failure',
    change: ['on_failure: continue', 'on_failure: retry'],
    places: ['/steps/0/on_failure'],
  },
  {
    what: 'a context that is no object',
    change: ['{ standard: OWASP, level: 2 }', 'OWASP'],
    places: ['/steps/0/context'],
  },
  {
    what: 'an option out of bounds',
    change: ['temperature: 0.1', 'temperature: 3'],
    places: ['/steps/0/options/temperature'],
  },
  { what: 'an unknown option', change: ['temperature: 0.1', 'temprature: 1'], places: ['/steps/0/options/temprature'] },
  {
    what: 'a gate that a failure would walk around',
    change: ['approval: true', 'approval: true\n    on_failure: continue'],
    places: ['/steps/1/approval'],
  },
  {
    what: 'an unknown role',
    change: ['role: developer', 'role: poet'],
    places: ['/steps/1/role'],
    detail: /"poet" is not a role/,
  },
  {
    what: 'a task type of another role',
    change: ['task_type: code_review', 'task_type: bug_analysis'],
    places: ['/steps/1/task_type'],
    detail: /"bug_analysis" is not a task type of developer/,
  },
  {
    what: 'an unknown dependency',
    change: ['[security, quality]', '[security, speed]'],
    places: ['/steps/2/depends_on/1'],
  },
  {
    what: 'a step that is there twice',
    change: ['id: quality', 'id: security'],
    places: ['/steps/1/id', '/steps/2/depends_on/1'],
  },
  {
    what: 'a cycle',
    change: ['task: Review it.', 'task: Review it.\n    depends_on: [report]'],
    places: ['/steps/1/depends_on', '/steps/2/depends_on'],
  },
  { what: 'a built-in type', change: ['code_audit', 'bug_fix'], places: [''], detail: /"bug_fix" already/ },
  { what: 'the type custom', change: ['code_audit', 'custom'], places: [''], detail: /"custom" already/ },
]

describe('a bad file', () => {
  test.for(badFiles)('with $what is refused with its place', ({ change, yaml, places, detail }, { write }) => {
    const text = yaml ?? good.replace(...(change ?? ['', '']))
    expect(text).not.toBe(good)
    const file = write('bad.yaml', text)
    const faults = faultsOf([file])
    for (const place of places) expect(faults.map((fault) => fault.place)).toContain(`${file}${place}`)
    for (const fault of faults) expect(fault.place.startsWith(file)).toBe(true)
    if (detail !== undefined) expect(faults[0]?.detail).toMatch(detail)
  })

  test('that is not there is named', () => {
    const [fault] = faultsOf(['/nowhere/at-all.yaml'])
    expect(fault?.place).toBe('/nowhere/at-all.yaml')
    expect(fault?.detail).toMatch(/ENOENT/)
  })

  test('does not hide the faults of another', ({ write }) => {
    const files = [
      write('one.yaml', good.replace('role: developer', 'role: poet')),
      write('two.yaml', good),
      write('three.yaml', 'type: x\n'),
    ]
    const places = faultsOf(files).map((fault) => fault.place)
    expect(places.some((place) => place.startsWith(files[0] ?? '-'))).toBe(true)
    expect(places.some((place) => place.startsWith(files[1] ?? '-'))).toBe(false)
    expect(places.some((place) => place.startsWith(files[2] ?? '-'))).toBe(true)
  })

  test('with the type of another file is refused', ({ write }) => {
    const [first, second] = [write('one.yaml', good), write('two.yaml', good)]
    expect(faultsOf([first, second])).toEqual([
      { place: second, detail: 'there is a workflow type "code_audit" already' },
    ])
  })
})
