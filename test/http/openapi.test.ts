import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { describeApp } from '../../src/http/write-openapi.ts'

interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>
  readonly components: Readonly<Record<'schemas' | 'examples', Readonly<Record<string, unknown>>>>
}

const routes = [
  'get /agents',
  'get /agents/{role}',
  'get /agents/{role}/tasks',
  'post /agents/{role}/tasks',
  'delete /agents/{role}/tasks/{id}',
  'get /agents/{role}/tasks/{id}',
  'get /agents/{role}/tasks/{id}/artifacts',
  'get /agents/{role}/tasks/{id}/artifacts.zip',
  'get /agents/{role}/tasks/{id}/artifacts/{*}',
  'post /agents/{role}/tasks/{id}/cancel',
  'get /agents/{role}/tasks/{id}/events',
  'post /agents/{role}/tasks/{id}/events/ticket',
  'post /agents/{role}/tasks/{id}/resume',
  'get /agents/{role}/tasks/{id}/webhooks',
  'post /agents/{role}/tasks/{id}/webhooks/{delivery}/redeliver',
  'get /approvals',
  'get /health',
  'get /livez',
  'get /metrics',
  'get /metrics.json',
  'get /openapi.json',
  'get /openapi.yaml',
  'get /problems',
  'get /problems/{name}',
  'get /readyz',
  'get /workflow-types',
  'get /workflow-types/{type}',
  'get /workflows',
  'post /workflows',
  'delete /workflows/{id}',
  'get /workflows/{id}',
  'get /workflows/{id}/artifacts',
  'get /workflows/{id}/artifacts.zip',
  'get /workflows/{id}/artifacts/{*}',
  'post /workflows/{id}/cancel',
  'get /workflows/{id}/events',
  'post /workflows/{id}/events/ticket',
  'get /workflows/{id}/graph',
  'post /workflows/{id}/resume',
  'get /workflows/{id}/steps/{step}',
  'post /workflows/{id}/steps/{step}/approve',
  'post /workflows/{id}/steps/{step}/reject',
  'post /workflows/{id}/steps/{step}/rerun',
  'get /workflows/{id}/webhooks',
  'post /workflows/{id}/webhooks/{delivery}/redeliver',
]

function referencesOf(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  const own = '$ref' in value && typeof value.$ref === 'string' ? [value.$ref] : []
  return [...own, ...Object.values(value).flatMap(referencesOf)]
}

test('openapi.yaml is what the routes say: if not, run node src/http/write-openapi.ts', async () => {
  const committed = await readFile(join(import.meta.dirname, '..', '..', 'openapi.yaml'), 'utf8')
  const yaml = await describeApp()
  expect(committed).toBe(yaml)

  const description = parse(yaml) as Description
  expect(description.openapi).toBe('3.1.0')
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  )
  expect(described.filter((route) => !route.startsWith('head ')).toSorted()).toEqual(routes.toSorted())
  for (const operation of Object.values(description.paths).flatMap(Object.values))
    expect(operation.summary).toBeTruthy()

  const known = new Set(
    Object.entries(description.components).flatMap(([kind, named]) =>
      Object.keys(named).map((name) => `#/components/${kind}/${name}`),
    ),
  )
  expect(referencesOf(description).filter((reference) => !known.has(reference))).toEqual([])
})
