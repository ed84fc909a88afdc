import { existsSync } from 'node:fs'
import { lstat, mkdir, readFile, readdir, rename, symlink, writeFile } from 'node:fs/promises'
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

test('what a try left behind that died is gone after the next one, and of other workflows nothing', async ({
  place,
}) => {
  const output = createOutputDirectory(place)
  for (const left of ['.wf_1-7f', '.wf_1-7f-former', '.wf_10-7f']) {
    await mkdir(join(place, left, 'src'), { recursive: true })
    await writeFile(join(place, left, 'src', 'half.txt'), 'half')
  }
  async function* broken() {
    yield* files(['a.txt', 'half'])
    throw new Error('the database went away')
  }
  await expect(output.publish({ workflowId: 'wf_1', files: broken(), isRepeated: true })).rejects.toThrow('went away')
  expect(await readdir(place)).toHaveLength(3)
  await output.publish({ workflowId: 'wf_1', files: files(['a.txt', 'whole']), isRepeated: true })
  expect((await readdir(place)).toSorted((a, b) => a.localeCompare(b))).toEqual(['.wf_10-7f', 'wf_1'])
})

/** A directory beside the root with a file that must stay alone, and links to it. */
async function precious(place: string) {
  const path = join(place, 'elsewhere')
  const root = join(place, 'output')
  await mkdir(path)
  await mkdir(root)
  await writeFile(join(path, 'precious.txt'), 'mine')
  return {
    path,
    root,
    output: createOutputDirectory(root),
    untouched: async () => {
      expect(await readdir(path)).toEqual(['precious.txt'])
      expect(await readFile(join(path, 'precious.txt'), 'utf8')).toBe('mine')
    },
  }
}

async function stagingIn(root: string): Promise<string> {
  const name = (await readdir(root)).find((entry) => entry.startsWith('.wf_1-'))
  return join(root, name ?? 'not there')
}

test('a file in its place is replaced', async ({ place }) => {
  await writeFile(join(place, 'wf_1'), 'in the way')
  await createOutputDirectory(place).publish({ workflowId: 'wf_1', files: files(['a.txt', 'a']) })
  expect(await readdir(place)).toEqual(['wf_1'])
  expect(await readdir(join(place, 'wf_1'))).toEqual(['a.txt'])
})

test('links in what was published before are deleted as links', async ({ place }) => {
  const { path, root, output, untouched } = await precious(place)
  await output.publish({ workflowId: 'wf_1', files: files(['src/a.txt', 'a']) })
  await symlink(path, join(root, 'wf_1', 'src', 'link'))
  await symlink(join(path, 'precious.txt'), join(root, 'wf_1', 'file-link'))
  await output.publish({ workflowId: 'wf_1', files: files(['b.txt', 'b']) })
  expect(await readdir(join(root, 'wf_1'))).toEqual(['b.txt'])
  expect(await readdir(root)).toEqual(['wf_1'])
  await untouched()
})

test('a root that is a link is followed: whoever runs the service has named it', async ({ place }) => {
  await mkdir(join(place, 'disk'))
  await symlink(join(place, 'disk'), join(place, 'output'))
  await createOutputDirectory(join(place, 'output')).publish({ workflowId: 'wf_1', files: files(['a.txt', 'a']) })
  expect(await readdir(join(place, 'disk', 'wf_1'))).toEqual(['a.txt'])
})

test('a link planted in place of a folder while it is written is refused', async ({ place }) => {
  const { path, root, output, untouched } = await precious(place)
  async function* planted() {
    yield* files(['src/a.txt', 'a'])
    const folder = join(await stagingIn(root), 'src')
    await rename(folder, `${folder}-away`)
    await symlink(path, folder)
    yield* files(['src/precious.txt', 'overwritten'])
  }
  await expect(output.publish({ workflowId: 'wf_1', files: planted() })).rejects.toThrow(/ELOOP|ENOTDIR/)
  await untouched()
  expect(await readdir(root)).toEqual([])
})

test('a link planted in place of a file is refused', async ({ place }) => {
  const { path, root, output, untouched } = await precious(place)
  async function* planted() {
    await symlink(join(path, 'precious.txt'), join(await stagingIn(root), 'a.txt'))
    yield* files(['a.txt', 'overwritten'])
  }
  await expect(output.publish({ workflowId: 'wf_1', files: planted() })).rejects.toThrow('EEXIST')
  await untouched()
})

// it takes a way to name an open directory
test.skipIf(!existsSync('/proc/self/fd'))(
  'a link planted in place of the whole directory gets nothing, and what was published before stays',
  async ({ place }) => {
    const { path, root, output, untouched } = await precious(place)
    await output.publish({ workflowId: 'wf_1', files: files(['a.txt', 'whole']) })
    async function* planted() {
      yield* files(['a.txt', 'new'])
      const staging = await stagingIn(root)
      await rename(staging, join(place, 'taken'))
      await symlink(path, staging)
      yield* files(['b/c.txt', 'new'])
    }
    await expect(output.publish({ workflowId: 'wf_1', files: planted() })).rejects.toThrow('in the place of')
    await untouched()
    expect(await readFile(join(root, 'wf_1', 'a.txt'), 'utf8')).toBe('whole')
    expect(await readdir(root)).toEqual(['wf_1'])
  },
)

test.for(['../a', 'a/../../b', '/etc/a', 'a//b', './a'])('%j leads nowhere', async (path, { place }) => {
  const root = join(place, 'output')
  await expect(createOutputDirectory(root).publish({ workflowId: 'wf_1', files: files([path, 'x']) })).rejects.toThrow(
    'leads elsewhere',
  )
  expect(await readdir(root)).toEqual([])
  expect(await readdir(place)).toEqual(['output'])
})

test.for(['..', '.', '', 'a/b', '../wf_1'])('%j is no id', async (workflowId, { place }) => {
  await expect(createOutputDirectory(place).publish({ workflowId, files: files() })).rejects.toThrow('no id')
  expect(await readdir(place)).toEqual([])
})
