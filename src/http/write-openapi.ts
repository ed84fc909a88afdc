import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkflowServices } from '../workflows/service.ts'
import { createApp } from './app.ts'
import { openAccess } from './open-access.ts'
import { openapiYaml } from './openapi.ts'

const root = join(import.meta.dirname, '..', '..')

/** Describing needs the routes, never what they do. */
const noServices = new Proxy({} as WorkflowServices, {
  get: (_target, name) => () => {
    throw new Error(`${String(name)} was called while describing`)
  },
})

/** The description of this version, as `openapi.yaml` has to hold it. */
export async function describeApp(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string }
  const app = await createApp(
    {
      services: noServices,
      checkPath: (path) => ({ path }),
      health: { health: () => Promise.reject(new Error('no health')) },
      metrics: { text: () => Promise.reject(new Error('no metrics')), json: () => null },
      ready: () => false,
      draining: () => false,
      leaving: new AbortController().signal,
      signing: { key: () => Promise.reject(new Error('no key')), now: () => 0 },
    },
    {
      version,
      bodyLimitBytes: 1,
      trustProxy: false,
      corsOrigins: [],
      access: openAccess,
      maxSseConnections: 1,
      sseHeartbeatMs: 1000,
      sseSlowClientMs: 1000,
      notReadyHoldMs: 1000,
    },
  )
  await app.ready()
  const yaml = openapiYaml(app)
  await app.close()
  return yaml
}

/** Writes `openapi.yaml`; with `--check` only says whether it is stale, by the exit code. */
async function main(): Promise<void> {
  const file = join(root, 'openapi.yaml')
  const yaml = await describeApp()
  if (!process.argv.includes('--check')) return writeFile(file, yaml)
  if ((await readFile(file, 'utf8').catch(() => '')) === yaml) return
  process.stderr.write('openapi.yaml is stale: run node src/http/write-openapi.ts\n')
  process.exitCode = 1
}

if (import.meta.main) await main()
