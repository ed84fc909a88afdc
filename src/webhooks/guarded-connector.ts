import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { createIsPublicAddress } from './public-address.ts'
import type { IsPublicAddress } from './public-address.ts'
import { createDnsResolver, resolveAsMachine } from './resolve-name.ts'
import type { ResolveName } from './resolve-name.ts'

export interface ConnectorOptions {
  /** Empty: any public host. Else these only (`host` or `host:port`), then wherever they are. */
  readonly allowedHosts: readonly string[]
  readonly connectTimeoutMs: number
  /** Instead of the DNS, and for listed hosts the machine's own way. */
  readonly resolve?: ResolveName
  /** Instead of the internet's. */
  readonly isPublic?: IsPublicAddress
}

/** A connection that was refused before it was tried. `message` is written for the client: it names no address. */
export class BlockedError extends Error {
  readonly code = 'WEBHOOK_BLOCKED'
}

/** Ports below 1024 belong to other protocols, which could be made to understand a request. */
const webPorts: ReadonlySet<number> = new Set([80, 443])
const firstFreePort = 1024

const notPublic = 'blocked: the receiver has no public address'

/**
 * Connects to public addresses only. An address in the URL is judged as it stands; a name is resolved, all its addresses
 * are judged, and just those are connected to, so that a second answer of the DNS changes nothing.
 */
export function createGuardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { allowedHosts, connectTimeoutMs, isPublic = createIsPublicAddress() } = options
  const allowed = new Set(allowedHosts.map(normalised))
  const common = { timeout: connectTimeoutMs, allowH2: false }
  const connectAnywhere = buildConnector({
    ...common,
    lookup: lookupWith(options.resolve ?? resolveAsMachine, () => true),
  })
  const connectPublic = buildConnector({
    ...common,
    lookup: lookupWith(options.resolve ?? createDnsResolver(), isPublic),
  })

  return (target, done) => {
    const hostname = normalised(target.hostname)
    const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80))
    const isListed = allowed.has(hostname) || allowed.has(`${hostname}:${port}`)
    if (isListed) return connectAnywhere(target, done)
    const reason = reasonAgainst({ hostname, port, hasList: allowed.size > 0, isPublic })
    if (reason !== null) return done(new BlockedError(reason), null)
    return connectPublic(target, done)
  }
}

function reasonAgainst(target: {
  readonly hostname: string
  readonly port: number
  readonly hasList: boolean
  readonly isPublic: IsPublicAddress
}): string | null {
  const { hostname, port, hasList, isPublic } = target
  if (hasList) return 'blocked: the receiver is not among the hosts that this service may call'
  if (port < firstFreePort && !webPorts.has(port)) return 'blocked: the port of the receiver is not one for the web'
  // A lookup is not made for an address.
  if (isIP(hostname) !== 0 && !isPublic(hostname)) return notPublic
  return null
}

/** Gives just those addresses that were judged: all must pass. */
function lookupWith(resolve: ResolveName, passes: IsPublicAddress): LookupFunction {
  return (hostname, asked, done) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses
      if (error !== null || first === undefined) return done(error ?? new Error('no address'), [])
      if (!addresses.every(({ address }) => passes(address))) return done(new BlockedError(notPublic), [])
      if (asked.all === true) return done(null, [...addresses])
      done(null, first.address, first.family)
    })
  }
}

/** As `URL` has it, without the brackets of an IPv6 address. */
function normalised(host: string): string {
  return host.toLowerCase().replace(/^\[([^\]]*)\]/, '$1')
}
