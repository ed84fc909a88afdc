import { BlockList, isIP } from 'node:net'

// IANA's registries of special-purpose addresses: what is not globally reachable, and what stands for something else.
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

// Within global unicast. Teredo and 6to4 hold an IPv4 address.
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

function listOf(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** Judges an address in the form that resolvers and `URL` give. */
export type IsPublicAddress = (address: string) => boolean

/**
 * True for what every machine on the internet would reach under this address. Of IPv6 that is only global unicast, so
 * what maps or translates IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`), loopback, link-local, unique local and multicast
 * addresses are not.
 */
export function createIsPublicAddress(): IsPublicAddress {
  const blocked4 = listOf(special4, 'ipv4')
  const unicast6 = listOf(['2000::/3'], 'ipv6')
  const blocked6 = listOf(special6, 'ipv6')
  return (address) => {
    const family = isIP(address)
    if (family === 4) return !blocked4.check(address, 'ipv4')
    // An address with a zone is of this link only.
    if (family !== 6 || address.includes('%')) return false
    return unicast6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6')
  }
}
