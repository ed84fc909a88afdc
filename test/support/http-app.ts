import type { AddressInfo } from 'node:net'
import { test as base } from 'vitest'
import type { AppOptions, AppParts, ClosedStream, FailedRequest, FinishedRequest } from '../../src/http/app-parts.ts'
import { createApp } from '../../src/http/app.ts'
import type { HttpApp } from '../../src/http/http-app.ts'
import { openAccess } from '../../src/http/open-access.ts'
import type { FakeService } from './fake-service.ts'
import { createFakeService } from './fake-service.ts'

/** An application over the fake service, and what a test turns in the rest of the service's place. */
export interface TestApp {
  readonly app: HttpApp
  readonly service: FakeService
  readonly state: { ready: boolean; draining: boolean }
  /** Breaks off the streams, as a shutdown does. */
  readonly leave: () => void
  readonly finished: FinishedRequest[]
  readonly failed: FailedRequest[]
  readonly closed: ClosedStream[]
  readonly openStreams: () => number
  /** Listens on a free port and returns the base URL. */
  readonly listen: () => Promise<string>
}

export const testOptions: AppOptions = {
  version: '1.2.3',
  bodyLimitBytes: 10_485_760,
  trustProxy: false,
  corsOrigins: [],
  access: openAccess,
  maxSseConnections: 100,
  sseHeartbeatMs: 15_000,
  sseSlowClientMs: 60_000,
  notReadyHoldMs: 300,
}

/** What an application over these services needs besides, and nothing more. */
export function partsOver(services: AppParts['services']): AppParts {
  return {
    services,
    checkPath: (path) => (path.includes('..') ? { reason: 'the path leaves its folder' } : { path }),
    health: {
      health: () => ({
        status: 'healthy',
        version: '1.2.3',
        uptime_seconds: 1,
        active_clients: 0,
        success_rate: null,
        request_count: 0,
        checks: { database: { status: 'ok' } },
      }),
    },
    ready: () => true,
    draining: () => false,
    leaving: new AbortController().signal,
    signing: { key: async () => new Uint8Array(32).fill(7), now: () => Date.now() },
  }
}

/** Builds one; the caller closes `app`. */
export async function createTestApp(
  options: Partial<AppOptions> = {},
  parts: Partial<AppParts> = {},
): Promise<TestApp> {
  const service = createFakeService()
  const state = { ready: true, draining: false }
  const leaving = new AbortController()
  const finished: FinishedRequest[] = []
  const failed: FailedRequest[] = []
  const closed: ClosedStream[] = []
  let opened = 0
  const app = await createApp(
    {
      ...partsOver({ as: () => service }),
      ready: () => state.ready,
      draining: () => state.draining,
      leaving: leaving.signal,
      observer: {
        requestFinished: (request) => finished.push(request),
        requestFailed: (request) => failed.push(request),
        streamOpened: () => (opened += 1),
        streamClosed: (stream) => closed.push(stream),
      },
      ...parts,
    },
    { ...testOptions, ...options },
  )
  return {
    app,
    service,
    state,
    leave: () => leaving.abort(),
    finished,
    failed,
    closed,
    openStreams: () => opened - closed.length,
    async listen() {
      await app.listen({ port: 0, host: '127.0.0.1' })
      const { port } = app.server.address() as AddressInfo
      return `http://127.0.0.1:${port}`
    },
  }
}

interface Fixtures {
  /** Builds an application for one test and closes it afterwards. */
  readonly edge: (options?: Partial<AppOptions>, parts?: Partial<AppParts>) => Promise<TestApp>
  /** One application for a whole file: for tests that leave nothing behind. */
  readonly shared: TestApp
}

export const test = base.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern
  edge: async ({}, use) => {
    const apps: TestApp[] = []
    await use(async (options, parts) => {
      const made = await createTestApp(options, parts)
      apps.push(made)
      return made
    })
    await Promise.all(apps.map(({ app }) => app.close()))
  },
  shared: [
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const made = await createTestApp()
      await use(made)
      await made.app.close()
    },
    { scope: 'file' },
  ],
})
