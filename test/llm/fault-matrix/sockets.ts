import { once } from 'node:events'
import { connect, type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createSelfSignedCertificate } from '../../support/self-signed-certificate.ts'
import type { Backstage } from './fault-case.ts'

const day = 24 * 60 * 60 * 1000

/** Listens on 127.0.0.1 until the end of the scene, and does with each connection what `serve` says. */
export async function listen(backstage: Backstage, serve: (socket: Socket) => void, port = 0): Promise<number> {
  return open(backstage, createServer(), { serve, port })
}

/** A port on which nobody listens; `open` lets the fault server answer there. */
export async function closedPort(backstage: Backstage): Promise<{ port: number; open: () => Promise<void> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const forward = (socket: Socket): void => {
    socket.pipe(connect(backstage.server.port, '127.0.0.1').on('error', () => socket.destroy())).pipe(socket)
  }
  return { port, open: async () => void (await listen(backstage, forward, port)) }
}

/** A TLS port with a certificate for `localhost` of its own making. */
export async function listenWithCertificate(
  backstage: Backstage,
  { trusted, daysLeft }: { readonly trusted: boolean; readonly daysLeft: number },
): Promise<number> {
  const now = Date.now()
  const made = createSelfSignedCertificate(new Date(now - 20 * day), new Date(now + daysLeft * day))
  if (trusted) {
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, made.cert])
    backstage.atEnd(() => setDefaultCACertificates(before))
  }
  const server = createTlsServer(made)
  server.on('tlsClientError', () => {})
  return open(backstage, server, { serve: () => {}, port: 0 })
}

async function open(
  { atEnd }: Backstage,
  server: Server,
  { serve, port }: { readonly serve: (socket: Socket) => void; readonly port: number },
): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}
