// The site as others reach it: certificate, listeners, and what of it is to be told as an alarm.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, Failure } from '#base'
import {
  certificateHost,
  createPublicEntrance,
  createTrustedProxy,
  keepCertificate,
  openLocalAuthority,
  type Api,
  type CertificateKeeper,
  type CertificatePair,
  type Install,
  type Outside,
} from '#gateways/api'
import type { Address, OutsidePlan } from './outside-request.ts'

export interface PreparedOutside {
  readonly url: string
  /** The page that says how to trust the site's own authority. */
  readonly install: Install | undefined
  /** Undefined where a proxy has it. */
  readonly certificate: CertificateKeeper | undefined
  /** Opens the listeners; answers their addresses. */
  open(api: Api): Promise<readonly string[]>
  /** Follows the certificate until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>
}

const CERTIFICATE_BYTES_MAX = 1_000_000

/** Throws `api.certificate` and `main.config` before anything listens. */
export async function prepareOutside(plan: OutsidePlan, site: { readonly home: string; readonly clock: Clock }): Promise<PreparedOutside> {
  const { url, by } = plan
  const outsides: Outside[] = []
  const own =
    by.kind === 'own'
      ? await openLocalAuthority({ folder: join(site.home, 'tls'), host: certificateHost(url), clock: site.clock })
      : undefined
  const keeper =
    by.kind === 'proxy'
      ? undefined
      : await keepCertificate({
          host: certificateHost(url),
          clock: site.clock,
          read: by.kind === 'files' ? () => readPair(by) : () => own!.pair(),
          apply: (pair) => {
            for (const outside of outsides) outside.renew(pair)
          },
        })
  const proxy = by.kind === 'proxy' ? createTrustedProxy(by.addresses) : undefined
  const entrance = createPublicEntrance({ url, proxy })
  return {
    url: `${url.origin}/`,
    certificate: keeper,
    install:
      own === undefined
        ? undefined
        : {
            origin: url.origin,
            pem: own.pem,
            der: own.certificate.raw,
            fingerprint: own.certificate.fingerprint256,
            endsMs: own.certificate.validToDate.getTime(),
          },
    async open(api) {
      const addresses: string[] = []
      for (const one of plan.listen) {
        const secure = keeper === undefined ? undefined : { pair: keeper.pair, old: plan.tls12 }
        const outside = await opened(one, (at) => api.listenOutside({ ...at, entrance, secure }))
        outsides.push(outside)
        addresses.push(shown(one.address, outside.port))
      }
      const { redirect } = plan
      if (redirect !== undefined) await opened(redirect, (at) => api.listenToRedirect({ ...at, origin: url.origin }))
      return addresses
    },
    watch: async (signal) => keeper?.watch(signal),
  }
}

/** All addresses of both families; without IPv6 those of IPv4. */
async function opened<T>(at: Address, open: (at: Address) => Promise<T>): Promise<T> {
  try {
    return await open(at)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (at.address === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) return opened({ ...at, address: '0.0.0.0' }, open)
    const where = shown(at.address, at.port)
    if (code === 'EACCES')
      throw refused(
        `Port ${at.port} may not be used by this user.`,
        'Let the system allow it (setcap cap_net_bind_service, or AmbientCapabilities in the unit of the service), or listen on another port: --listen :8443.',
        error,
      )
    if (code === 'EADDRINUSE') throw refused(`${where} is taken by another program.`, 'Choose another one with --listen.', error)
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
      throw refused(`${where} is no address of this machine.`, 'Choose another one with --listen.', error)
    throw error
  }
}

async function readPair(files: { readonly certificate: string; readonly key: string }): Promise<CertificatePair> {
  const [certificate, key] = await Promise.all([readPem(files.certificate), readPem(files.key)])
  return { certificate, key }
}

async function readPem(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length > CERTIFICATE_BYTES_MAX)
      throw new Failure('api.certificate', { detail: `${path} is too large for a certificate or key.`, culprits: [path] })
    return text
  } catch (error) {
    if (error instanceof Failure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Failure('api.certificate', {
      detail: `${path} cannot be read (${code}).`,
      next: 'Let the user of the site read it.',
      culprits: [path],
      cause: error,
    })
  }
}

function shown(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function refused(detail: string, next: string, cause: unknown): Failure {
  return new Failure('main.config', { detail, next, cause })
}
