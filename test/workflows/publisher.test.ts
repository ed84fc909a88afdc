import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createOutputDirectory } from '../../src/storage/output-directory.ts'
import { createPublisher } from '../../src/workflows/publisher.ts'
import { openTestStorage, temporaryDirectory } from '../support/database.ts'
import { customSteps, openEngineBench } from '../support/engine-fixture.ts'
import { answerSteps } from '../support/scripted-steps.ts'
import { startModelServer } from '../support/fault-server.ts'

test('a workflow that has ended is in the output directory, also when the directory was not to be had at first', async () => {
  const place = await temporaryDirectory()
  const storage = await openTestStorage({ publishes: true })
  const server = await startModelServer({ answer: answerSteps() })
  const bench = await openEngineBench(storage, { server })
  const root = join(place.path, 'output')
  // A file where the directory should be: the first try has to fail.
  await writeFile(root, '')
  const failed: string[] = []
  const publisher = createPublisher({
    store: storage.store,
    queue: storage.publications,
    directory: createOutputDirectory(root),
    onFailed: (workflowId) => failed.push(workflowId),
  })
  try {
    await bench.engine.start()
    publisher.start()
    const id = await bench.start(customSteps('a', 'b < a'))
    await bench.toEnd(id)
    await vi.waitUntil(() => failed.includes(id), { timeout: 10_000 })
    await rm(root)
    const published = join(root, id)
    await vi.waitUntil(async () => (await readdir(published).catch(() => [])).length > 0, { timeout: 20_000 })
    expect((await readdir(published)).toSorted((a, b) => a.localeCompare(b))).toEqual(['.workflow', 'a.txt', 'b.txt'])
    expect(await readFile(join(published, 'a.txt'), 'utf8')).toBe('file-of-a\n')
    expect(await readFile(join(published, '.workflow', 'a.md'), 'utf8')).toContain('said-by-a')
    const resource = JSON.parse(await readFile(join(published, '.workflow', 'workflow.json'), 'utf8')) as unknown
    expect(resource).toMatchObject({ id, status: 'completed' })
  } finally {
    await publisher.stop()
    await bench.close()
    await server.close()
    await storage.close()
    await place.remove()
  }
})
