import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A place on loopback that takes what Sentry's client sends, and forgets it. */
export interface SentrySink {
  readonly dsn: string
  close(): void
}

/** Listens on a free port of 127.0.0.1. */
export async function startSentrySink(): Promise<SentrySink> {
  const server = createServer((request, response) => {
    request.resume()
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => void server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    dsn: `http://0123456789abcdef@127.0.0.1:${port}/1`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
