import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { foldedPath } from '../../src/agents/artifact-path.ts'
import { planExport } from '../../src/workflows/export-files.ts'

interface File {
  readonly path: string
  readonly at: number
}

const plan = (...files: readonly File[]) => planExport(files, ({ at }) => at)
const paths = (files: readonly File[]) => files.map(({ path }) => path)

it('files that get along all stay, in their order', () => {
  const { files, leftOut } = plan({ path: 'b', at: 1 }, { path: 'a/b', at: 3 }, { path: 'a/c', at: 2 })
  expect([paths(files), leftOut]).toEqual([['b', 'a/b', 'a/c'], []])
})

it('of names that only case tells apart the newer file stays', () => {
  const { files, leftOut } = plan({ path: 'README.md', at: 2 }, { path: 'readme.md', at: 1 })
  expect(paths(files)).toEqual(['README.md'])
  expect(leftOut).toEqual([{ path: 'readme.md', reason: 'only upper and lower case tell it from README.md' }])
})

it('a file in place of a folder goes, whichever is newer', () => {
  const { files, leftOut } = plan({ path: 'A', at: 9 }, { path: 'a/b', at: 1 }, { path: 'a/b/c', at: 2 })
  expect(paths(files)).toEqual(['a/b/c'])
  expect(leftOut.map(({ path }) => path).toSorted()).toEqual(['A', 'a/b'])
})

it('paths that were stored before today’s rules are judged by them', () => {
  const { files, leftOut } = plan(
    { path: '../x', at: 1 },
    { path: './a', at: 1 },
    { path: '.workflow/a.md', at: 1 },
    { path: 'ok', at: 1 },
  )
  expect(paths(files)).toEqual(['ok'])
  expect(leftOut).toHaveLength(3)
})

it('whatever the paths are, what stays can be written side by side, and nothing is lost without a word', () => {
  const part = fc.constantFrom('a', 'A', 'b', '..', '.git', 'é', 'e\u0301', 'con', '\uff0e\uff0e', '')
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const files = fc.uniqueArray(fc.record({ path, at: fc.nat(5) }), { selector: (file) => file.path, maxLength: 12 })
  fc.assert(
    fc.property(files, (given) => {
      const { files: kept, leftOut } = plan(...given)
      expect(kept.length + leftOut.length).toBe(given.length)
      const keys = paths(kept).map(foldedPath)
      expect(new Set(keys).size).toBe(keys.length)
      for (const one of keys) expect(keys.some((other) => other.startsWith(`${one}/`))).toBe(false)
      for (const { path: name } of kept) expect(name).not.toMatch(/\.\.|\.git|^$|\/\/|con/)
    }),
  )
})
