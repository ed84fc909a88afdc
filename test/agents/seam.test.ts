import { describe, expect, it } from 'vitest'
import { createExtractor } from '../../src/agents/extraction.ts'
import { agentTask, teamOf } from './agent-task.ts'
import { recordingSink, scriptedModel } from './scripted-model.ts'

async function join(first: string, second: string) {
  const { record, sink } = recordingSink()
  const model = scriptedModel([{ pieces: [first], finishReason: 'length' }, { pieces: Array.from(second) }])
  await teamOf(model).prepare(agentTask()).run({ sink, signal: new AbortController().signal })
  return record.text()
}

const open = 'Here it is.\n\n```python:src/app.py\nimport os\n\ndef total(items):\n    result = sum('
const rest = 'items)\n    return result\n```\nDone.\n'

describe('the seam of a continuation', () => {
  it.each([
    ['nothing to drop', rest],
    ['the last line again', `    result = sum(${rest}`],
    ['the last lines again', `def total(items):\n    result = sum(${rest}`],
    ['the fence again', `\`\`\`python\n${rest}`],
    ['the fence with its path again', `\`\`\`python:src/app.py\n${rest}`],
    ['the fence and the last line again', `\`\`\`python\n    result = sum(${rest}`],
    ['a greeting', `Sure, continuing:\n\n${rest}`],
    ['a greeting and a fence', `Here's the rest of the file:\n\n\`\`\`python\n${rest}`],
    ['a greeting and a bare fence', `Continuing from where I left off:\n\`\`\`\n    result = sum(${rest}`],
  ])('%s', async (_name, second) => {
    expect(await join(open, second)).toBe(open + rest)
  })

  it('leaves a file that is whole', async () => {
    const text = await join(open, `\`\`\`python\n${rest}`)
    const { artifacts } = createExtractor({ maxArtifactBytes: 1e6, maxArtifactsPerStep: 9 }).extract(text, {
      complete: true,
    })
    expect(artifacts).toMatchObject([
      { path: 'src/app.py', content: 'import os\n\ndef total(items):\n    result = sum(items)\n    return result\n' },
    ])
  })

  it.each([
    ['a closing bracket that comes twice', '```js:a.js\n  {\n    }\n', '    }\n  }\n```\n'],
    ['the fence that closes the block', '```js:a.js\nconst a = 1\n', '```\nDone, this was the last file.\n'],
    ['zeros', 'Values: 0000000000', '00000000001\n'],
    ['a word that comes twice', 'It had had ', 'had no effect.\n'],
    ['a ruler', '| a | b |\n|---|---|\n', '|---|---|\n'],
    ['a greeting in prose', 'Dear customer,\n', 'Sure, continuing:\n all is well.\n'],
    ['a block inside Markdown', '````markdown:README.md\n# Title\n', '```bash\nnpm i\n```\n````\n'],
    ['an opening fence outside of blocks', 'The code:\n\n', '```python:src/app.py\nx\n```\n'],
  ])('leaves %s', async (_name, first, second) => {
    expect(await join(first, second)).toBe(first + second)
  })

  it('drops a repetition that is all there is', async () => {
    expect(await join('A line that is long enough', 'A line that is long enough')).toBe('A line that is long enough')
  })

  it('joins long continuations without loss', async () => {
    const second = 'a line of the rest, with 😀 in it\n'.repeat(50)
    expect(await join(open, second)).toBe(open + second)
  })
})
