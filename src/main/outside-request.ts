// How the site is to be reached from outside, as somebody asked for it: read, and refused with a sentence where it cannot be meant.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { Failure } from '#base'

/** As typed, or from the environment. */
export interface OutsideRequest {
  /** `https://vault.hospital.example`, with a port where it is not 443. */
  readonly publicUrl?: string | undefined
  /** Addresses with ports, with commas between them. */
  readonly listen?: string | undefined
  readonly certificate?: string | undefined
  readonly certificateKey?: string | undefined
  /** Addresses and networks, with commas between them. */
  readonly trustedProxy?: string | undefined
  /** Address and port that answer plain HTTP with the way to HTTPS. */
  readonly redirectHttp?: string | undefined
  /** Also TLS 1.2. */
  readonly tls12?: boolean | undefined
}

export interface Address {
  readonly address: string
  readonly port: number
}

export interface OutsidePlan {
  readonly url: URL
  readonly listen: readonly Address[]
  readonly redirect: Address | undefined
  readonly tls12: boolean
  readonly by:
    | { readonly kind: 'files'; readonly certificate: string; readonly key: string }
    | { readonly kind: 'proxy'; readonly addresses: readonly string[] }
    | { readonly kind: 'own' }
}

const PROXIED_PORT = 7879
const ADDRESSES_MAX = 16

/** Undefined when nothing was asked for: then the site is on this machine alone. Throws `main.config`. */
export function planOutside(request: OutsideRequest, folder: string): OutsidePlan | undefined {
  const { publicUrl, listen, certificate, certificateKey, trustedProxy, redirectHttp } = request
  if (publicUrl === undefined) {
    const asked = listen ?? certificate ?? certificateKey ?? trustedProxy ?? redirectHttp
    if (asked !== undefined || request.tls12 === true)
      throw refused(
        'The site would be reached from outside, and under which name is not said: plain HTTP is served on this machine only.',
        'Add --public-url https://NAME; without a certificate of your own the site makes one. Or leave --listen away.',
      )
    return undefined
  }
  const url = publicAddress(publicUrl)
  const port = url.port === '' ? 443 : Number(url.port)
  if ((certificate === undefined) !== (certificateKey === undefined))
    throw refused('A certificate and its key go together.', 'Give both: --certificate FILE --certificate-key FILE.')
  if (certificate !== undefined && trustedProxy !== undefined)
    throw refused('TLS is either the work of the proxy or of the site.', 'Give --trusted-proxy, or the certificate, not both.')
  if (trustedProxy !== undefined && (redirectHttp !== undefined || request.tls12 === true))
    throw refused(
      'Behind a proxy the proxy sends browsers to HTTPS and chooses the versions of TLS.',
      'Leave --redirect-http and --tls12 away.',
    )
  const shared = { url, tls12: request.tls12 === true, redirect: redirectHttp === undefined ? undefined : addressOf(redirectHttp, 80) }
  if (trustedProxy !== undefined) {
    const addresses = listed(trustedProxy)
    return { ...shared, listen: plainListen(listen), by: { kind: 'proxy', addresses } }
  }
  const where = listen === undefined ? [{ address: '::', port }] : listed(listen).map((one) => addressOf(one, port))
  if (certificate === undefined || certificateKey === undefined) return { ...shared, listen: where, by: { kind: 'own' } }
  return {
    ...shared,
    listen: where,
    by: { kind: 'files', certificate: resolve(folder, certificate), key: resolve(folder, certificateKey) },
  }
}

function publicAddress(text: string): URL {
  const form = 'Write https://NAME, with :PORT behind it where that is not 443.'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'https:') throw refused(`${text} is no address of a site by HTTPS.`, form)
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw refused('The public address is a name and a port, without a path, a query or a password.', form)
  if (url.hostname.endsWith('.') || url.hostname === '') throw refused('The name of the public address ends with a dot.', form)
  return url
}

/** HTTP in clear between proxy and site stays on one machine or in one house. */
function plainListen(listen: string | undefined): readonly Address[] {
  const addresses =
    listen === undefined ? [{ address: '127.0.0.1', port: PROXIED_PORT }] : listed(listen).map((one) => addressOf(one, PROXIED_PORT))
  for (const { address } of addresses)
    if (!isNear(address))
      throw refused(
        `${address} is not an address of this machine or of a private network: the proxy would speak plain HTTP to it in the open.`,
        'Listen on 127.0.0.1 or on the private address that the proxy reaches, or let the site speak TLS itself.',
      )
  return addresses
}

/** Loopback and private networks (RFC 1918, RFC 4193). All addresses together are neither. */
function isNear(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true
  if (isIP(address) === 4) return /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(address)
  return /^f[cd][0-9a-f]{2}:/i.test(address)
}

/** `0.0.0.0:443`, `[::]:8443`, `10.1.2.3`, `:8443` (all addresses). */
function addressOf(text: string, port: number): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)|([0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*))(?::(\d{1,5}))?$/i.exec(text)
  const address = match?.[1] ?? match?.[2] ?? match?.[3]
  const given = match?.[4] === undefined ? port : Number(match[4])
  const known = address !== undefined && (address === '' || address === 'localhost' || isIP(address) !== 0)
  if (!known || given > 65_535)
    throw refused(`${text} is no address to listen on.`, 'Write an address of this machine and a port: 0.0.0.0:443, [::]:8443 or :8443.')
  return { address: address === '' ? '::' : address, port: given }
}

function listed(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.length > ADDRESSES_MAX) throw refused(`More than ${ADDRESSES_MAX} addresses.`, 'Name networks instead.')
  return parts
}

function refused(detail: string, next: string): Failure {
  return new Failure('main.config', { detail, next })
}
