import MarkdownIt from 'markdown-it'
import { describe, expect, it } from 'vitest'

import { readAnswers } from '../../demo/answers.ts'
import { DEMO_TYPES } from '../../demo/options.ts'
import { scenarioFor } from '../../demo/scenarios.ts'

const STEPS = {
  feature_development: [
    'requirements_analysis',
    'architecture_design',
    'implementation',
    'qa_testing',
    'infrastructure',
    'documentation',
  ],
  bug_fix: ['bug_analysis', 'bug_fix', 'regression_testing', 'release_notes'],
  infrastructure: [
    'infrastructure_design',
    'infrastructure_implementation',
    'infrastructure_testing',
    'operations_documentation',
  ],
  documentation: ['documentation_requirements', 'documentation_creation', 'technical_review'],
  analysis: ['requirements_gathering', 'technical_feasibility', 'infrastructure_assessment', 'final_report'],
} as const

/** Steps whose deliverable is the text itself. */
const WITHOUT_FILES = new Set([
  'requirements_analysis',
  'infrastructure_design',
  'documentation_requirements',
  'requirements_gathering',
])

const answers = await readAnswers()
const byStep = new Map(answers.map((answer) => [answer.step, answer]))
const names = Object.entries(STEPS).flatMap(([type, steps]) => steps.map((step) => ({ type, step })))

function readFiles(text: string) {
  return new MarkdownIt()
    .parse(text, {})
    .filter((token) => token.type === 'fence' && token.info.includes(':'))
    .map((token) => ({ path: token.info.slice(token.info.indexOf(':') + 1), content: token.content }))
}

describe('the written answers', () => {
  it('are there for every step of every template, and for no other', () => {
    expect(answers.map(({ type, step }) => `${type}/${step}`).toSorted()).toEqual(
      names.map(({ type, step }) => `${type}/${step}`).toSorted(),
    )
  })

  it.each(names)('$type/$step reads as finished work', ({ step }) => {
    const text = byStep.get(step)?.text ?? ''
    expect(text.length).toBeGreaterThan(2_000)
    expect(text.length).toBeLessThan(13_000)
    expect(text).not.toMatch(/\bTODO\b|\bFIXME\b|lorem ipsum/i)
    expect(text).not.toMatch(/^\s*(?:#|\/\/)?\s*(?:\.\.\.|…)\s*$/m)
    // A chunk boundary inside a surrogate pair would not survive the scripted server.
    expect(text).not.toMatch(/[\uD800-\uDFFF]/)
  })

  it.each(names.filter(({ step }) => !WITHOUT_FILES.has(step)))('$type/$step brings files', ({ step }) => {
    const files = readFiles(byStep.get(step)?.text ?? '')
    expect(files).not.toEqual([])
    for (const { path, content } of files) {
      expect(path).toMatch(/^[\w.-]+(?:\/[\w.-]+)*$/)
      expect(content.trim()).not.toBe('')
    }
  })

  it('leave no code fence open', () => {
    const open = answers.filter(({ text }) => {
      const last = new MarkdownIt().parse(text, {}).at(-1)
      return last?.type === 'fence' && text.trimEnd().split('\n').at(-1) !== last.markup
    })
    expect(open).toEqual([])
  })
})

describe('the scenarios', () => {
  it('have a requirement for every type, and a bug to fix', () => {
    for (const type of DEMO_TYPES) expect(scenarioFor({ type, requirement: null }).requirement).not.toBe('')
    expect(scenarioFor({ type: 'bug_fix', requirement: null }).context['bug_description']).toBeTypeOf('string')
  })

  it("take the user's own requirement", () => {
    expect(scenarioFor({ type: 'analysis', requirement: 'Mine' }).requirement).toBe('Mine')
  })
})
