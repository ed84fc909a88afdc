import { lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test as base } from 'vitest'
import { createOutputDirectory } from '../../src/storage/output-directory.ts'
import { temporaryDirectory } from '../support/database.ts'

const test = base.extend<{ place: string }>({
  place: async ({}, use) => {
    const directory = await temporaryDirectory()
    await use(directory.path)
    await directory.remove()
  },
})

async function* files(...made: readonly (readonly [path: string, content: string])[]) {
  for (const [path, content] of made) yield { path, content: Buffer.from(content) }
}

test('a workflow becomes a directory of its own, with its folders', async ({ place }) => {
  const root = join(place, 'not', 'there', 'yet')
  await createOutputDirectory(root).publish({
    workflowId: 'wf_1',
    files: files(['src/app.py', 'a'], ['README.md', 'b']),
  })
  expect(await readFile(join(root, 'wf_1', 'src', 'app.py'), 'utf8')).toBe('a')
  expect(await readFile(join(root, 'wf_1', 'README.md'), 'utf8')).toBe('b')
  expect(await readdir(root)).toEqual(['wf_1'])
})

test('what was published before is replaced, nothing of it stays', async ({ place }) => {
  const output = createOutputDirectory(place)
  await output.publish({ workflowId: 'wf_1', files: files(['old.txt', 'a']) })
  await output.publish({ workflowId: 'wf_1', files: files(['new.txt', 'b']) })
  expect(await readdir(join(place, 'wf_1'))).toEqual(['new.txt'])
  expect(await readdir(place)).toEqual(['wf_1'])
})

test('a symbolic link in its place is replaced, and what it points to left alone', async ({ place }) => {
  const elsewhere = join(place, 'elsewhere')
  await mkdir(elsewhere)
  await writeFile(join(elsewhere, 'precious.txt'), 'mine')
  const root = join(place, 'output')
  await mkdir(root)
  await symlink(elsewhere, join(root, 'wf_1'))
  await createOutputDirectory(root).publish({ workflowId: 'wf_1', files: files(['a.txt', 'a']) })
  expect((await lstat(join(root, 'wf_1'))).isSymbolicLink()).toBe(false)
  expect(await readdir(elsewhere)).toEqual(['precious.txt'])
})

test('files that cannot all be had leave what was there as it was', async ({ place }) => {
  const output = createOutputDirectory(place)
  await output.publish({ workflowId: 'wf_1', files: files(['a.txt', 'whole']) })
  async function* broken() {
    yield* files(['a.txt', 'half'])
    throw new Error('the database went away')
  }
  await expect(output.publish({ workflowId: 'wf_1', files: broken() })).rejects.toThrow('the database went away')
  expect(await readFile(join(place, 'wf_1', 'a.txt'), 'utf8')).toBe('whole')
  expect(await readdir(place)).toEqual(['wf_1'])
})
