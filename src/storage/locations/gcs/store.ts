// What the parts of the driver for Google Cloud Storage share: the bucket, how names become addresses, how writes are protected.
import { type Clock, fromUtf8 } from '#base'
import { gcsBounds, s3Bounds } from '../bounds.ts'
import type { FragmentName } from '../contract.ts'
import type { ObjectLock } from '../spec-text.ts'
import type { BlockPool } from '../web/blocks.ts'
import { type Cached, cached } from '../web/cached.ts'
import { type Dialect, WebClient, type WebAnswer, type WebClientOptions } from '../web/client.ts'
import { type AccessToken, type ServiceAccount, fetchToken } from './credentials.ts'
import { gcsCodeOf, gcsFailure } from './errors.ts'

export interface GcsStore {
  readonly client: WebClient
  readonly clock: Clock
  readonly label: string
  readonly bucket: string
  /** Empty, or ending with `/`. */
  readonly prefix: string
  readonly partBytes: number
  readonly lock: ObjectLock | undefined
  readonly blocks: BlockPool
  /** Whether we may delete; undefined before it was asked. */
  readonly rights: { deletes: boolean | undefined }
  /** When the bucket was last seen, and by that not confused with an absent object. */
  readonly seen: { atMs: number }
}

export function keyOf(store: GcsStore, name: FragmentName): string {
  return `${store.prefix}${name}`
}

/** The address of an object. */
export function objectPath(store: GcsStore, key: string): string {
  return `${bucketPath(store)}/${encodeURIComponent(key)}`
}

/** The address of the bucket's objects. */
export function bucketPath(store: GcsStore): string {
  return `/storage/v1/b/${store.bucket}/o`
}

export function uploadPath(store: GcsStore): string {
  return `/upload/storage/v1/b/${store.bucket}/o`
}

/** A client of the store, and what ends it. Tokens are got with the account, and anew when they end or are refused. */
export function gcsClient(options: Omit<WebClientOptions, 'dialect'> & { readonly account: () => Promise<ServiceAccount> }): {
  readonly client: WebClient
  readonly close: () => void
} {
  const { label, clock, account } = options
  const offices = new Map<string, WebClient>()
  const officeOf = (tokenUri: string): WebClient => {
    const { origin } = new URL(tokenUri)
    const known = offices.get(origin) ?? new WebClient({ ...options, url: new URL(origin), dialect: plain(label) })
    offices.set(origin, known)
    return known
  }
  const tokens: Cached<AccessToken> = cached(
    async () => {
      const loaded = await account()
      return fetchToken(loaded, officeOf(loaded.tokenUri), clock)
    },
    { clock, keptUntil: ({ endsAtMs }) => endsAtMs - gcsBounds.tokenMarginMs },
  )
  const client = new WebClient({ ...options, dialect: bearer(label, tokens) })
  const close = (): void => {
    client.close()
    for (const office of offices.values()) office.close()
  }
  return { client, close }
}

function plain(label: string): Dialect {
  return {
    authorise: async (request, { host }) => ({ target: request.path, headers: { ...request.headers, host } }),
    codeOf: () => undefined,
    reloads: () => false,
    failureOf: (answer) => gcsFailure(label, answer),
    passing: new Set(),
  }
}

function bearer(label: string, tokens: Cached<AccessToken>): Dialect {
  return {
    authorise: async (request, { reload }) => {
      const { token } = await tokens({ reload })
      const query = new URLSearchParams((request.query ?? []).map(([name, value]) => [name, value])).toString()
      return {
        target: query === '' ? request.path : `${request.path}?${query}`,
        headers: { ...request.headers, authorization: `Bearer ${fromUtf8(token.reveal())}` },
      }
    },
    codeOf: gcsCodeOf,
    reloads: (status, code) => status === 401 || code === 'forbidden' || code === 'insufficientPermissions',
    failureOf: (answer) => gcsFailure(label, answer),
    passing: new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'backendError', 'internalError']),
  }
}

/** What holds an object for as long as the lock says, from now on. The bucket needs object retention. */
export function retention(store: GcsStore, forMs?: number): Record<string, unknown> {
  if (store.lock === undefined) return {}
  const untilMs = store.clock.now() + (forMs ?? store.lock.days * 86_400_000)
  return {
    retention: { mode: store.lock.mode === 'governance' ? 'Unlocked' : 'Locked', retainUntilTime: new Date(untilMs).toISOString() },
  }
}

/**
 * True when a 404 says that the object is absent; throws when it is the bucket that is missing. The store answers both alike, and a
 * missing bucket must not look like lost fragments: the bucket is asked for a name.
 */
export async function isAbsent(store: GcsStore, answer: WebAnswer, signal: AbortSignal | undefined): Promise<boolean> {
  if (answer.status !== 404) return false
  if (store.clock.now() - store.seen.atMs < s3Bounds.bucketSeenMs) return true
  const query = [
    ['maxResults', '1'],
    ['fields', 'kind'],
  ] as const
  const bucket = await store.client.send({ method: 'GET', path: bucketPath(store), query, signal })
  // A key that may not list cannot tell; it may still read objects.
  if (bucket.status >= 300 && bucket.status !== 403) throw gcsFailure(store.label, bucket)
  store.seen.atMs = store.clock.now()
  return true
}
