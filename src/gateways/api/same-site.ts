// Whether a browser speaks for our own page: Fetch Metadata and Origin are sent by itself, and a page cannot forge them.
import { Failure } from '#base'

export interface SiteRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Throws `api.cross-site`. Programs that send neither header need their session alone. */
export function verifySite({ method, headers }: SiteRequest, ownOrigin: string): void {
  const site = headers['sec-fetch-site']
  const direct = site === 'none' && (method === 'GET' || method === 'HEAD')
  if (site !== undefined && site !== 'same-origin' && !direct) throw new Failure('api.cross-site')
  const origin = headers['origin']
  if (origin !== undefined && origin.toLowerCase() !== ownOrigin) throw new Failure('api.cross-site')
}
