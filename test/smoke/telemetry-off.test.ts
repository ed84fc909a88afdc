import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startFakeCollector } from '../support/fake-collector.ts'
import type { Environment } from '../support/service-process.ts'
import { customStep, postWorkflow, test } from './smoke-test.ts'
import type { Site } from './smoke-test.ts'

/** What a process has loaded when it has been through a whole workflow. */
async function loadedBy(site: Site, env: Environment): Promise<readonly string[]> {
  const file = join(site.directory, `loaded-${randomUUID()}`)
  const nodeOptions = ['--import', join(import.meta.dirname, 'loaded-modules.ts')]
  const service = site.spawn({ env: { ...env, LOADED_MODULES: file }, nodeOptions })
  await service.ready()
  await postWorkflow(await service.listening, { type: 'custom', requirement: 'x', steps: [customStep('one')] })
  await service.logged(/^Workflow completed/)
  await service.kill()
  return (await readFile(file, 'utf8')).split('\n')
}

// OpenTelemetry's bare API is loaded by pg-boss and prom-client, which ask it for nothing.
const ofTelemetry = /node_modules\/@(?:sentry|opentelemetry\/(?!api\/))|src\/trace-parts|observability\/(?:otlp|trace-)/

test('without DSN and endpoint nothing of Sentry and OpenTelemetry is loaded', async ({ site }) => {
  const off = await loadedBy(site, { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' })
  expect(off.length).toBeGreaterThan(100)
  expect(off.filter((url) => ofTelemetry.test(url))).toEqual([])
})

test('with an endpoint, OpenTelemetry is, and nothing of Sentry; switched off again, nothing', async ({ site }) => {
  const collector = await startFakeCollector()
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const loaded = await loadedBy(site, on)
  const disabled = await loadedBy(site, { ...on, OTEL_SDK_DISABLED: 'true' })
  await collector.close()
  expect(loaded.some((url) => url.includes('@opentelemetry/sdk-trace'))).toBe(true)
  expect(loaded.filter((url) => url.includes('@sentry'))).toEqual([])
  expect(disabled.filter((url) => ofTelemetry.test(url))).toEqual([])
})
