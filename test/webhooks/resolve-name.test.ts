import { createSocket } from 'node:dgram'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { createDnsResolver } from '../../src/webhooks/resolve-name.ts'
import { createWebhookSender } from '../../src/webhooks/webhook-sender.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A name server that gives every name this IPv4 address and no other; null: it says nothing at all. */
async function startNameServer(address: string | null): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port }) => {
    if (address === null) return
    const end = query.indexOf(0, 12) + 5
    const isA = query.readUInt16BE(end - 4) === 1
    const counts = Buffer.from([0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0])
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)])
    socket.send(Buffer.concat([query.subarray(0, 2), counts, query.subarray(12, end), ...(isA ? [record] : [])]), port)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  closers.push(() => socket.close())
  return `127.0.0.1:${socket.address().port}`
}

const resolveWith = (server: string) => promisify(createDnsResolver([server]))('hooks.example')

test('a name has the addresses that the DNS gives', async () => {
  expect(await resolveWith(await startNameServer('192.0.2.7'))).toEqual([{ address: '192.0.2.7', family: 4 }])
})

test('a name server that says nothing is given up', async () => {
  await expect(resolveWith(await startNameServer(null))).rejects.toMatchObject({ code: 'EAI_AGAIN' })
})

test('a name whose address is inside is blocked', async () => {
  const resolve = createDnsResolver([await startNameServer('10.0.0.1')])
  const sender = createWebhookSender({ version: '1', allowedHosts: [], resolve })
  closers.push(() => sender.close())
  const message = { id: 'msg', url: 'http://hooks.example/', secret: `whsec_${'A'.repeat(32)}`, body: '{}', sentAt: 0 }
  const answer = await sender.send(message, new AbortController().signal)
  expect(answer).toMatchObject({ statusCode: null, error: 'blocked: the receiver has no public address' })
})
