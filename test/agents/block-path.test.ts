import { describe, expect, it } from 'vitest'
import { createExtractor } from '../../src/agents/extraction.ts'

const extractor = createExtractor({ maxArtifactBytes: 1_048_576, maxArtifactsPerStep: 500 })
const whole = { complete: true }

function filesOf(text: string) {
  return Object.fromEntries(extractor.extract(text, whole).artifacts.map(({ path, content }) => [path, content]))
}

function rejectedOf(text: string) {
  return extractor.extract(text, whole).rejected.map(({ path, reason }) => `${path}: ${reason}`)
}

const block = (info: string) => `\`\`\`${info}\nx\n\`\`\`\n`

describe('ways to name a file', () => {
  it.each([
    [block('python:src/app.py'), 'src/app.py'],
    [block('python title="src/app.py"'), 'src/app.py'],
    [block("ts title='src/a.ts' showLineNumbers"), 'src/a.ts'],
    [block('js {1,3} title=src/a.js'), 'src/a.js'],
    [block('src/app.py'), 'src/app.py'],
    [block('package.json'), 'package.json'],
    [block(':app.py'), 'app.py'],
    [block('python: src/app.py'), 'src/app.py'],
    [block('python:src/app.py {1-3}'), 'src/app.py'],
    [block('python:src/app.py title="The app"'), 'src/app.py'],
    [block('dockerfile:Dockerfile'), 'Dockerfile'],
    [block('bash:bin/run'), 'bin/run'],
    [block('markdown:docs/My Notes.md'), 'docs/My Notes.md'],
    [`File: src/app.py\n${block('python')}`, 'src/app.py'],
    [`**File: \`src/app.py\`**\n\n${block('python')}`, 'src/app.py'],
    [`**File:** \`src/app.py\`:\n${block('')}`, 'src/app.py'],
    [`Filename: src/__init__.py\n${block('')}`, 'src/__init__.py'],
    [`Some prose.\nFile: src/app.py\n${block('')}`, 'src/app.py'],
    [`### src/app.py\n\n${block('python')}`, 'src/app.py'],
    [`## \`src/app.py\` (new)\n${block('python')}`, 'src/app.py'],
    [`### 2. **Dockerfile**\n${block('dockerfile')}`, 'Dockerfile'],
    [`#### File: \`.gitignore\`\n${block('')}`, '.gitignore'],
    [`src/app.py\n---\n${block('')}`, 'src/app.py'],
    [block('text title="docs/my file.txt"'), 'docs/my file.txt'],
    [block('text title="my file.txt"'), 'my file.txt'],
    [block('text title="d.d"'), 'd.d'],
    [block("text file='docs/ü 漢.txt' {1}"), 'docs/ü 漢.txt'],
    [block('make title="my tool/Makefile"'), 'my tool/Makefile'],
    [`File: docs/my file.txt\n${block('text')}`, 'docs/my file.txt'],
    [`**File:** docs/my file.txt (new)\n${block('text')}`, 'docs/my file.txt'],
    [`File: \`docs/my file.txt\`\n${block('text')}`, 'docs/my file.txt'],
    [`File: d.d\n${block('text')}`, 'd.d'],
    [`### docs/my file.txt\n\n${block('text')}`, 'docs/my file.txt'],
    [`### \`docs/my file.txt\`\n\n${block('text')}`, 'docs/my file.txt'],
    [`### 1. \`my file.txt\` (new)\n${block('text')}`, 'my file.txt'],
  ])('%j', (text, path) => {
    expect(filesOf(text)).toEqual({ [path]: 'x\n' })
    expect(rejectedOf(text)).toEqual([])
  })

  it.each([
    block('python'),
    block(''),
    block('dockerfile'),
    block('text/html'),
    block('js:line-numbers {1}'),
    block('bash title="Install it"'),
    block('Note: this is important'),
    block('node.js'),
    `## Node.js\n${block('js')}`,
    `## .NET\n${block('cs')}`,
    `## CI/CD\n${block('yaml')}`,
    `## License\n${block('')}`,
    `## /api/users\n${block('json')}`,
    `## Usage of main.py\n${block('bash')}`,
    `File: see below\n${block('bash')}`,
    `File: \`a.py\` has a mistake here\n${block('python')}`,
    `The file src/app.py is next:\n${block('python')}`,
    block('bash title="Install Node.js"'),
    block('bash title="Client/server setup"'),
    block('json title="See https://example.com/a b.json"'),
    `## my file.txt\n${block('text')}`,
    `## Usage of src/main.py\n${block('bash')}`,
    `## src/a.py and src/b.py\n${block('python')}`,
    `## CI/CD with Node.js\n${block('yaml')}`,
    `## \`npm run build\`\n${block('bash')}`,
    `## \`python src/main.py\`\n${block('bash')}`,
    `## \`GET /users/all.json\`\n${block('json')}`,
    `File: src/a.py and src/b.py\n${block('python')}`,
    `File: src/app.py\n\nIt is long.\n\n${block('python')}`,
    `File: src/app.py\n\n***\n\n${block('python')}`,
    '    ```python:src/app.py\n    x\n    ```\n',
    'Write ```python:src/app.py``` or `x.py`.\n',
  ])('no file in %j', (text) => {
    expect(extractor.extract(text, whole)).toEqual({ artifacts: [], rejected: [] })
  })

  it('lists a named file whose path is refused, also one with a blank in it', () => {
    const text = `${block('text title=".../ü 漢.txt"')}File: ../my file.txt\n${block('')}### docs/a? b.txt\n${block('')}`
    expect(filesOf(text)).toEqual({})
    expect(rejectedOf(text)).toEqual([
      '.../ü 漢.txt: a part of the path begins with a space or ends with a dot or space',
      '../my file.txt: the path leaves its folder',
      'docs/a? b.txt: the path holds a character that file systems refuse',
    ])
  })
})
