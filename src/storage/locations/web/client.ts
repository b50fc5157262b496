// Requests to a store over HTTP: prepared anew for each attempt, sent again when that is harmless, answered with status and body whatever they are.
import { Agent, type IncomingHttpHeaders } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { type Clock, Failure, equalPublic, limits } from '#base'
import { webBounds } from '../bounds.ts'
import { stopIfCancelled } from '../failures.ts'
import { exchangeFailure } from './errors.ts'
import { type BodyFeed, type ExchangeAnswer, ExchangeError, type ExchangeRequest, exchange } from './exchange.ts'

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'MKCOL' | 'MOVE' | 'PROPFIND'
  /** As it is sent, encoded, without the query. */
  readonly path: string
  readonly query?: readonly (readonly [string, string])[]
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** The views must not change before the answer. */
  readonly body?: readonly Uint8Array[]
  /** A body of unknown length instead: it is sent once, over a connection of its own. */
  readonly feed?: BodyFeed
  readonly signal?: AbortSignal | undefined
  /** Object bytes flow in one of the directions. */
  readonly bulk?: boolean
  readonly stallMs?: number
  readonly intoOf?: ExchangeRequest['intoOf']
  /** Without it `webBounds.attempts`. */
  readonly attempts?: number
}

export interface WebAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
  /** The store's word for what went wrong, for answers that are no success. */
  readonly code: string | undefined
  /** An earlier attempt got no answer and may have taken effect. */
  readonly uncertain: boolean
}

/** What one kind of store adds to HTTP. */
export interface Dialect {
  /** Signs a request with the present credentials; `reload` asks for fresh ones, after the store refused the last. */
  authorise(
    request: WebRequest,
    how: { readonly host: string; readonly reload: boolean },
  ): Promise<{ target: string; headers: Record<string, string> }>
  /** The code of an error answer, only when it is a word. */
  codeOf(answer: ExchangeAnswer): string | undefined
  /** A refusal after which other credentials may help. */
  reloads(status: number, code: string | undefined): boolean
  /** The failure for an answer that is no success. */
  failureOf(answer: { readonly status: number; readonly code: string | undefined }): Failure
  /** Codes after which the same request may succeed, besides the statuses that say so. */
  readonly passing: ReadonlySet<string>
}

export interface WebClientOptions {
  readonly label: string
  readonly url: URL
  readonly clock: Clock
  readonly dialect: Dialect
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined
  readonly stallMs?: number | undefined
  readonly connectMs?: number | undefined
  readonly backoffMs?: number | undefined
}

export class WebClient {
  readonly label: string
  readonly clock: Clock
  readonly #options: WebClientOptions
  readonly #agent: Agent | TlsAgent
  /** For what cannot be sent again when a kept connection turns out to be closed. */
  readonly #freshAgent: Agent | TlsAgent
  #closed = false

  constructor(options: WebClientOptions) {
    this.#options = options
    this.label = options.label
    this.clock = options.clock
    const agentOptions = { keepAlive: true, noDelay: true, maxSockets: webBounds.socketsMax, scheduling: 'lifo' } as const
    const tlsOptions = { ...(options.ca === undefined ? {} : { ca: options.ca }), minVersion: 'TLSv1.2' } as const
    const secure = options.url.protocol === 'https:'
    this.#agent = secure ? new TlsAgent({ ...agentOptions, ...tlsOptions }) : new Agent(agentOptions)
    const freshOptions = { ...agentOptions, keepAlive: false }
    this.#freshAgent = secure ? new TlsAgent({ ...freshOptions, ...tlsOptions }) : new Agent(freshOptions)
  }

  /** Throws a failure when there was no whole answer; any status is an answer. */
  async send(request: WebRequest): Promise<WebAnswer> {
    const { dialect } = this.#options
    const attempts = request.feed === undefined ? (request.attempts ?? webBounds.attempts) : 1
    let uncertain = false
    let reloaded = false
    let stale = 0
    for (let attempt = 1; ; attempt += 1) {
      stopIfCancelled(request.signal)
      if (this.#closed) throw new Failure('base.cancelled')
      try {
        const answer = await this.#once(request, await this.#authorised(request, reloaded))
        const code = answer.status >= 300 ? dialect.codeOf(answer) : undefined
        if (
          (answer.status === 401 || answer.status === 403) &&
          !reloaded &&
          request.feed === undefined &&
          dialect.reloads(answer.status, code)
        ) {
          reloaded = true
          attempt -= 1
          continue
        }
        const mayPass = PASSING.has(answer.status) || (code !== undefined && dialect.passing.has(code))
        if (!mayPass || attempt >= attempts) return { ...answer, code, uncertain }
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
  async expect(request: WebRequest, statuses: readonly number[] = []): Promise<WebAnswer> {
    const answer = await this.send(request)
    if ((answer.status >= 200 && answer.status < 300) || statuses.includes(answer.status)) return answer
    throw this.#options.dialect.failureOf(answer)
  }

  /** A pause that grows with the attempt, with jitter. */
  pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#backoff(attempt, signal, undefined)
  }

  close(): void {
    this.#closed = true
    this.#agent.destroy()
    this.#freshAgent.destroy()
  }

  async #backoff(attempt: number, signal: AbortSignal | undefined, retryAfter: string | undefined): Promise<void> {
    const most = Math.min(webBounds.backoffMsMax, (this.#options.backoffMs ?? webBounds.backoffMs) * 2 ** (attempt - 1))
    const asked = retryAfter !== undefined && /^\d{1,3}$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0
    await this.clock.sleep(Math.min(webBounds.backoffMsMax, Math.max(asked, most * (0.5 + Math.random() / 2))), signal)
  }

  async #authorised(request: WebRequest, reload: boolean): Promise<{ target: string; headers: Record<string, string> }> {
    try {
      return await this.#options.dialect.authorise(request, { host: this.#options.url.host, reload })
    } catch (error) {
      if (error instanceof Failure) throw error
      // What went wrong may quote the file of keys; it is not told.
      throw new Failure('location.denied', {
        detail: `The credentials for ${this.label} could not be loaded.`,
        next: 'Check the file or the variables that hold the credentials.',
        culprits: [this.label],
      })
    }
  }

  #once(request: WebRequest, authorised: { readonly target: string; readonly headers: Record<string, string> }): Promise<ExchangeAnswer> {
    const headers: Record<string, string> = { ...authorised.headers, 'user-agent': 'quorate' }
    if (request.feed === undefined && (request.body !== undefined || WITH_BODY.has(request.method)))
      headers['content-length'] = String(lengthOf(request.body ?? []))
    return exchange(
      { url: this.#options.url, agent: request.feed === undefined ? this.#agent : this.#freshAgent, clock: this.clock },
      {
        method: request.method,
        target: authorised.target,
        headers,
        body: request.body,
        feed: request.feed,
        signal: request.signal,
        stallMs: request.stallMs ?? this.#options.stallMs ?? limits.stallMs,
        connectMs: this.#options.connectMs ?? limits.connectMs,
        bulk: request.bulk ?? false,
        intoOf: request.intoOf,
      },
    )
  }
}

export function lengthOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + view.length, 0)
}

/** True when the bytes are those of the views, one after the other. */
export function isMadeOf(bytes: Uint8Array, views: readonly Uint8Array[]): boolean {
  let at = 0
  for (const view of views) {
    if (!equalPublic(view, bytes.subarray(at, at + view.length))) return false
    at += view.length
  }
  return at === bytes.length
}

const WITH_BODY = new Set(['PUT', 'POST', 'PATCH'])
const PASSING = new Set([408, 429, 500, 502, 503, 504])
const MAY_PASS = new Set<ExchangeError['reason']>(['unconnected', 'lost', 'cut'])
