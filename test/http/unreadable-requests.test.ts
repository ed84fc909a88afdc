import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { test } from '../support/http-app.ts'

/** What a server answers to bytes that no HTTP client would send. */
async function exchange(base: string, bytes: string): Promise<{ head: string; body: string }> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1')
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { head: head.toLowerCase(), body }
}

describe('what is no readable request had no X-Correlation-Id and no problem body', () => {
  for (const [name, bytes, status] of [
    ['malformed', 'GARBAGE\r\n\r\n', 400],
    ['headers too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['no Host', 'GET /workflows HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['an expectation', 'GET /workflows HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n', 417],
  ] as const) {
    test(name, async ({ edge }) => {
      const { listen } = await edge()
      const { head, body } = await exchange(await listen(), bytes)
      expect(head).toContain(`http/1.1 ${status} `)
      expect(head).toContain('content-type: application/problem+json')
      const problem = JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as Record<string, unknown>
      expect(problem).toMatchObject({ status, type: expect.any(String), title: expect.any(String) })
      expect(head).toContain(`x-correlation-id: ${String(problem['correlation_id'])}`)
    })
  }

  test('HTTP/1.0 needs no Host', async ({ edge }) => {
    const { listen } = await edge()
    expect((await exchange(await listen(), 'GET /livez HTTP/1.0\r\n\r\n')).head).toContain('200 ok')
  })
})
