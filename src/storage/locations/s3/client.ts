// Requests to one bucket: signed, sent again when that is harmless, answered with status and body whatever they are.
import { createHash } from 'node:crypto'
import { Agent, type IncomingHttpHeaders } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { type Clock, Failure, limits } from '#base'
import { s3Bounds } from '../bounds.ts'
import { stopIfCancelled } from '../failures.ts'
import type { CredentialsProvider, S3Credentials } from './credentials.ts'
import { errorCodeOf, exchangeFailure, statusFailure } from './errors.ts'
import { type ExchangeAnswer, ExchangeError, type ExchangeRequest, exchange } from './exchange.ts'
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

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** The whole key; without one the bucket is meant. */
  readonly key?: string
  readonly query?: readonly (readonly [string, string])[]
  readonly headers?: Readonly<Record<string, string>>
  /** The views must not change before the answer. */
  readonly body?: readonly Uint8Array[]
  readonly signal?: AbortSignal | undefined
  /** Object bytes flow in one of the directions. */
  readonly bulk?: boolean
  readonly stallMs?: number
  readonly intoOf?: ExchangeRequest['intoOf']
  /** Without it `s3Bounds.attempts`. */
  readonly attempts?: number
}

export interface S3Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
  /** The error code of S3, for answers that are no success. */
  readonly code: string | undefined
  /** An earlier attempt got no answer and may have taken effect. */
  readonly uncertain: boolean
}

const RELOADING = new Set<string | undefined>(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', undefined])
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export class S3Client {
  readonly label: string
  readonly clock: Clock
  readonly #options: S3ClientOptions
  readonly #url: URL
  readonly #host: string
  readonly #agent: Agent | TlsAgent
  readonly #signsBodies: boolean
  #closed = false
  #bucketSeenAt = Number.NEGATIVE_INFINITY

  constructor(options: S3ClientOptions) {
    this.#options = options
    this.label = options.label
    this.clock = options.clock
    const url = new URL(options.endpoint)
    if (options.style === 'virtual') url.hostname = `${options.bucket}.${url.hostname}`
    this.#url = url
    this.#host = url.host
    const secure = url.protocol === 'https:'
    const agentOptions = { keepAlive: true, noDelay: true, maxSockets: s3Bounds.socketsMax, scheduling: 'lifo' } as const
    this.#agent = secure
      ? new TlsAgent({ ...agentOptions, ...(options.ca === undefined ? {} : { ca: options.ca }), minVersion: 'TLSv1.2' })
      : new Agent(agentOptions)
    this.#signsBodies = options.payload === 'signed' || ((options.payload ?? 'auto') === 'auto' && !secure && !LOOPBACK.test(url.hostname))
  }

  /** Throws a failure when there was no whole answer; any status is an answer. */
  async send(request: S3Request): Promise<S3Answer> {
    const payload = this.#payloadOf(request)
    const attempts = request.attempts ?? s3Bounds.attempts
    let uncertain = false
    let reloaded = false
    let stale = 0
    for (let attempt = 1; ; attempt += 1) {
      stopIfCancelled(request.signal)
      if (this.#closed) throw new Failure('base.cancelled')
      try {
        const answer = await this.#once(request, payload, await this.#credentials(reloaded))
        const code = answer.status >= 300 ? errorCodeOf(answer.body) : undefined
        if ((answer.status === 401 || answer.status === 403) && !reloaded && RELOADING.has(code)) {
          reloaded = true
          attempt -= 1
          continue
        }
        if (!mayPass(answer.status, code) || attempt >= attempts) {
          if (answer.status < 300 || code === 'NoSuchKey') this.#bucketSeenAt = this.clock.now()
          return { ...answer, code, uncertain }
        }
        uncertain = true
        await this.#backoff(attempt, request.signal, answer.headers['retry-after'])
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error
        if (error.stale && stale < 3) {
          // A connection that we kept was of no more use; whether the store has seen this request we cannot know.
          stale += 1
          attempt -= 1
          uncertain = true
          continue
        }
        if (!MAY_PASS.has(error.reason) || attempt >= attempts) throw exchangeFailure(this.label, error)
        uncertain ||= error.reason !== 'unconnected'
        await this.#backoff(attempt, request.signal, undefined)
      }
    }
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

  /** A pause that grows with the attempt, with jitter. */
  async #backoff(attempt: number, signal: AbortSignal | undefined, retryAfter: string | undefined): Promise<void> {
    const most = Math.min(s3Bounds.backoffMsMax, (this.#options.backoffMs ?? s3Bounds.backoffMs) * 2 ** (attempt - 1))
    const asked = retryAfter !== undefined && /^\d{1,3}$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0
    await this.clock.sleep(Math.min(s3Bounds.backoffMsMax, Math.max(asked, most * (0.5 + Math.random() / 2))), signal)
  }

  pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#backoff(attempt, signal, undefined)
  }

  close(): void {
    this.#closed = true
    this.#agent.destroy()
  }

  async #credentials(reload: boolean): Promise<S3Credentials> {
    try {
      return await this.#options.credentials({ reload })
    } catch (error) {
      if (error instanceof Failure) throw error
      // What went wrong may quote the file of keys; it is not told.
      throw new Failure('location.denied', {
        detail: `The access key for ${this.label} could not be loaded.`,
        next: 'Check the file or the variables that hold the access key.',
        culprits: [this.label],
      })
    }
  }

  #once(request: S3Request, payload: string, credentials: S3Credentials): Promise<ExchangeAnswer> {
    const path = this.#pathOf(request.key)
    const query = request.query ?? []
    const headers = sign(
      { method: request.method, path, query, headers: { ...request.headers, host: this.#host }, payload },
      { region: this.#options.region, nowMs: this.clock.now(), credentials },
    )
    headers['user-agent'] = 'quorate'
    if (request.method === 'PUT' || request.method === 'POST') headers['content-length'] = String(lengthOf(request.body ?? []))
    return exchange(
      { url: this.#url, agent: this.#agent, clock: this.clock },
      {
        method: request.method,
        target: query.length === 0 ? path : `${path}?${canonicalQuery(query)}`,
        headers,
        body: request.body,
        signal: request.signal,
        stallMs: request.stallMs ?? this.#options.stallMs ?? limits.stallMs,
        connectMs: this.#options.connectMs ?? limits.connectMs,
        bulk: request.bulk ?? false,
        intoOf: request.intoOf,
      },
    )
  }

  #pathOf(key: string | undefined): string {
    const bucket = this.#options.style === 'path' ? `/${encodePath(this.#options.bucket)}` : ''
    if (key === undefined) return bucket === '' ? '/' : bucket
    return `${bucket}/${encodePath(key)}`
  }

  #payloadOf(request: S3Request): string {
    if (request.body === undefined || request.body.length === 0) return EMPTY_SHA256
    if (request.bulk === true && !this.#signsBodies) return UNSIGNED
    const hash = createHash('sha256')
    for (const view of request.body) hash.update(view)
    return hash.digest('hex')
  }
}

export function lengthOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + view.length, 0)
}

const MAY_PASS = new Set<ExchangeError['reason']>(['unconnected', 'lost', 'cut'])

/** True for answers after which the same request may succeed. */
function mayPass(status: number, code: string | undefined): boolean {
  return [408, 429, 500, 502, 503, 504].includes(status) || code === 'RequestTimeout' || code === 'SlowDown'
}
