import { copyFile, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, vi } from 'vitest'
import { test } from '../smoke/smoke-test.ts'
import { readProjectFile } from './project-files.ts'

interface Line {
  readonly message: string
  readonly correlation_id?: string
}

async function linesOf(file: string): Promise<readonly Line[]> {
  const text = await readFile(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

describe('rotation from outside', { timeout: 60_000 }, () => {
  test('by copy and truncation loses no line and leaves no hole; SIGHUP does not end the service', async ({ site }) => {
    const file = join(site.directory, 'logs', 'service.log')
    const service = await site.start({ LOG_FILE: file })
    const ask = async (id: string): Promise<void> => {
      await fetch(`${service.url}/agents`, { headers: { 'x-correlation-id': id } })
      await vi.waitUntil(async () => (await linesOf(file)).some((line) => line.correlation_id === id), {
        timeout: 20_000,
      })
    }
    await ask('before')
    await copyFile(file, `${file}.1`)
    await truncate(file)
    service.signal('SIGHUP')
    await service.logged(/^SIGHUP received/)
    await ask('after')

    expect((await linesOf(`${file}.1`)).map(({ message }) => message)).toContain('Ready')
    const after = await linesOf(file)
    expect(after.some(({ correlation_id: id }) => id === 'before')).toBe(false)
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  })

  test('is what deploy/logrotate does', () => {
    const file = readProjectFile('deploy/logrotate/llm-multi-agent')
    const options = ['daily', 'rotate 14', 'compress', 'delaycompress', 'notifempty', 'copytruncate']
    for (const option of options) expect(file).toMatch(new RegExp(`^    ${option}$`, 'm'))
  })
})
