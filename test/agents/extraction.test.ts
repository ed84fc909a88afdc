import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createExtractor } from '../../src/agents/extraction.ts'

const extractor = createExtractor({ maxArtifactBytes: 1_048_576, maxArtifactsPerStep: 500 })
const whole = { complete: true }

function filesOf(text: string, options = whole) {
  return Object.fromEntries(extractor.extract(text, options).artifacts.map(({ path, content }) => [path, content]))
}

function rejectedOf(text: string, options = whole) {
  return extractor.extract(text, options).rejected.map(({ path, reason }) => `${path}: ${reason}`)
}

const block = (info: string, content = 'x\n', fence = '```') => `${fence}${info}\n${content}${fence}\n`

describe('a named block', () => {
  it('lets the fence win over the line before', () => {
    expect(filesOf(`File: a.py\n${block('python:b.py')}`)).toEqual({ 'b.py': 'x\n' })
  })

  it('guesses media types', () => {
    const types = extractor.extract(
      block('a:a.py') + block('a:README.md') + block('a:x/LICENSE') + block('a:i.html'),
      whole,
    )
    expect(types.artifacts.map((file) => file.mediaType)).toEqual([
      'text/x-python',
      'text/markdown',
      'text/plain',
      'text/html',
    ])
  })
})

describe('what broke elsewhere', () => {
  it('C1 refuses paths that leave the workflow, however they are named', () => {
    const text = `${block('py:../../x')}File: ../../../y.py\n${block('py')}${block('py:/etc/cron.d/z')}${block('py title="../../w"')}`
    expect(filesOf(text)).toEqual({})
    expect(rejectedOf(text)).toEqual([
      '../../x: the path leaves its folder',
      '../../../y.py: the path leaves its folder',
      '/etc/cron.d/z: the path is absolute',
      '../../w: the path leaves its folder',
    ])
  })

  it('C3 takes a leading ./ as a prefix, not as characters', () => {
    expect(filesOf(block('text:./.gitignore'))).toEqual({ '.gitignore': 'x\n' })
  })

  it('C4 does not take prose behind a closing fence for a file', () => {
    const text = `${block('py:a.py')}Note: this is important\n\n${block('py:b.py', 'y\n')}`
    expect(filesOf(text)).toEqual({ 'a.py': 'x\n', 'b.py': 'y\n' })
    expect(rejectedOf(text)).toEqual([])
  })

  it('C4, C5 finds files of both forms in one answer', () => {
    const text = `${block('py:a.py', '1\n')}File: b.py\n${block('py', '2\n')}${block('py:c.py', '3\n')}`
    expect(filesOf(text)).toEqual({ 'a.py': '1\n', 'b.py': '2\n', 'c.py': '3\n' })
  })

  it('C6 ends a Markdown file at its own fence', () => {
    const readme = '# Title\n\n```bash\nnpm i\n```\n\nMore\n'
    const text = `${block('markdown:README.md', readme, '````')}Prose.\n\n${block('py:a.py')}`
    expect(filesOf(text)).toEqual({ 'README.md': readme, 'a.py': 'x\n' })
  })

  it('C7 lists a block that is not closed', () => {
    const text = `${block('py:a.py')}\n\`\`\`py:b.py\nhalf of`
    expect(filesOf(text, { complete: false })).toEqual({ 'a.py': 'x\n' })
    expect(rejectedOf(text, { complete: false })).toEqual(['b.py: the answer stopped in the middle of this file'])
    expect(filesOf(text)).toEqual({ 'a.py': 'x\n' })
    expect(rejectedOf(text)).toEqual(['b.py: the block is not closed'])
  })

  it('C7 lists the files that an unclosed block swallows', () => {
    const text = '```md:README.md\n# T\n```bash\nnpm i\n```\nprose\n```\n\n```py:a.py\nx\n```\n'
    expect(rejectedOf(text)).toEqual(['a.py: the block before it is not closed'])
  })

  it('C8 knows languages with signs, tildes and headings', () => {
    const text = `${block('c++:a.cpp')}${block('c#:A.cs', 'y\n')}${block('sh:run.sh', '```\n', '~~~')}\n### lib/b.ts\n${block('ts')}`
    expect(filesOf(text)).toEqual({ 'a.cpp': 'x\n', 'A.cs': 'y\n', 'run.sh': '```\n', 'lib/b.ts': 'x\n' })
  })

  it('C9 makes no file of a path without a block', () => {
    expect(filesOf('File: src/app.py\nprint(1)\n')).toEqual({})
  })

  it('C10 lists a path that occurs twice once, with the last content', () => {
    const text = block('py:a.py', '1\n') + block('py:b.py') + block('py:./a.py', '2\n') + block('py', 'class Foo: 1\n')
    expect(extractor.extract(text, whole).artifacts.map(({ path }) => path)).toEqual(['a.py', 'b.py'])
    expect(filesOf(text)).toEqual({ 'a.py': '2\n', 'b.py': 'x\n' })
  })

  it('C11 leaves the content as it is', () => {
    const content = '\n  indented\n\ttab \n\n\n'
    expect(filesOf(block('py:a.py', content))).toEqual({ 'a.py': content })
    expect(filesOf(block('py:empty.py', ''))).toEqual({ 'empty.py': '' })
  })

  it('C11 keeps CRLF, lone CR and mixed line ends', () => {
    const text = '```py:a.py\r\na\r\nb\nc\rd\r\n```\r\n\r\n```py:b.py\nx\n```'
    expect(filesOf(text)).toEqual({ 'a.py': 'a\r\nb\nc\rd\r\n', 'b.py': 'x\n' })
  })

  it('C12 infers no names', () => {
    expect(filesOf(`${block('dockerfile', 'FROM x\n')}Run:\n${block('bash', 'npm i\n')}`)).toEqual({})
  })

  it('C13 lists a bad name and keeps the other files', () => {
    const text = block('py:..') + block('py:a.py')
    expect(filesOf(text)).toEqual({ 'a.py': 'x\n' })
    expect(rejectedOf(text)).toEqual(['..: the path leaves its folder'])
  })

  it('C15 takes (new) and (updated) for remarks', () => {
    const text = `File: a.ts (new)\n${block('ts')}${block('ts:b.ts (updated)')}### \`c.ts\` (new file)\n${block('ts')}`
    expect(Object.keys(filesOf(text))).toEqual(['a.ts', 'b.ts', 'c.ts'])
  })

  it('C15 keeps of twins the later one and lists the earlier', () => {
    const text = block('py:src/App.py', '1\n') + block('py:src/app.py', '2\n')
    expect(filesOf(text)).toEqual({ 'src/app.py': '2\n' })
    expect(rejectedOf(text)).toEqual(['src/App.py: only upper and lower case tell it from src/app.py'])
  })
})

describe('blocks inside other blocks', () => {
  it('takes files out of list items and quotes', () => {
    const text = '1. File: `a.py`\n   ```py\n   if x:\n       y\n   ```\n\n> ```py:b.py\n> z\n>\n> ```\n'
    expect(filesOf(text)).toEqual({ 'a.py': 'if x:\n    y\n', 'b.py': 'z\n\n' })
  })

  it('takes files out of HTML', () => {
    expect(filesOf(`<details>\n${block('py:a.py')}</details>\n`)).toEqual({ 'a.py': 'x\n' })
  })

  it('refuses a block that ends with its list item', () => {
    expect(rejectedOf('- ```py:a.py\n  x\n\nprose\n')).toEqual(['a.py: the block is not closed'])
  })
})

describe('limits', () => {
  const small = createExtractor({ maxArtifactBytes: 4, maxArtifactsPerStep: 2 })

  it('counts bytes, not characters', () => {
    const found = small.extract(block('a:a.txt', 'é\n') + block('a:b.txt', 'éé\n'), whole)
    expect(found.artifacts.map(({ path }) => path)).toEqual(['a.txt'])
    expect(found.rejected).toEqual([{ path: 'b.txt', reason: 'the file is larger than 4 bytes' }])
  })

  it('takes no more files than allowed, but still the newer version of one', () => {
    const text = block('a:a.txt') + block('a:b.txt') + block('a:c.txt') + block('a:a.txt', 'y\n')
    const found = small.extract(text, whole)
    expect(found.artifacts.map(({ path, content }) => path + content)).toEqual(['a.txty\n', 'b.txtx\n'])
    expect(found.rejected).toEqual([{ path: 'c.txt', reason: 'the answer holds more than 2 files' }])
  })

  it('refuses a file in place of a folder', () => {
    const text = block('a:src') + block('a:src/app.py')
    expect(filesOf(text)).toEqual({ 'src/app.py': 'x\n' })
    expect(rejectedOf(text)).toEqual(['src: the path is the folder of another file'])
  })

  it('lists a bounded number of refused files, fit to be shown', () => {
    const found = extractor.extract(block('a:../\u202ex').repeat(1000) + block(`a:../${'x'.repeat(3000)}`), whole)
    expect(found.rejected).toHaveLength(101)
    expect(found.rejected[0]?.path).toBe('../\ufffdx')
    expect(found.rejected.at(-1)?.reason).toBe('901 more files were refused')
  })

  it('keeps the good files of an answer that names a hundred thousand bad ones, and the list small', () => {
    const found = extractor.extract(
      '```:../x\n```\n'.repeat(50_000) + block('py:a.py') + '```:\\x\n```\n'.repeat(49_000),
      whole,
    )
    expect(found.artifacts.map(({ path }) => path)).toEqual(['a.py'])
    expect(found.rejected).toHaveLength(101)
    expect(found.rejected.at(-1)).toEqual({ path: '(others)', reason: '98900 more files were refused' })
  })

  it('keeps the list below 100 kB, whatever its paths are', () => {
    const twins = Array.from({ length: 300 }, (_, n) =>
      block(`a:${'漢'.repeat(80)}/${n % 2 === 0 ? 'a' : 'A'}${'/é'.repeat(25)}`),
    )
    const long = Array.from({ length: 300 }, (_, n) => block(`a:../${'漢'.repeat(1000)}${n}`))
    for (const text of [twins.join(''), long.join('')]) {
      const { rejected } = extractor.extract(text, whole)
      expect(rejected).toHaveLength(101)
      expect(Buffer.byteLength(JSON.stringify(rejected))).toBeLessThan(100_000)
    }
  })

  it('takes of thousands of files as many as it may, and of gigantic ones none', () => {
    const text = Array.from({ length: 3000 }, (_, n) => block(`a:f${n}.txt`)).join('')
    const found = extractor.extract(block('a:big.txt', 'x'.repeat(1_048_577)) + text, whole)
    expect(found.artifacts).toHaveLength(500)
    expect(found.rejected[0]).toEqual({ path: 'big.txt', reason: 'the file is larger than 1048576 bytes' })
    expect(found.rejected.at(-1)?.reason).toBe('2401 more files were refused')
  })

  it('refuses every file in place of a folder, also where only case tells them apart', () => {
    const text = block('a:a') + block('a:A/b') + block('a:a/B/c.py') + block('a:ok.py')
    expect(filesOf(text)).toEqual({ 'a/B/c.py': 'x\n', 'ok.py': 'x\n' })
    expect(rejectedOf(text)).toEqual([
      'a: the path is the folder of another file',
      'A/b: the path is the folder of another file',
    ])
  })

  it('takes one of two spellings of the same letters', () => {
    const text = block('a:caf\u00e9.md', '1\n') + block('a:cafe\u0301.md', '2\n')
    expect(filesOf(text)).toEqual({ 'caf\u00e9.md': '2\n' })
  })
})

describe('hostile answers', () => {
  it.each([
    ['one large fence', `\`\`\`py:a.py\n${'x = "hello world, this is a line"\n'.repeat(150_000)}\`\`\`\n`],
    ['one long line', `\`\`\`py:a.py\n${'x'.repeat(5_000_000)}\n\`\`\`\n`],
    ['quotes in quotes', '>'.repeat(5_000_000)],
    ['lists in lists', '- '.repeat(2_500_000)],
    ['backticks', '`'.repeat(5_000_000)],
    ['ever shorter fences', Array.from({ length: 2000 }, (_, n) => '`'.repeat(2003 - n)).join('\n')],
    ['unclosed fences in items', '- ```py:a.py\n\n'.repeat(60_000)],
    ['lazy quotes', `${'>'.repeat(30)} a\n${'b\n'.repeat(100_000)}`],
    ['blanks in an info string', `\`\`\`py:a${' '.repeat(4000)}b\nx\n\`\`\`\n`.repeat(500)],
    ['blanks in a title', `\`\`\`py title="a${' '.repeat(2000)}${'b'.repeat(2000)} c.py?"\nx\n\`\`\`\n`.repeat(500)],
    ['blanks in a path', `# a/${'b '.repeat(2000)}c.py?\n\`\`\`\nx\n\`\`\`\n`.repeat(500)],
    ['blanks in a heading', `# a${' '.repeat(4000)}b\n\`\`\`\nx\n\`\`\`\n`.repeat(500)],
    ['marks before a block', `File: ${'*'.repeat(4000)}b\n\`\`\`\nx\n\`\`\`\n`.repeat(500)],
    ['attributes', `\`\`\`py ${'title='.repeat(600)}\nx\n\`\`\`\n`.repeat(500)],
    ['slashes', `\`\`\`py:${'/'.repeat(3000)} x\nx\n\`\`\`\n`.repeat(500)],
  ])('%s end in time', (_name, text) => {
    expect(extractor.extract(text, whole).artifacts.length).toBeLessThan(2)
  })

  it('says that a text is too long to be read to its end', () => {
    expect(rejectedOf(`${'a\n'.repeat(250_000)}${block('py:a.py')}`)).toEqual([
      '(rest of the answer): the answer is too long to look for files',
    ])
  })

  it('gives back exactly what was put between the fences', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\0]|^ {0,3}~~~~/.test(text))
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), (lines, lineEnd) => {
        const content = lines.map((text) => text + lineEnd).join('')
        expect(filesOf(`Prose.${lineEnd}${lineEnd}~~~~txt:a.txt${lineEnd}${content}~~~~${lineEnd}`)).toEqual({
          'a.txt': content,
        })
      }),
    )
  })
})

describe('an output without its files', () => {
  it('names the files in place of their blocks and leaves the rest', () => {
    const text = `Intro\n\n${block('py:a.py')}Between\n${block('bash', 'run\n')}${block('py:./b.py')}End`
    expect(extractor.withoutFiles(text, new Set(['a.py', 'b.py']))).toBe(
      `Intro\n\n[The file a.py, given separately]\nBetween\n${block('bash', 'run\n')}[The file b.py, given separately]\nEnd`,
    )
  })

  it('keeps blocks that are no file of the step', () => {
    const text = `${block('py:a.py')}\`\`\`py:b.py\nopen`
    expect(extractor.withoutFiles(text, new Set(['b.py']))).toBe(text)
  })
})
