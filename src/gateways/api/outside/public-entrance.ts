// Who may call from outside: a browser on the page of this very name, over HTTPS. Who it is, is asked after that.
import { Failure } from '#base'
import { verifySite } from '../same-site.ts'
import { plainAddress, type Forwarded, type Headers, type TrustedProxy } from './trusted-proxy.ts'

export interface PublicRequest {
  readonly method: string
  readonly headers: Headers
  /** Of the connection. */
  readonly remoteAddress: string
  /** Pages hold no data of anyone, and a link to them from elsewhere is fine. */
  readonly isPage: boolean
}

export interface PublicEntrance {
  /** Under which people know the site; its origin, without a path. */
  readonly origin: string
  /** Refuses plain HTTP, other host names and other pages. Every request passes here first. */
  verifyOrigin(request: PublicRequest): void
  /** Against whom tries are counted. */
  clientAddress(request: Pick<PublicRequest, 'headers' | 'remoteAddress'>): string
}

/** `proxy`: TLS is the work of this one, else of the listener. */
export function createPublicEntrance(options: { readonly url: URL; readonly proxy?: TrustedProxy | undefined }): PublicEntrance {
  const { url, proxy } = options
  const seen = (request: Pick<PublicRequest, 'headers' | 'remoteAddress'>): Forwarded =>
    proxy?.seen(request.remoteAddress, request.headers) ?? {
      address: plainAddress(request.remoteAddress),
      secure: true,
      host: request.headers['host'],
    }
  const hosts = url.port === '' ? [url.host, `${url.host}:443`] : [url.host]
  return {
    origin: url.origin,
    verifyOrigin(request) {
      const { secure, host } = seen(request)
      if (!secure)
        throw new Failure('api.insecure', {
          next: `Use ${url.origin}/. Behind a proxy: name its address, and let it set X-Forwarded-Proto.`,
        })
      if (host === undefined || !hosts.includes(host.toLowerCase())) throw new Failure('api.host', { next: `Use ${url.origin}/.` })
      if (!request.isPage) verifySite(request, url.origin)
    },
    clientAddress: (request) => seen(request).address,
  }
}
