// Requests to one bucket of S3: signed, and told apart by the codes of S3.
import { createHash } from 'node:crypto'
import type { Clock } from '#base'
import { s3Bounds } from '../bounds.ts'
import { type Dialect, WebClient, type WebAnswer, type WebRequest, lengthOf } from '../web/client.ts'
import type { CredentialsProvider } from './credentials.ts'
import { errorCodeOf, statusFailure } from './errors.ts'
import { EMPTY_SHA256, UNSIGNED, canonicalQuery, encodePath, sign } from './sign.ts'

export interface S3ClientOptions {
  readonly label: string
  /** `https://host[:port]`, or `http://` for loopback and closed networks. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly style: 'path' | 'virtual'
  readonly credentials: CredentialsProvider
  readonly clock: Clock
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined
  /** Whether bodies of objects are hashed into the signature. `auto`: not over TLS nor to loopback, where nobody can alter them. */
  readonly payload?: 'auto' | 'signed' | 'unsigned' | undefined
  readonly stallMs?: number | undefined
  readonly connectMs?: number | undefined
  readonly backoffMs?: number | undefined
}

export interface S3Request extends Omit<WebRequest, 'path'> {
  /** The whole key; without one the bucket is meant. */
  readonly key?: string
}

export type S3Answer = WebAnswer

const RELOADING = new Set<string | undefined>(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', undefined])
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export class S3Client {
  readonly label: string
  readonly clock: Clock
  readonly #options: S3ClientOptions
  readonly #web: WebClient
  #bucketSeenAt = Number.NEGATIVE_INFINITY

  constructor(options: S3ClientOptions) {
    this.#options = options
    this.label = options.label
    this.clock = options.clock
    const url = new URL(options.endpoint)
    if (options.style === 'virtual') url.hostname = `${options.bucket}.${url.hostname}`
    const signsBodies =
      options.payload === 'signed' || ((options.payload ?? 'auto') === 'auto' && url.protocol !== 'https:' && !LOOPBACK.test(url.hostname))
    this.#web = new WebClient({ ...options, url, dialect: dialectOf(options, signsBodies) })
  }

  /** Throws a failure when there was no whole answer; any status is an answer. */
  async send(request: S3Request): Promise<S3Answer> {
    const answer = await this.#web.send({ ...request, path: this.#pathOf(request.key) })
    if (answer.status < 300 || answer.code === 'NoSuchKey') this.#bucketSeenAt = this.clock.now()
    return answer
  }

  /** As `send`, and refuses every status but 2xx and those named. */
  async expect(request: S3Request, statuses: readonly number[] = []): Promise<S3Answer> {
    const answer = await this.send(request)
    if ((answer.status >= 200 && answer.status < 300) || statuses.includes(answer.status)) return answer
    throw statusFailure(this.label, answer)
  }

  /**
   * True when a 404 says that the object is absent; throws when it is the bucket that is missing. The answer to a HEAD has no body
   * to tell the two apart, and a missing bucket must not look like lost fragments.
   */
  async onlyObjectAbsent(answer: S3Answer, signal: AbortSignal | undefined): Promise<boolean> {
    if (answer.status !== 404) return false
    if (answer.code === 'NoSuchKey') return true
    if (answer.code !== undefined) throw statusFailure(this.label, answer)
    if (this.clock.now() - this.#bucketSeenAt < s3Bounds.bucketSeenMs) return true
    const bucket = await this.send({ method: 'HEAD', signal })
    if (bucket.status === 404) throw statusFailure(this.label, { status: 404, code: 'NoSuchBucket' })
    // A key that may not look at the bucket cannot tell; it may still read objects.
    if (bucket.status >= 300 && bucket.status !== 403) throw statusFailure(this.label, bucket)
    this.#bucketSeenAt = this.clock.now()
    return true
  }

  /** How a key is named as the source of a copy. */
  copySource(key: string): string {
    return `/${encodePath(this.#options.bucket)}/${encodePath(key)}`
  }

  pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#web.pause(attempt, signal)
  }

  close(): void {
    this.#web.close()
  }

  #pathOf(key: string | undefined): string {
    const bucket = this.#options.style === 'path' ? `/${encodePath(this.#options.bucket)}` : ''
    if (key === undefined) return bucket === '' ? '/' : bucket
    return `${bucket}/${encodePath(key)}`
  }
}

function dialectOf({ label, region, credentials, clock }: S3ClientOptions, signsBodies: boolean): Dialect {
  return {
    authorise: async (request, { host, reload }) => {
      const query = request.query ?? []
      const headers = sign(
        {
          method: request.method,
          path: request.path,
          query,
          headers: { ...request.headers, host },
          payload: payloadOf(request, signsBodies),
        },
        { region, nowMs: clock.now(), credentials: await credentials({ reload }) },
      )
      return { target: query.length === 0 ? request.path : `${request.path}?${canonicalQuery(query)}`, headers }
    },
    codeOf: ({ body }) => errorCodeOf(body),
    reloads: (_, code) => RELOADING.has(code),
    failureOf: (answer) => statusFailure(label, answer),
    passing: new Set(['RequestTimeout', 'SlowDown']),
  }
}

function payloadOf(request: WebRequest, signsBodies: boolean): string {
  if (request.body === undefined || lengthOf(request.body) === 0) return EMPTY_SHA256
  if (request.bulk === true && !signsBodies) return UNSIGNED
  const hash = createHash('sha256')
  for (const view of request.body) hash.update(view)
  return hash.digest('hex')
}
