// One HTTP request and its answer, with watch kept over progress. Knows nothing of stores.
import { type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { type Agent as TlsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '#base'
import { webBounds } from '../bounds.ts'

/** Why there was no whole answer. `detail` is a code of the system or of TLS, never text of the other side. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError'
  readonly reason: 'cancelled' | 'stalled' | 'unconnected' | 'untrusted' | 'lost' | 'cut' | 'overlong' | 'garbled'
  /** True when it was a kept connection that failed: it was closed already, or held stray bytes of an earlier answer. */
  readonly stale: boolean

  constructor(reason: ExchangeError['reason'], options: { readonly detail?: string; readonly stale?: boolean } = {}) {
    super(options.detail ?? reason)
    this.reason = reason
    this.stale = options.stale ?? false
  }
}

/** Takes a body as it comes. */
export interface BodyTaker {
  readonly length: number
  /** False: so many bytes at most, and fewer are no fault. */
  readonly exact?: boolean
  /** False stops the flow until `resume` is called; meanwhile the other side owes us nothing. */
  take(bytes: Buffer, resume: () => void): boolean
}

/** A body of unknown length, given piece by piece. */
export interface BodyFeed {
  /** Called once. */
  begin(out: BodyOut): void
}

export interface BodyOut {
  /** Resolves when the bytes have left, and may be changed; rejects when the exchange is over. One at a time. */
  write(bytes: Uint8Array): Promise<void>
  end(): void
}

export interface ExchangeRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[] | undefined
  /** Instead of a body. While it gives nothing the other side owes us nothing. */
  readonly feed?: BodyFeed | undefined
  readonly signal?: AbortSignal | undefined
  readonly stallMs: number
  readonly connectMs: number
  /** True while object bytes flow: a drip counts as no progress, and there is no limit to the whole time. */
  readonly bulk: boolean
  /**
   * Chooses where the body of an answer goes: exactly this many bytes are expected then. Undefined keeps it, bounded, in the answer.
   * What it throws ends the exchange and is thrown on.
   */
  readonly intoOf?: ((status: number, headers: IncomingHttpHeaders) => Uint8Array | BodyTaker | undefined) | undefined
}

export interface ExchangeAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Empty when the body went elsewhere. */
  readonly body: Uint8Array
}

export interface Endpoint {
  readonly url: URL
  readonly agent: Agent | TlsAgent
  readonly clock: Clock
}

/** Sends the request; the body's views must not change before it settles, and nothing is touched after. Throws `ExchangeError`, or what `intoOf` throws. */
export function exchange(endpoint: Endpoint, request: ExchangeRequest): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    if (request.signal?.aborted) {
      reject(new ExchangeError('cancelled'))
      return
    }
    const progress = { bytes: 0, connected: false, paused: false }
    let watch = new AbortController()
    let settled = false
    let sent = false

    const outgoing: ClientRequest = (endpoint.url.protocol === 'https:' ? httpsRequest : httpRequest)({
      agent: endpoint.agent,
      host: endpoint.url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: endpoint.url.port === '' ? undefined : Number(endpoint.url.port),
      method: request.method,
      path: request.target,
      headers: request.headers,
    })

    const settle = (act: () => void): void => {
      if (settled) return
      settled = true
      watch.abort()
      request.signal?.removeEventListener('abort', cancel)
      act()
    }
    const fail = (error: Error): void =>
      settle(() => {
        outgoing.destroy()
        reject(error)
      })
    const cancel = (): void => fail(new ExchangeError('cancelled'))
    request.signal?.addEventListener('abort', cancel, { once: true })

    const keep = (watching: (signal: AbortSignal) => Promise<ExchangeError>): void => {
      watch.abort()
      if (settled) return
      watch = new AbortController()
      watching(watch.signal).then(fail, () => undefined)
    }
    const whenConnected = (): void => {
      progress.connected = true
      keep((signal) => watchProgress(endpoint.clock, request, { seen: () => progress.bytes, paused: () => progress.paused, signal }))
    }
    // Before this, the request waits for one of our own sockets, which is no fault of the other side.
    outgoing.on('socket', (socket) => {
      if (outgoing.reusedSocket) return whenConnected()
      keep((signal) => watchConnecting(endpoint.clock, request.connectMs, signal))
      socket.once(endpoint.url.protocol === 'https:' ? 'secureConnect' : 'connect', whenConnected)
    })
    outgoing.on('finish', () => {
      sent = true
    })
    // Kept for good: Swift ends the answer to a HEAD with the end of a chunked body, which comes as an error after the request is done.
    outgoing.on('error', (error) => fail(explain(error, { connected: progress.connected, reused: outgoing.reusedSocket })))
    outgoing.on('response', (incoming) => {
      receive(incoming, request, {
        progressed: (bytes) => {
          progress.bytes += bytes
        },
        pause: () => {
          progress.paused = true
          incoming.pause()
        },
        resume: () => {
          // The time in which it stood still was ours.
          progress.paused = false
          progress.bytes += webBounds.dripBytesMin
          incoming.resume()
        },
        isSettled: () => settled,
        fail,
        done: (answer) =>
          settle(() => {
            // An answer before the end of our body, or stray bytes after an answer to HEAD: the connection is of no more use.
            if (!sent || (request.method === 'HEAD' && answer.headers['transfer-encoding'] !== undefined)) outgoing.destroy()
            resolve(answer)
          }),
      })
    })

    if (request.feed === undefined) {
      pump(outgoing, request.body ?? [], (bytes) => {
        progress.bytes += bytes
      })
    } else {
      // The time in which it gives nothing is ours.
      const owed = (paused: boolean): void => {
        progress.paused = paused
        progress.bytes += webBounds.dripBytesMin
      }
      owed(true)
      request.feed.begin({
        write: async (bytes) => {
          owed(false)
          for (let at = 0; at < bytes.length; at += FEED_STEP_BYTES) {
            const piece = bytes.subarray(at, at + FEED_STEP_BYTES)
            await writeOut(outgoing, piece)
            progress.bytes += piece.length
          }
          owed(true)
        },
        end: () => {
          owed(false)
          outgoing.end()
        },
      })
    }
  })
}

/** On a slow line a piece of this size counts as progress. */
const FEED_STEP_BYTES = 64 * 1024

function writeOut(outgoing: ClientRequest, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (outgoing.destroyed) return reject(new ExchangeError('lost'))
    // A request that is destroyed does not always call back.
    const gone = (): void => reject(new ExchangeError('lost'))
    outgoing.once('close', gone)
    outgoing.write(bytes, (error) => {
      outgoing.off('close', gone)
      if (error === null || error === undefined) resolve()
      else reject(new ExchangeError('lost'))
    })
  })
}

/** Writes the views a few at a time, so that what has left is known: all at once would look like no progress on a slow line. */
function pump(outgoing: ClientRequest, views: readonly Uint8Array[], progressed: (bytes: number) => void): void {
  let next = 0
  let waiting = 0
  const more = (): void => {
    while (waiting < webBounds.viewsInFlight && next < views.length) {
      const view = views[next]!
      next += 1
      waiting += 1
      outgoing.write(view, (error) => {
        waiting -= 1
        if (error !== null && error !== undefined) return
        progressed(view.length)
        more()
      })
    }
    if (next === views.length && !outgoing.writableEnded) outgoing.end()
  }
  more()
}

interface Receiver {
  progressed(bytes: number): void
  pause(): void
  resume(): void
  isSettled(): boolean
  fail(error: Error): void
  done(answer: ExchangeAnswer): void
}

function receive(incoming: IncomingMessage, request: ExchangeRequest, receiver: Receiver): void {
  const status = incoming.statusCode ?? 0
  let into: Uint8Array | BodyTaker | undefined
  try {
    into = request.intoOf?.(status, incoming.headers)
  } catch (error) {
    return receiver.fail(error instanceof Error ? error : new ExchangeError('garbled'))
  }
  if (request.method === 'HEAD') {
    incoming.on('error', () => undefined)
    incoming.resume()
    // Before the 'end': stray bytes in the same packet would be an error first.
    return receiver.done({ status, headers: incoming.headers, body: new Uint8Array(0) })
  }
  const kept: Buffer[] = []
  const most = into?.length ?? webBounds.answerBytesMax
  let got = 0
  incoming.on('data', (chunk: Buffer) => {
    if (receiver.isSettled()) return
    if (got + chunk.length > most) return receiver.fail(new ExchangeError('overlong'))
    if (into instanceof Uint8Array) into.set(chunk, got)
    else if (into !== undefined) {
      if (!into.take(chunk, () => receiver.resume())) receiver.pause()
    } else if (status < 300 || got < webBounds.errorBytesMax) kept.push(chunk)
    got += chunk.length
    receiver.progressed(chunk.length)
  })
  incoming.on('end', () => {
    const exact = into instanceof Uint8Array || into?.exact !== false
    if (into !== undefined && exact && got < into.length) return receiver.fail(new ExchangeError('cut'))
    receiver.done({ status, headers: incoming.headers, body: Buffer.concat(kept) })
  })
  incoming.on('error', () => receiver.fail(new ExchangeError('cut')))
  incoming.on('close', () => receiver.fail(new ExchangeError('cut')))
}

/** Resolves with the error when no connection came about; rejects when the watch is called off, as does the other. */
async function watchConnecting(clock: Clock, connectMs: number, signal: AbortSignal): Promise<ExchangeError> {
  await clock.sleep(connectMs, signal)
  return new ExchangeError('unconnected', { detail: 'ETIMEDOUT' })
}

/** Resolves with the error when there was too little progress. */
async function watchProgress(
  clock: Clock,
  request: ExchangeRequest,
  watched: { readonly signal: AbortSignal; seen(): number; paused(): boolean },
): Promise<ExchangeError> {
  const beganAt = clock.now()
  for (;;) {
    const before = watched.seen()
    await clock.sleep(request.stallMs, watched.signal)
    if (watched.paused()) continue
    const moved = watched.seen() - before
    if (moved < (request.bulk ? webBounds.dripBytesMin : 1)) return new ExchangeError('stalled')
    if (!request.bulk && clock.now() - beganAt > webBounds.controlMs) return new ExchangeError('stalled')
  }
}

function explain(error: Error, about: { readonly connected: boolean; readonly reused: boolean }): ExchangeError {
  const code = 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(error.code) ? error.code : undefined
  const detail = code === undefined ? {} : { detail: code }
  if (code?.startsWith('HPE_')) return new ExchangeError('garbled', { ...detail, stale: about.reused })
  if (code !== undefined && /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return new ExchangeError('untrusted', detail)
  if (!about.connected) return new ExchangeError('unconnected', detail)
  return new ExchangeError('lost', { ...detail, stale: about.reused && (code === 'ECONNRESET' || code === 'EPIPE') })
}
