// Addresses that nobody on the internet has: a webhook must not be a way into the house (server-side request forgery).
import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Failure } from '#base'

/** IANA special-purpose registries for IPv4 and IPv6, and what hides an IPv4 address in one of IPv6. */
/** Apart: one list would take every address of IPv4 for the mapped one of IPv6. */
const INNER_4 = new BlockList()
const INNER_6 = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INNER_4.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  INNER_6.addSubnet(network, bits, 'ipv6')

export function isPrivate(address: string): boolean {
  const bare = address.split('%')[0]!
  const family = isIP(bare)
  return family === 0 || (family === 4 ? INNER_4.check(bare, 'ipv4') : INNER_6.check(bare, 'ipv6'))
}

/** Looks up a name for a connection and refuses what lies inside, at the very moment of connecting: a second look-up could answer otherwise. */
export function outerLookup(look: typeof lookUp = lookUp): LookupFunction {
  return (hostname, options, callback) => {
    const refuse = (error: Error): void => callback(error, '')
    look(hostname, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
      if (error !== null) return refuse(error)
      const outer = found.filter(({ address }) => !isPrivate(address))
      if (outer.length === 0 || outer.length < found.length) return refuse(innerRefused())
      if (options.all === true) callback(null, outer)
      else callback(null, outer[0]!.address, outer[0]!.family)
    })
  }
}

export function innerRefused(): Failure {
  return new Failure('alarms.delivery', {
    detail: 'The webhook leads to an address of this machine or of a private network.',
    next: 'If that is meant, allow private addresses in the settings.',
  })
}
