import { describe, expect } from 'vitest'
import { test as base } from '../support/http-app.ts'
import { openStream } from '../support/stream-client.ts'
import type { StreamClient } from '../support/stream-client.ts'
import type { Nginx } from './nginx.ts'
import { startNginx } from './nginx.ts'
import { onPath } from './on-path.ts'

const good = { type: 'feature_development', requirement: 'A REST API' }
const program = onPath('nginx')

/** How nginx speaks to the service: by its default, and as streams are better served. */
const versions = [
  { name: 'by its default', lines: [] },
  { name: 'with HTTP/1.1', lines: ['proxy_http_version 1.1', 'proxy_set_header Connection ""'] },
]

const test = base.extend<{ front: (upstream: string, lines: readonly string[]) => Promise<Nginx> }>({
  front: async ({ skip }, use) => {
    skip(program === null, 'nginx is not installed')
    const started: Nginx[] = []
    await use(async (upstream, lines) => {
      const nginx = await startNginx(program ?? '', upstream, lines)
      started.push(nginx)
      return nginx
    })
    await Promise.all(started.map((nginx) => nginx.close()))
  },
})

function textOf(client: StreamClient): string {
  const events = client.fields('data').map((data) => JSON.parse(data) as { text?: string })
  return events.map(({ text = '' }) => text).join('')
}

describe('through nginx with its default buffering', () => {
  test.for(versions)(
    '$name: every token comes when it is said; cut and resumed it is exact',
    async ({ lines }, { edge, front }) => {
      const made = await edge()
      const { url } = await front(await made.listen(), lines)
      const first = await openStream(`${url}/workflows`, { method: 'POST', body: good })
      expect([first.status, first.headers.location]).toEqual([200, '/workflows/wf_1'])
      let client = first
      let joined = ''
      for (let n = 0; n < 40; n += 1) {
        made.service.emit('wf_1', 'step.delta', { text: `token ${n} 😀 ` })
        // The next one is not said before this one is here: nobody on the way can be keeping it.
        await expect.poll(() => joined + textOf(client), { interval: 5 }).toMatch(new RegExp(`token ${n} 😀 $`))
        if (n % 10 !== 9) continue
        const headers = { 'last-event-id': client.fields('id').at(-1) ?? '' }
        joined += textOf(client)
        client.destroy()
        client = await openStream(`${url}/workflows/wf_1/events`, { headers })
      }
      made.service.end('wf_1')
      await expect.poll(client.end).toBe('clean')
      expect(joined + textOf(client)).toBe(Array.from({ length: 40 }, (_, n) => `token ${n} 😀 `).join(''))
      const headers = { 'last-event-id': client.fields('id').at(-1) ?? '' }
      expect((await openStream(`${url}/workflows/wf_1/events`, { headers })).status).toBe(204)
      await expect.poll(() => [made.openStreams(), made.service.openReaders()]).toEqual([0, 0])
    },
  )

  test.for(versions)(
    '$name: a stream that the server leaves early has no clean end',
    async ({ lines }, { edge, front }) => {
      const made = await edge()
      const { url } = await front(await made.listen(), lines)
      const client = await openStream(`${url}/workflows`, { method: 'POST', body: good })
      await expect.poll(() => client.fields('event')).toEqual(['workflow.queued'])
      made.leave()
      await expect.poll(client.end).toBe('broken')
      expect(client.fields('retry')).toEqual(['2000', '2000'])
    },
  )

  test.for(versions)('$name: heartbeats come through', async ({ lines }, { edge, front }) => {
    const made = await edge({ sseHeartbeatMs: 20 })
    const { url } = await front(await made.listen(), lines)
    const client = await openStream(`${url}/workflows`, { method: 'POST', body: good })
    await expect.poll(() => client.text().split(': ping\n\n').length).toBeGreaterThan(3)
    client.destroy()
    await expect.poll(made.openStreams).toBe(0)
  })
})
