import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from './smoke-test.ts'

test('the demo shows five agents at work, and their files', { timeout: 60_000 }, async ({ site }) => {
  const demo = site.spawn({
    main: join(import.meta.dirname, '../../demo/main.ts'),
    args: ['--pace', '0'],
  })
  const { code } = await demo.ended
  expect(demo.stderr()).toBe('')
  expect(code).toBe(0)
  const shown = demo.stdout()
  for (const agent of ['business_analyst', 'developer', 'qa_engineer', 'devops_engineer', 'technical_writer']) {
    expect(shown).toContain(agent)
  }
  expect(shown).toContain('The workflow is completed')
  const files = shown.slice(shown.indexOf('Files  '))
  for (const file of ['Dockerfile', 'README.md', 'ci.yml', 'test_auth.py']) expect(files).toContain(file)
})
