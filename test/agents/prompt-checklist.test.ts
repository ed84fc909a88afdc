import { describe, expect, test } from 'vitest'
import { createExtractor } from '../../src/agents/extraction.ts'
import { createRoles } from '../../src/agents/roles.ts'
import { commonChecklist, roleChecklists } from './prompt-checklists.ts'

const roles = createRoles()
const extractor = createExtractor({ maxArtifactBytes: 10_000, maxArtifactsPerStep: 10 })

test('there is a checklist for every built-in role', () => {
  expect(Object.keys(roleChecklists)).toEqual(roles.map((role) => role.id))
})

describe.each(roles)('the system prompt of $id', (role) => {
  // A point may be spread over a line, or begin a sentence.
  const prompt = role.systemPrompt(4096).toLowerCase()

  test.each([...commonChecklist, ...(roleChecklists[role.id] ?? [])])('covers %s', (_name, ...evidence) => {
    for (const pattern of evidence) expect(prompt).toMatch(pattern)
  })

  test('is dense: 700 to 1200 words', () => {
    const words = prompt.split(/\s+/).length
    expect(words).toBeGreaterThan(700)
    expect(words).toBeLessThan(1200)
  })

  test('has nothing left to fill in', () => {
    expect(prompt).not.toMatch(/\{\{|\}\}|undefined|\[object|not set/)
    expect(prompt).not.toMatch(/\n{3}/)
  })

  test('ends with the output format', () => {
    const format = prompt.indexOf('## output format')
    expect(prompt.lastIndexOf('\n## ')).toBe(format - 1)
  })

  test('shows examples that are read as the files that they show', () => {
    const { artifacts, rejected } = extractor.extract(role.systemPrompt(4096), { complete: true })
    expect(artifacts.map((artifact) => artifact.path)).toEqual(['src/greeting.py', 'docs/usage.md'])
    expect(artifacts[1]?.content).toMatch(/^# Usage\n\n```bash\n[^`]+```\n$/)
    expect(rejected).toEqual([])
  })
})
