import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FollowingPage } from './chromium.ts'
import { createFollowingPage } from './chromium.ts'
import { followWithCurl } from './curl.ts'
import { followWithEventSource } from './npm-eventsource.ts'
import { followWithFetchEventSource, pageGlobals } from './fetch-event-source.ts'
import type { Follow } from './followed-stream.ts'
import { onPath } from './on-path.ts'
import { followWithParser } from './parser-and-fetch.ts'
import type { RestartedRun } from './restarts.ts'
import { runThroughRestarts } from './restarts.ts'

/** Each with the program that it needs. */
const clients: Readonly<Record<string, { readonly follow?: Follow; readonly program?: string }>> = {
  eventsource: { follow: followWithEventSource },
  '@microsoft/fetch-event-source': { follow: followWithFetchEventSource },
  'eventsource-parser': { follow: followWithParser },
  curl: { follow: followWithCurl, program: 'curl' },
  'EventSource in Chromium': { program: 'chromium' },
}

describe("other people's clients, while the service is killed and updated in mid-stream", () => {
  let page: FollowingPage
  let run: RestartedRun

  beforeAll(async () => {
    vi.stubGlobal('window', pageGlobals.window)
    vi.stubGlobal('document', pageGlobals.document)
    page = await createFollowingPage()
    const here = Object.entries(clients).filter(([, { program }]) => program === undefined || onPath(program) !== null)
    const followed = here.map(([name, { follow }]) => [name, follow ?? page.follow] as const)
    run = await runThroughRestarts(Object.fromEntries(followed), { CORS_ORIGINS: page.origin })
  }, 120_000)

  afterAll(async () => {
    vi.unstubAllGlobals()
    await page.close()
  })

  test.for(Object.keys(clients))('%s comes back by itself and ends exact', (name, { skip }) => {
    const stream = run.streams.get(name)
    skip(stream === undefined, `${clients[name]?.program} is not installed`)
    if (stream === undefined) return
    const { journal } = stream
    expect(journal.faults()).toEqual([])
    expect(run.workflow.status).toBe('completed')
    expect(journal.kept()).toEqual(Object.fromEntries(run.workflow.steps.map(({ id, output }) => [id, output])))
    expect(journal.lifecycle().filter(({ type }) => type === 'step.retrying')).toMatchObject([
      { step: 'killed', attempt: 1, error: { code: 'worker_lost' } },
      { step: 'restarted', attempt: 1, error: { code: 'shutdown' } },
    ])
    expect(journal.lifecycle().at(-1)?.type).toBe('workflow.completed')
    expect(stream.connections()).toBeGreaterThanOrEqual(3)
  })

  test('a page of an allowed origin may send headers, and read ours', ({ skip }) => {
    skip(!run.streams.has('EventSource in Chromium'), 'chromium is not installed')
    expect(page.asked()).toMatchObject({ status: 200, correlationId: 'a-page' })
  })
})
