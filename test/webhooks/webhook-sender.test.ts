import type { LookupAddress } from 'node:dns'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it, test } from 'vitest'
import { createWebhookSender } from '../../src/webhooks/webhook-sender.ts'
import type { HttpWebhookSender, WebhookSenderOptions } from '../../src/webhooks/webhook-sender.ts'
import type { WebhookMessage } from '../../src/workflows/webhooks.ts'
import { createSelfSignedCertificate } from '../support/self-signed-certificate.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly method: string | undefined
  readonly url: string | undefined
}

const closers: (() => Promise<unknown>)[] = []

/** A receiver on the loopback that answers as it is told. */
async function receiver(answer: (response: ServerResponse, received: Received) => void) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { headers, method, url } = request
      const one = { headers, method, url, body: Buffer.concat(chunks).toString() }
      received.push(one)
      answer(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  closers.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port, received, url: `http://127.0.0.1:${port}/hooks/1?token=t` }
}

function sender(options: Partial<WebhookSenderOptions> = {}): HttpWebhookSender {
  const made = createWebhookSender({ version: '1.2.3', allowedHosts: ['127.0.0.1'], ...options })
  closers.push(() => made.close())
  return made
}

function message(url: string, changes: Partial<WebhookMessage> = {}): WebhookMessage {
  return {
    id: 'msg_wf_1_7',
    url,
    secret,
    body: '{"type":"workflow.completed","text":"ü 🦄"}',
    sentAt: Date.now(),
    ...changes,
  }
}

const never = new AbortController().signal

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

describe('a webhook', () => {
  it('is a POST that the own verifier of Standard Webhooks takes', async () => {
    const { url, received } = await receiver((response) => response.writeHead(204).end())
    const sent = message(url)
    expect(await sender().send(sent, never)).toEqual({ statusCode: 204, error: null, durationMs: expect.any(Number) })
    expect(received).toHaveLength(1)
    const [{ headers, body, method, url: path }] = received as [Received]
    expect([method, path, body]).toEqual(['POST', '/hooks/1?token=t', sent.body])
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'multi-agent-service/1.2.3',
      'webhook-id': 'msg_wf_1_7',
      'webhook-timestamp': String(Math.floor(sent.sentAt / 1000)),
    })
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(JSON.parse(sent.body))
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`)
    expect(() => other.verify(body, headers as Record<string, string>)).toThrow('No matching signature')
  })

  it.each([
    [200, null],
    [299, null],
    [400, 'the answer was 400'],
    [410, 'the answer was 410'],
    [500, 'the answer was 500'],
  ])('that is answered with %i: %s', async (status, error) => {
    const { url } = await receiver((response) => response.writeHead(status).end('no'))
    expect(await sender().send(message(url), never)).toMatchObject({ statusCode: status, error })
  })

  it('does not follow a redirect', async () => {
    const target = await receiver((response) => response.end())
    const { url } = await receiver((response) => response.writeHead(307, { location: target.url }).end())
    const error = 'the answer was 307; redirects are not followed'
    expect(await sender().send(message(url), never)).toMatchObject({ statusCode: 307, error })
    expect(target.received).toEqual([])
  })

  it('takes no more of an answer than 64 KiB', async () => {
    let written = 0
    const { url } = await receiver((response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536
      }
      response.on('drain', more)
      more()
    })
    expect(await sender().send(message(url), never)).toMatchObject({ statusCode: 200, error: null })
    expect(written).toBeLessThan(50_000_000)
  })

  it('is given up when no answer comes in time', async () => {
    const { url } = await receiver(() => undefined)
    const error = 'no answer within 1 s'
    expect(await sender({ timeoutMs: 1000 }).send(message(url), never)).toMatchObject({ statusCode: null, error })
  })

  it('counts by its status when only the rest of the answer does not come', async () => {
    const { url } = await receiver((response) => void response.writeHead(202, { 'content-length': 10 }).write('x'))
    expect(await sender({ timeoutMs: 1000 }).send(message(url), never)).toMatchObject({ statusCode: 202, error: null })
  })

  it('is broken off by whoever sends it', async () => {
    const aborting = new AbortController()
    const { url } = await receiver(() => aborting.abort(new Error('the service is shutting down')))
    await expect(sender().send(message(url), aborting.signal)).rejects.toThrow('shutting down')
  })

  it.each([
    ['the connection was refused', () => undefined, 1],
    ['the connection was broken off', (response: ServerResponse) => void response.destroy(), 0],
    [
      'the answer was not HTTP as it should be',
      (response: ServerResponse) => void response.socket?.end('nonsense\r\n\r\n'),
      0,
    ],
  ])('%s', async (error, answer, closed) => {
    const { url } = await receiver(answer)
    if (closed === 1) await closers.pop()?.()
    expect(await sender().send(message(url), never)).toMatchObject({ statusCode: null, error })
  })
})

test('a certificate that nobody vouches for is refused', async () => {
  const { key, cert } = createSelfSignedCertificate(new Date('2020-01-01'), new Date('2049-01-01'))
  const server = createSecureServer({ key, cert }, (_request, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const error = 'the certificate of the receiver is not valid'
  expect(await sender().send(message(`https://127.0.0.1:${port}/`), never)).toMatchObject({ statusCode: null, error })
})

describe('the guard', () => {
  const notPublic = 'blocked: the receiver has no public address'

  it.each([
    '127.0.0.1',
    '0x7f000001',
    '2130706433',
    '127.1',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
    '10.0.0.1',
    '169.254.169.254',
    '192.168.0.1',
    '100.64.0.1',
    '[fd00::1]',
    '[fe80::1]',
    '[64:ff9b::7f00:1]',
    '0177.0.0.1',
  ])('blocks http://%s without a connection', async (host) => {
    const { port, received } = await receiver((response) => response.end())
    const answer = await sender({ allowedHosts: [] }).send(message(`http://${host}:${port}/`), never)
    expect(answer).toMatchObject({ statusCode: null, error: notPublic })
    expect(received).toEqual([])
  })

  it.each(['localhost', 'LOCALHOST', 'localhost.'])('blocks the name %s', async (host) => {
    const { port, received } = await receiver((response) => response.end())
    const answer = await sender({ allowedHosts: [] }).send(message(`http://${host}:${port}/`), never)
    expect(answer.statusCode).toBeNull()
    expect(answer.error).toMatch(/^(blocked: the receiver has no public address|the name of the receiver)/)
    expect(received).toEqual([])
  })

  const public4: LookupAddress = { address: '93.184.216.34', family: 4 }
  const inside: LookupAddress = { address: '127.0.0.1', family: 4 }

  it.each([
    ['only inside', [inside]],
    ['inside as well', [public4, inside]],
    ['inside, as IPv6 has it', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ])('blocks a name that leads %s', async (_, addresses) => {
    const { port, received } = await receiver((response) => response.end())
    const guarded = sender({ allowedHosts: [], resolve: (_name, done) => done(null, addresses) })
    const answer = await guarded.send(message(`http://hooks.example:${port}/`), never)
    expect(answer).toMatchObject({ statusCode: null, error: notPublic })
    expect(received).toEqual([])
  })

  it('connects to no address but one it has judged, whatever the DNS answers next', async () => {
    // Nobody listens at what passes for public here.
    const passing = '127.0.0.2'
    const { port, received } = await receiver((response) => response.end())
    const asked: string[] = []
    const flipping = sender({
      allowedHosts: [],
      resolve(name, done) {
        asked.push(name)
        done(null, asked.length % 2 === 1 ? [{ address: passing, family: 4 }] : [inside])
      },
      isPublic: (address) => address === passing,
    })
    const url = `http://rebind.example:${port}/`
    const first = await flipping.send(message(url), never)
    expect(first).toMatchObject({ statusCode: null, error: 'the connection was refused' })
    expect(asked).toEqual(['rebind.example'])
    expect(await flipping.send(message(url), never)).toMatchObject({ error: notPublic })
    expect(asked).toHaveLength(2)
    expect(received).toEqual([])
  })

  it('lets a listed host be called wherever it is, and then no other', async () => {
    const { port, received } = await receiver((response) => response.end())
    const listed = sender({ allowedHosts: ['Hooks.Example'], resolve: (_name, done) => done(null, [inside]) })
    expect(await listed.send(message(`http://hooks.example:${port}/`), never)).toMatchObject({ statusCode: 200 })
    const error = 'blocked: the receiver is not among the hosts that this service may call'
    for (const host of ['other.example', 'a.hooks.example', '93.184.216.34', '127.0.0.1']) {
      expect(await listed.send(message(`http://${host}:${port}/`), never)).toMatchObject({ statusCode: null, error })
    }
    expect(received).toHaveLength(1)
  })

  it('may list a host with its port', async () => {
    const { port } = await receiver((response) => response.end())
    const other = await receiver((response) => response.end())
    const listed = sender({ allowedHosts: [`127.0.0.1:${port}`] })
    expect(await listed.send(message(`http://127.0.0.1:${port}/`), never)).toMatchObject({ statusCode: 200 })
    expect(await listed.send(message(other.url), never)).toMatchObject({ statusCode: null })
  })

  it('may list an IPv6 address, with and without a port', async () => {
    for (const host of ['::1', '[::1]', '[::1]:1']) {
      const listed = sender({ allowedHosts: [host] })
      expect((await listed.send(message('http://[::1]:1/'), never)).error).not.toContain('blocked')
    }
  })

  it('blocks ports of other protocols', async () => {
    const answer = await sender({ allowedHosts: [] }).send(message('http://93.184.216.34:25/'), never)
    expect(answer.error).toBe('blocked: the port of the receiver is not one for the web')
  })

  it('names no address in what it says', async () => {
    const guarded = sender({
      allowedHosts: [],
      resolve: (_name, done) => done(null, [{ address: '10.20.30.40', family: 4 }]),
    })
    expect(JSON.stringify(await guarded.send(message('https://hooks.example/'), never))).not.toContain('10.20')
    const down = await receiver(() => undefined)
    await closers.pop()?.()
    expect(JSON.stringify(await sender().send(message(down.url), never))).not.toContain('127.0')
  })
})
