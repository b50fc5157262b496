// What a proxy in front of the site says about a request, believed from its own address alone.
import { BlockList, isIP } from 'node:net'
import { Failure } from '#base'

export type Headers = Readonly<Record<string, string | undefined>>

/** How a request came to the outermost machine that we trust. */
export interface Forwarded {
  /** Of the client, as far as it can be known. */
  readonly address: string
  readonly secure: boolean
  readonly host: string | undefined
}

export interface TrustedProxy {
  /** From any other address the headers are ignored: then it is a plain connection of that address. */
  seen(remoteAddress: string, headers: Headers): Forwarded
}

const HOPS_MAX = 32

/** Addresses and networks: `10.0.0.5`, `10.0.0.0/24`, `fd00::/8`. Throws `main.config`. */
export function createTrustedProxy(addresses: readonly string[]): TrustedProxy {
  const trusted = new BlockList()
  for (const one of addresses) add(trusted, one)
  const trusts = (address: string): boolean => {
    const family = isIP(address)
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    seen(remoteAddress, headers) {
      const remote = plainAddress(remoteAddress)
      const direct: Forwarded = { address: remote, secure: false, host: headers['host'] }
      if (!trusts(remote)) return direct
      const told = agree(byForwarded(headers['forwarded']), byXForwarded(headers))
      if (told === undefined) return direct
      // From the nearest hop outwards: the first that is none of ours is the client; what it says of others is its own story.
      const hops = told.addresses.toReversed()
      const client = hops.find((address) => !trusts(address)) ?? hops.at(-1) ?? remote
      return { address: isIP(client) === 0 ? remote : client, secure: told.secure, host: told.host ?? headers['host'] }
    },
  }
}

interface Told {
  readonly addresses: readonly string[]
  readonly secure: boolean
  readonly host: string | undefined
}

/** A proxy writes one of the two; the other may have come from the client, so both together must say the same. */
function agree(first: Told | undefined, second: Told | undefined): Told | undefined {
  if (first === undefined || second === undefined) return first ?? second
  const same = first.secure === second.secure && first.host === second.host && first.addresses.join(' ') === second.addresses.join(' ')
  if (!same) throw refused('Forwarded and X-Forwarded-* contradict each other.')
  return first
}

/** Every hop must have been secure, whatever order proxies append in. */
function byXForwarded(headers: Headers): Told | undefined {
  const [addresses, protocols, host] = [headers['x-forwarded-for'], headers['x-forwarded-proto'], headers['x-forwarded-host']]
  if (addresses === undefined && protocols === undefined && host === undefined) return undefined
  const hops = listed(addresses)
  const schemes = listed(protocols)
  return {
    addresses: hops.map((hop) => plainAddress(withoutPort(hop))),
    secure: schemes.length > 0 && schemes.every((scheme) => scheme.toLowerCase() === 'https'),
    host: host?.trim(),
  }
}

const PAIR = /^\s*([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~:[\]-]+))\s*$/i

/** RFC 7239, section 4. What is not of this form is refused, not guessed at. */
function byForwarded(header: string | undefined): Told | undefined {
  if (header === undefined) return undefined
  const elements = cut(header, ',').map((element) => {
    const values: Record<string, string> = Object.create(null)
    for (const pair of cut(element, ';')) {
      if (pair.trim() === '') continue
      const match = PAIR.exec(pair)
      if (match === null) throw refused('The Forwarded header cannot be read.')
      values[match[1]!.toLowerCase()] = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3]!
    }
    return values
  })
  bounded(elements)
  const named = elements.map((values) => values['for']).filter((hop) => hop !== undefined)
  return {
    addresses: named.map((hop) => plainAddress(withoutPort(hop))),
    secure: elements.length > 0 && elements.every((values) => values['proto']?.toLowerCase() === 'https'),
    host: elements[0]?.['host'],
  }
}

/** Cuts at a mark that stands outside of quotes. */
function cut(text: string, mark: string): string[] {
  const parts: string[] = []
  let quoted = false
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === '\\') at += 1
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === mark) {
      parts.push(text.slice(from, at))
      from = at + 1
    }
  }
  if (quoted) throw refused('The Forwarded header cannot be read.')
  return [...parts, text.slice(from)]
}

function listed(header: string | undefined): readonly string[] {
  if (header === undefined) return []
  const parts = header.split(',').map((part) => part.trim())
  return bounded(parts)
}

function bounded<T>(hops: readonly T[]): readonly T[] {
  if (hops.length > HOPS_MAX) throw refused(`The request came by more than ${HOPS_MAX} proxies.`)
  return hops
}

/** `192.0.2.1:4711` and `[2001:db8::1]:4711`; an IPv6 address without brackets has no port. */
function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::[\w.-]+)?$/.exec(hop)
  if (bracketed !== null) return bracketed[1]!
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(':')) : hop
}

/** An IPv4 address that came in through an IPv6 socket is that IPv4 address. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped === null ? address : mapped[1]!
}

function add(trusted: BlockList, text: string): void {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  const bits = prefix === undefined ? undefined : Number(prefix)
  const known =
    family !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(prefix!) && bits >= 1 && bits <= (family === 4 ? 32 : 128)))
  if (!known) {
    throw new Failure('main.config', {
      detail: `${text} is no address of a proxy.`,
      next: 'Write addresses or networks with commas between them: 10.0.0.5 or 10.0.0.0/24.',
    })
  }
  const type = family === 4 ? 'ipv4' : 'ipv6'
  if (bits === undefined) trusted.addAddress(address, type)
  else trusted.addSubnet(address, bits, type)
}

function refused(detail: string): Failure {
  return new Failure('api.body', { detail, next: 'Have the proxy replace these headers instead of passing them on.' })
}
