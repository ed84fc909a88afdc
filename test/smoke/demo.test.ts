import { join } from 'node:path'
import { expect } from 'vitest'
import { startServiceProcess } from '../support/service-process.ts'
import { test } from './smoke-test.ts'

test('the demo shows five agents at work, and their files', async ({ site }) => {
  const demo = startServiceProcess({
    directory: site.directory,
    main: join(import.meta.dirname, '../../demo/main.ts'),
    args: ['--pace', '0'],
  })
  const { code } = await demo.ended
  expect(demo.stderr()).toBe('')
  expect(code).toBe(0)
  const shown = demo.stdout()
  for (const agent of ['Business Analyst', 'Developer', 'QA Engineer', 'DevOps Engineer', 'Technical Writer']) {
    expect(shown).toContain(agent)
  }
  for (const file of ['Dockerfile', 'README.md']) expect(shown).toContain(file)
})
