import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { startService } from '../../demo/service-process.ts'

const READY_SERVICE = `
  import { createServer } from 'node:http'
  console.log(JSON.stringify(process.env))
  const server = createServer((request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end())
  server.listen(Number(process.env.PORT), process.env.HOST)
  process.once('SIGTERM', () => { console.log('goodbye'); server.close(); server.closeAllConnections() })
`

async function start(
  script: string,
  env: NodeJS.ProcessEnv = {},
  more: { realModel?: boolean; signal?: AbortSignal } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'demo-service-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const main = join(directory, 'main.mjs')
  await writeFile(main, script)
  const llm = { url: 'http://127.0.0.1:9/v1', model: null }
  const service = await startService({ directory, llm, env, realModel: false, main, ...more })
  onTestFinished(() => service.close())
  return service
}

describe('the service as a child', () => {
  it('is ready when it says so, and ends politely', async () => {
    const service = await start(READY_SERVICE)
    expect((await fetch(`${service.baseUrl}/readyz`, { headers: { connection: 'close' } })).status).toBe(200)
    await service.close()
    expect(await readFile(service.logFile, 'utf8')).toContain('goodbye')
    await service.close()
  })

  it("gets nothing of the user's own configuration, but a real model's key", async () => {
    const env = { DATABASE_URL: 'postgres://prod', API_KEYS: 'a:b', OPENAI_API_KEY: 'sk-1', TZ: 'UTC' }
    const scripted = await readFile((await start(READY_SERVICE, env)).logFile, 'utf8')
    expect(scripted).toContain('"TZ":"UTC"')
    expect(scripted).toContain('"OPENAI_API_BASE":"http://127.0.0.1:9/v1"')
    expect(scripted).not.toMatch(/DATABASE_URL|API_KEYS|sk-1/)
    expect(await readFile((await start(READY_SERVICE, env, { realModel: true })).logFile, 'utf8')).toContain('sk-1')
  })

  it('is not waited for when the user has had enough', async () => {
    const abort = new AbortController()
    const never = start('setInterval(() => {}, 1_000)', {}, { signal: abort.signal })
    abort.abort(new Error('Stopped.'))
    await expect(never).rejects.toThrow(/^Stopped\.$/)
  })

  it('that cannot start shows the end of its log', async () => {
    const failing = start("console.error('port is broken'); process.exitCode = 78")
    await expect(failing).rejects.toThrow(/exit code 78[^]*port is broken/)
  })
})
