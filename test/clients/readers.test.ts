import { createParser } from 'eventsource-parser'
import { describe, expect } from 'vitest'
import { readToEnd } from '../smoke/event-connection.ts'
import { customStep, postWorkflow, test } from '../smoke/smoke-test.ts'
import type { Site } from '../smoke/smoke-test.ts'
import { openStream } from '../support/stream-client.ts'
import type { StreamClient } from '../support/stream-client.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { createFrameJournal } from './followed-stream.ts'

/** More than the sockets of one connection hold, on either side. */
const chunks = Array.from({ length: 60 }, (_, n) => `${n} ${'x'.repeat(120_000)}`)
const text = chunks.join('')
const body = { type: 'custom', requirement: 'Say much.', steps: [customStep('talk')] }
const patience = { timeout: 20_000 }

async function metric(site: Site, name: string): Promise<number> {
  const page = await (await fetch(`${site.url()}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(page)?.[1] ?? NaN)
}

/** Reads all that a client got into a journal, as the library does that most clients use. */
function journalOf(client: StreamClient) {
  const frames = createFrameJournal()
  createParser({ onEvent: frames.take }).feed(client.text())
  return frames.journal
}

/** Starts a workflow whose model goes on when `next` allows, and tells where its stream is. */
async function startTalk(site: Site, model: ModelServerDouble, next: (chunk: number) => Promise<void> | void) {
  model.answerWith(() => ({ text, chunks, before: next }))
  const { id } = await postWorkflow(site.url(), body)
  return `${site.url()}/workflows/${id}/events`
}

describe('readers who do not read', { timeout: 60_000 }, () => {
  test('cost their socket: the workflow and the others go on, and what they missed comes at once', async ({
    site,
    model,
  }) => {
    await site.start({ MAX_SSE_CONNECTIONS: '3' })
    const quick = createFrameJournal()
    // Each chunk is said when the quick one has had the one before: nobody else is waited for.
    const url = await startTalk(site, model, async (chunk) => {
      const had = chunks.slice(0, chunk).reduce((length, { length: more }) => length + more, 0)
      await quick.journal.until((journal) => journal.text('talk', 1).length >= had)
    })
    const slow = await openStream(url, { paused: true })
    const lost = await openStream(url, { paused: true })
    await readToEnd(() => url, quick.journal)
    expect(quick.journal.faults()).toEqual([])
    expect(quick.journal.deltas()).toBeGreaterThanOrEqual(chunks.length)

    const third = await openStream(url, { paused: true })
    const refused = await openStream(url)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '2'])
    expect(await metric(site, 'sse_connections')).toBe(3)
    const since = performance.now()
    for (const client of [lost, third]) client.destroy()
    await expect.poll(() => metric(site, 'sse_connections'), patience).toBe(1)
    process.stdout.write(`readers who had vanished were gone within ${Math.round(performance.now() - since)} ms\n`)

    slow.resume()
    await expect.poll(slow.end, patience).toBe('clean')
    const journal = journalOf(slow)
    expect(journal.faults()).toEqual([])
    expect(journal.kept()).toEqual({ talk: text })
    expect(journal.deltas()).toBeLessThan(chunks.length)
    await expect.poll(() => metric(site, 'sse_connections'), patience).toBe(0)
  })

  test('are dropped after sse_slow_client_seconds, and go on where they were', async ({ site, model }) => {
    await site.start({ SSE_SLOW_CLIENT_SECONDS: '0.5' })
    const url = await startTalk(site, model, () => undefined)
    const slow = await openStream(url, { paused: true })
    await expect.poll(() => metric(site, 'sse_slow_client_disconnects_total'), patience).toBe(1)
    slow.resume()
    await expect.poll(slow.end, patience).toBe('broken')
    const journal = journalOf(slow)
    expect(journal.lifecycle().at(-1)?.type).not.toBe('workflow.completed')
    await readToEnd(() => url, journal)
    expect(journal.faults()).toEqual([])
    expect(journal.kept()).toEqual({ talk: text })
  })
})
