import { createApp } from '../../../src/http/app.ts'
import { openAccess } from '../../../src/http/open-access.ts'
import type { WorkflowService } from '../../../src/workflows/service.ts'

/** Puts the HTTP edge before a service, on a port of 127.0.0.1. */
export async function listen(service: WorkflowService, port: number): Promise<{ close(): Promise<void> }> {
  const leaving = new AbortController()
  const app = await createApp(
    {
      services: { as: () => service },
      checkPath: (path) => ({ path }),
      health: { health },
      ready: () => true,
      draining: () => false,
      leaving: leaving.signal,
      signing: { key: () => Promise.reject(new Error('no tickets')), now: () => Date.now() },
    },
    {
      version: '0.0.0',
      bodyLimitBytes: 1_000_000,
      trustProxy: false,
      corsOrigins: [],
      access: openAccess,
      maxSseConnections: 100,
      sseHeartbeatMs: 15_000,
      sseSlowClientMs: 60_000,
      notReadyHoldMs: 10_000,
    },
  )
  await app.listen({ port, host: '127.0.0.1' })
  return {
    async close() {
      leaving.abort()
      await app.close()
    },
  }
}

function health() {
  const rest = { active_clients: 0, success_rate: null, request_count: 0, checks: {} }
  return { status: 'healthy' as const, version: '0.0.0', uptime_seconds: 0, ...rest }
}
