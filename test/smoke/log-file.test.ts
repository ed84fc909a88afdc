import { mkdir, readFile, readdir, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { customStep, getJson, postWorkflow, test } from './smoke-test.ts'
import type { SeenWorkflow, Site } from './smoke-test.ts'

const fileOf = (site: Site) => join(site.directory, 'logs', 'agent_system.log')
const toFile = { LOG_FILE: null }

async function linesOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** Resolves when a line of the file says so. */
async function untilSaid(file: string, message: string): Promise<void> {
  await expect
    .poll(async () => (await linesOf(file)).some((line) => line.includes(message)), { timeout: 20_000 })
    .toBe(true)
}

test('yesterday’s log file is set aside at the start; stdout and file say the same', async ({ site }) => {
  const file = fileOf(site)
  const yesterday = new Date(Date.now() - 86_400_000)
  await mkdir(join(file, '..'))
  await writeFile(file, 'of yesterday\n')
  await utimes(file, yesterday, yesterday)
  const service = await site.start(toFile)
  service.signal('SIGTERM')
  await service.ended
  const archive = `agent_system.log.${yesterday.toISOString().slice(0, 10)}`
  expect((await readdir(join(file, '..'))).toSorted()).toEqual(['agent_system.log', archive])
  expect(await readFile(join(file, '..', archive), 'utf8')).toBe('of yesterday\n')
  expect(await readFile(file, 'utf8')).toBe(service.stdout())
  expect((await stat(file)).mode & 0o137).toBe(0)
})

test('rotated from outside: copytruncate, and a move with SIGHUP, which ends nothing', async ({ site }) => {
  const file = fileOf(site)
  const service = await site.start({ ...toFile, LOG_FILE_KEEP_DAYS: '0' })
  await untilSaid(file, '"Ready"')
  await truncate(file)
  await fetch(`${service.url}/workflows/after-truncating`)
  await untilSaid(file, 'GET /workflows/:id')
  const [first = ''] = await linesOf(file)
  expect(JSON.parse(first)).toMatchObject({ logger: 'http.server' })
  await rename(file, `${file}.1`)
  service.signal('SIGHUP')
  await service.logged(/^SIGHUP received/)
  await expect.poll(() => linesOf(file).then(() => stat(file).catch(() => null)), { timeout: 20_000 }).not.toBeNull()
  await fetch(`${service.url}/agents`)
  await untilSaid(file, 'GET /agents')
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  service.signal('SIGTERM')
  expect(await service.ended).toEqual({ code: 0, signal: null })
})

test('a reader of stdout that stands still holds up nothing: probes, workflows, the log file, the end', async ({
  site,
  model,
}) => {
  const file = fileOf(site)
  const service = site.spawn({ env: { ...toFile, LOG_CONTENT: 'true' }, stdoutStandsStill: true })
  await untilSaid(file, '"Ready"')
  const listening = (await linesOf(file)).find((line) => line.includes(' listens on ')) ?? ''
  const url = /http:[^"]+/.exec(listening)?.[0] ?? ''
  // Each prompt is a line of the log: much more than any pipe holds.
  const steps = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => customStep(id))
  const { id } = await postWorkflow(url, { type: 'custom', requirement: 'Build it. '.repeat(9_000), steps })
  await model.called(6)
  const get = () => getJson<SeenWorkflow>(`${url}/workflows/${id}`)
  await expect.poll(async () => (await get()).status, { timeout: 20_000 }).toBe('completed')
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  service.signal('SIGTERM')
  expect(await service.ended).toEqual({ code: 0, signal: null })
  const lines = await linesOf(file)
  expect(lines.join('').length).toBeGreaterThan(400_000)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ message: 'Shutdown complete' })
})
