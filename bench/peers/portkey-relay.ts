import { once } from 'node:events'
import { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { importPackage } from './import-package.ts'

/**
 * The gateway as `npx @portkey-ai/gateway` starts it, with two things that it needs here: it changes the headers of what
 * `fetch` gives it, which Node forbids since 26, so it is given a copy; and it would listen on every address.
 */
export async function openPortkey(): Promise<number> {
  const { fetch } = globalThis
  globalThis.fetch = async (...request) => {
    const { body, status, headers } = await fetch(...request)
    return new Response(body, { status, headers })
  }
  const { promise, resolve } = Promise.withResolvers<Server>()
  // eslint-disable-next-line typescript/unbound-method -- called with its server below
  const { listen } = Server.prototype
  Server.prototype.listen = function listenHere(this: Server) {
    resolve(this)
    return listen.call(this, { port: 0, host: '127.0.0.1', backlog: 2_048 })
  } as typeof listen
  // what it has to say goes to a terminal
  process.stdout.write = () => true
  process.argv.push('--headless')
  await importPackage('@portkey-ai/gateway/build/start-server.js')
  const server = await promise
  if (!server.listening) await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
