import { describe, expect } from 'vitest'
import { test } from '../support/http-app.ts'

const json = { accept: 'application/json' }

describe('operations and description', () => {
  test('health is 503 when unhealthy', async ({ edge }) => {
    const report = { status: 'unhealthy' as const, version: '1', uptime_seconds: 1, active_clients: 0 }
    const health = { health: () => ({ ...report, success_rate: null, request_count: 0, checks: {} }) }
    const { app } = await edge({}, { health })
    expect((await app.inject('/health')).statusCode).toBe(503)
  })

  test('metrics', async ({ edge }) => {
    const metrics = {
      text: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'a 1\n' }),
      json: () => ({ counters: {} }),
    }
    const { app } = await edge({}, { metrics })
    const text = await app.inject('/metrics')
    expect([text.body, text.headers['content-type']]).toEqual(['a 1\n', 'text/plain; version=0.0.4'])
    expect((await app.inject('/metrics.json')).json()).toEqual({ counters: {} })
  })

  test('documents', async ({ shared: { app } }) => {
    expect((await app.inject('/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' })
    expect((await app.inject('/openapi.yaml')).body).toMatch(/^openapi: 3\.1\.0/)
    const docs = await app.inject('/docs')
    expect(docs.headers['content-security-policy']).not.toContain('http')
    for (const [, path] of docs.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect([path, (await app.inject(String(path))).statusCode]).toEqual([path, 200])
    }
    expect((await app.inject('/docs/static/nothing.js')).headers['content-type']).toContain('application/problem+json')
  })

  test('every problem has its page', async ({ shared: { app } }) => {
    const { data } = (await app.inject({ url: '/problems', headers: json })).json<{ data: { name: string }[] }>()
    expect(data.length).toBeGreaterThan(15)
    for (const { name } of data) {
      const page = await app.inject(`/problems/${name}`)
      expect([name, page.statusCode, page.headers['content-type']]).toEqual([name, 200, 'text/html; charset=utf-8'])
    }
    expect((await app.inject('/problems/nonsense')).statusCode).toBe(404)
  })
})
