import { describe, expect, it } from 'vitest'
import { createDelimiters } from '../../src/agents/delimiters.ts'
import { createExtractor } from '../../src/agents/extraction.ts'
import { createReasoningSplitter } from '../../src/agents/reasoning-splitter.ts'
import { lengthOfSeam } from '../../src/agents/seam.ts'
import { cutMiddle } from '../../src/agents/tokens.ts'

const extractor = createExtractor({ maxArtifactBytes: 1_048_576, maxArtifactsPerStep: 500 })

/** Microseconds of this thread's own CPU, the least of some runs: what else the machine does is not in it. */
function costOf(work: () => unknown): number {
  const costs = Array.from({ length: 2 }, () => {
    const before = process.threadCpuUsage()
    work()
    const spent = process.threadCpuUsage(before)
    return spent.user + spent.system
  })
  return Math.min(...costs)
}

const growth = 4
// linear is 4 and quadratic 16; caches and garbage have their part
const mostTimes = 9
// below this a clock says nothing
const leastMicroseconds = 3_000

function expectLinear(textOf: (size: number) => string, size: number, work: (text: string) => unknown): void {
  const [small, large] = [textOf(size), textOf(size * growth)]
  work(small)
  const once = Math.max(
    leastMicroseconds,
    costOf(() => work(small)),
  )
  expect(costOf(() => work(large)) / once).toBeLessThan(mostTimes)
}

const repeated = (unit: string) => (size: number) => unit.repeat(Math.ceil(size / unit.length))

const pathological: readonly (readonly [string, (size: number) => string])[] = [
  ['backticks', repeated('`')],
  ['opening brackets', repeated('[')],
  ['opening brackets on lines', repeated('[\n')],
  ['exclamation marks and brackets', repeated('![')],
  ['opening angle brackets', repeated('<')],
  ['asterisks', repeated('*a ')],
  ['headings', repeated('# a\n')],
  ['headings of files', repeated('### a.py\n')],
  ['underlines of headings', repeated('a\n-\n')],
  ['lines of one paragraph', repeated('a\n')],
  ['unclosed fences', repeated('```py:a.py\n')],
  ['fences of two kinds', repeated('```py:a.py\n~~~\n')],
  ['ever longer fences', (size) => lines(size, (n) => '`'.repeat(3 + (n % 400)))],
  ['fences in fences', repeated('````md:a.md\n```py:b.py\nx\n```\n````\n')],
  ['files with bad paths', repeated('```py:../x\n```\n')],
  ['files that come again', repeated('```py:a.py\nx\n```\n')],
  ['files of different names', (size) => lines(size, (n) => `\`\`\`py:f${n}.py\n\`\`\``)],
  ['twins by their case', (size) => lines(size, (n) => `\`\`\`py:${n % 2 === 0 ? 'a' : 'A'}.py\n\`\`\``)],
  ['folders and files of one name', (size) => lines(size, (n) => `\`\`\`x:${'a/'.repeat(n % 20)}a\n\`\`\``)],
  ['quotes', repeated('> a\n')],
  ['quotes in quotes', repeated('>')],
  ['lazy lines of a quote', (size) => `> a\n${repeated('b\n')(size)}`],
  ['list items', repeated('- a\n')],
  ['empty list items', repeated('-\n')],
  ['lists in lists', repeated('- ')],
  ['numbered items with fences', repeated('1. ```py:a.py\n\n')],
  ['blank lines', repeated('\n')],
  ['blanks', repeated(' ')],
  ['tabs', repeated('\t- \n')],
  ['indented code', repeated('     x\n\n')],
  ['carriage returns', repeated('\r')],
  ['carriage returns in a file', (size) => `\`\`\`py:a.py\n${repeated('x\r\n')(size)}\`\`\`\n`],
  ['tags', repeated('<details>\n')],
  ['combining marks', repeated('\u0316\u0301')],
]

function lines(size: number, line: (n: number) => string): string {
  const made: string[] = []
  for (let n = 0, length = 0; length < size; n += 1) {
    const text = line(n)
    made.push(text)
    length += text.length + 1
  }
  return `${made.join('\n')}\n`
}

const size = 16_000

describe('four times the text takes about four times the work', () => {
  it.each(pathological)('to find the files in %s', (_name, textOf) => {
    expectLinear(textOf, size, (text) => extractor.extract(text, { complete: true }))
  })

  it.each(pathological.filter(([name]) => /file|fence|mark|bracket/.test(name)))(
    'to take files out, find the open block, cut and delimit %s',
    (_name, textOf) => {
      const paths = new Set(['a.py', 'f1.py', 'b.py'])
      expectLinear(textOf, size, (text) => {
        extractor.openBlock(text)
        const tags = createDelimiters([extractor.withoutFiles(text, paths)])
        return cutMiddle(tags.data(text), 1000)
      })
    },
  )

  it.each(['<think>', '<think></think', ' ', '</think>', '\n'])('to part %j from an answer, piece by piece', (unit) => {
    expectLinear(repeated(unit), 200_000, (text) => {
      const splitter = createReasoningSplitter()
      for (let from = 0; from < text.length; from += 20) splitter.push(text.slice(from, from + 20))
      splitter.end()
    })
  })

  it('to join a continuation', () => {
    expectLinear(repeated('ab'), 400_000, (text) => lengthOfSeam(text, text.slice(0, 200), null))
  })
})
