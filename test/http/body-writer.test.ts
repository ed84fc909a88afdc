import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test as base, vi } from 'vitest'
import { needsDrain, onceDrained, writePiece } from '../../src/http/body-writer.ts'
import { encodePiece } from '../../src/http/encoded-batches.ts'
import { rawExchange } from '../support/raw-exchange.ts'

interface Site {
  readonly url: string
  /** The next response that somebody waits for, its head written. */
  answer(): Promise<ServerResponse>
}

const test = base.extend<{ site: Site }>({
  // oxlint-disable-next-line no-empty-pattern
  site: async ({}, use) => {
    const came: ServerResponse[] = []
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders()
      came.push(response)
      server.emit('came')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await use({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async answer() {
        while (came.length === 0) await once(server, 'came')
        return came.shift() as ServerResponse
      },
    })
    server.closeAllConnections()
    server.close()
  },
})

const patience = { timeout: 20_000, interval: 5 }
const ask = (version = '1.1', more = '') => `GET / HTTP/${version}\r\nHost: a\r\n${more}\r\n`
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** The bodies of the responses, of which the chunks are taken off; fails where they are not well-formed. */
function bodiesOf(all: string): readonly string[] {
  const bodies: string[] = []
  let rest = Buffer.from(all)
  while (rest.length > 0) {
    rest = rest.subarray(rest.indexOf('\r\n\r\n') + 4)
    const body: Buffer[] = []
    for (let length = -1; length !== 0;) {
      const line = rest.indexOf('\r\n')
      length = Number.parseInt(rest.toString('latin1', 0, line), 16)
      body.push(rest.subarray(line + 2, line + 2 + length))
      expect(rest.toString('latin1', line + 2 + length, line + 4 + length)).toBe('\r\n')
      rest = rest.subarray(line + 4 + length)
    }
    bodies.push(Buffer.concat(body).toString())
  }
  return bodies
}

const someText = fc.string({ minLength: 1, unit: 'grapheme' })
const writes = fc.array(fc.record({ text: someText, own: fc.boolean(), pause: fc.boolean() }), { maxLength: 12 })

async function writeAll(response: ServerResponse, pieces: typeof writes extends fc.Arbitrary<infer T> ? T : never) {
  for (const { text, own, pause } of pieces) {
    if (own) writePiece(response, encodePiece(text))
    else response.write(text)
    if (pause) await turn()
  }
  response.end()
}

const joined = (pieces: readonly { readonly text: string }[]) => pieces.map(({ text }) => text).join('')

describe('what is written, by us and by Node', () => {
  test('arrives in order and well-formed, also when a second response waits for the first', async ({ site }) => {
    await fc.assert(
      fc.asyncProperty(writes, writes, async (first, second) => {
        const client = rawExchange(site.url, ask() + ask('1.1', 'Connection: close\r\n'))
        const [one, other] = [await site.answer(), await site.answer()]
        // Its socket is not its own before the first has ended.
        await writeAll(other, second)
        await writeAll(one, first)
        await vi.waitFor(() => expect(client.end()).toBe('fin'), patience)
        expect(bodiesOf(client.received())).toEqual([joined(first), joined(second)])
      }),
      { numRuns: 50 },
    )
  })

  test('arrives without chunks where there are none', async ({ site }) => {
    const client = rawExchange(site.url, ask('1.0'))
    await writeAll(await site.answer(), [
      { text: 'one, ', own: true, pause: false },
      { text: 'two, ', own: false, pause: true },
      { text: 'three', own: true, pause: true },
    ])
    await vi.waitFor(() => expect(client.end()).toBe('fin'), patience)
    expect(client.received().split('\r\n\r\n').slice(1)).toEqual(['one, two, three'])
  })
})

test('who has sent its last byte, or has left, is no reason to fail', async ({ site }) => {
  const client = rawExchange(site.url, ask())
  const response = await site.answer()
  writePiece(response, encodePiece('one'))
  const failed = vi.fn<() => void>()
  response.on('error', failed)
  response.socket?.end()
  writePiece(response, encodePiece('two'))
  response.socket?.on('error', failed)
  await vi.waitFor(() => expect(client.received()).toContain('one'), patience)
  client.destroy()
  await vi.waitFor(() => expect(response.closed).toBe(true), patience)
  writePiece(response, encodePiece('three'))
  await turn()
  expect(failed).not.toHaveBeenCalled()
})

test('a full socket says so, and when it wants more', async ({ site }) => {
  const piece = encodePiece('x'.repeat(60_000))
  const client = rawExchange(site.url, '')
  client.pause()
  client.send(ask())
  const response = await site.answer()
  expect(needsDrain(response)).toBe(false)
  let sent = 0
  for (let wantsMore = true; wantsMore; sent += 1) wantsMore = writePiece(response, piece)
  for (let kept = 0; kept < 20; kept += 1, sent += 1) writePiece(response, piece)
  expect(needsDrain(response)).toBe(true)
  const [drained, forgotten] = [vi.fn<() => void>(), vi.fn<() => void>()]
  onceDrained(response, drained)
  onceDrained(response, forgotten)()
  client.resume()
  await vi.waitFor(() => expect(drained).toHaveBeenCalledOnce(), patience)
  expect(needsDrain(response)).toBe(false)
  expect(forgotten).not.toHaveBeenCalled()
  expect([response.listenerCount('drain'), response.socket?.listenerCount('drain')]).toEqual([0, 1])
  response.end()
  await vi.waitFor(() => expect(client.received()).toMatch(/\r\n0\r\n\r\n$/), patience)
  expect(bodiesOf(client.received())[0]).toHaveLength(60_000 * sent)
  client.destroy()
})
