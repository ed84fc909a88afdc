import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'

/** What the process of the floor is told, as JSON in its first argument. */
export interface RawTask {
  /** With `/v1`. */
  readonly modelUrl: string
}

/** The floor: one stream of the model server is read, and every piece written as it is to everybody who reads. */
async function listen({ modelUrl }: RawTask): Promise<number> {
  const readers = new Set<ServerResponse>()
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.flushHeaders()
    readers.add(response)
    response.once('close', () => readers.delete(response))
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 })
  await new Promise((resolve) => void server.once('listening', resolve))
  const { body } = await request(`${modelUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'paced', messages: [], stream: true }),
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  body.on('data', (piece: Buffer) => {
    for (const reader of readers) reader.write(piece)
  })
  return (server.address() as AddressInfo).port
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const port = await listen(JSON.parse(process.argv[2] ?? '') as RawTask)
process.send?.({ url: `http://127.0.0.1:${port}`, path: '/' })
