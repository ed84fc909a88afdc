import { lookup, promises } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import { callbackify } from 'node:util'

/** All addresses of a name. */
export type ResolveName = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void

const askMs = 1000
const asks = 2

/** As the machine itself resolves, with its own names and search list. */
export const resolveAsMachine: ResolveName = (hostname, done) =>
  lookup(hostname, { all: true }, (error, addresses) => done(error, addresses))

/**
 * Asks the DNS without the few threads that everything else of the process shares for files and names: a name server
 * that does not answer, which a client may name, holds up nobody. `servers`: instead of the machine's.
 */
export function createDnsResolver(servers: readonly string[] = []): ResolveName {
  const resolver = new promises.Resolver({ timeout: askMs, tries: asks })
  if (servers.length > 0) resolver.setServers(servers)
  const resolve = async (hostname: string): Promise<readonly LookupAddress[]> => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const found = [...toAddresses(four, 4), ...toAddresses(six, 6)]
    if (found.length > 0) return found
    throw Object.assign(new Error('no address'), { code: codeOf([four, six]) })
  }
  const resolveAndTell = callbackify(resolve)
  return (hostname, done) => resolveAndTell(hostname, (error, addresses) => done(error, error ? [] : addresses))
}

function toAddresses(outcome: PromiseSettledResult<readonly string[]>, family: 4 | 6): readonly LookupAddress[] {
  return outcome.status === 'fulfilled' ? outcome.value.map((address) => ({ address, family })) : []
}

/** In the terms of the system's own lookup: there is none such, or nobody said. */
function codeOf(outcomes: readonly PromiseSettledResult<unknown>[]): string {
  const known = new Set(['ENOTFOUND', 'ENODATA'])
  const areMissing = outcomes.every(
    (outcome) => outcome.status === 'fulfilled' || known.has((outcome.reason as NodeJS.ErrnoException).code ?? ''),
  )
  return areMissing ? 'ENOTFOUND' : 'EAI_AGAIN'
}
