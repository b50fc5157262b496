// The calls of the API over a connection: the unix socket of a running site, or its address.
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Failure, isFailure } from '#base'
import type { Transport, TransportAnswer, TransportRequest } from '#contract'

export interface OpenTransport {
  readonly call: Transport
  /** Closes idle connections. */
  close(): void
}

/** Where the site is: at a unix socket, or at an address that its paths are added to. */
export type SiteAddress =
  | { readonly socket: string }
  | {
      readonly url: string
      /** Goes with every call, over TLS or to this machine only. */
      readonly token?: string | undefined
      /** PEM certificates that are trusted besides those of the system. */
      readonly ca?: string | undefined
    }

export interface TransportOptions {
  /** A connection over which nothing moves for so long is given up; without it, only when it ends. */
  readonly silenceMs?: number | undefined
}

/** Bodies above this, or of unknown length, wait for the site to want them, so that a refusal comes before the bytes. */
const EXPECT_BYTES = 1_048_576
const CONNECTIONS_MAX = 32
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

interface Line {
  readonly request: (options: RequestOptions) => ClientRequest
  readonly headers: Readonly<Record<string, string>>
  readonly path: (target: string) => string
  readonly silenceMs: number | undefined
  readonly close: () => void
}

/**
 * A transport to a site. Calls fail with `api.unreachable` when nobody answers, `api.in-clear` when a token would cross a network in
 * clear, and `base.invalid` when the address is none.
 */
export function httpTransport(address: SiteAddress, { silenceMs }: TransportOptions = {}): OpenTransport {
  const line = 'socket' in address ? toSocket(address.socket, silenceMs) : toAddress(address, silenceMs)
  return {
    call: async (request) => {
      const answer = await attempt(line, request)
      if (answer.status < 300 || answer.status === 304 || answer.status >= 400) return answer
      // Nothing is sent on: a token would go where it was not meant to go.
      for await (const _ of answer.body) break
      throw new Failure('api.unreachable', {
        detail: 'The address leads elsewhere, and is not followed.',
        next: 'Use the address of the site itself.',
      })
    },
    close: line.close,
  }
}

function toSocket(socketPath: string, silenceMs: number | undefined): Line {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })
  return {
    request: (options) => httpRequest({ ...options, socketPath, agent }),
    headers: { host: 'localhost' },
    path: (target) => target,
    silenceMs,
    close: () => agent.destroy(),
  }
}

function toAddress({ url, token, ca }: Extract<SiteAddress, { url: string }>, silenceMs: number | undefined): Line {
  const base = URL.canParse(url) ? new URL(url) : undefined
  const secure = base?.protocol === 'https:'
  if (base === undefined || (!secure && base.protocol !== 'http:') || base.username !== '' || base.search !== '' || base.hash !== '') {
    throw new Failure('base.invalid', { detail: 'This is no address of a site.', next: 'Write https://HOST/ or http://localhost:PORT/.' })
  }
  if (!secure && token !== undefined && !LOOPBACK.test(base.hostname)) {
    throw new Failure('api.in-clear', {
      detail: 'The token would cross the network in clear.',
      next: 'Use the https:// address of the site.',
    })
  }
  const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS_MAX }
  // Loaded by those who need it: commands talk to a socket, and are to start quickly.
  const https = secure ? process.getBuiltinModule('node:https') : undefined
  const trusted = ca === undefined ? {} : { ca: [...process.getBuiltinModule('node:tls').getCACertificates('default'), ca] }
  const agent = https === undefined ? new Agent(agentOptions) : new https.Agent({ ...agentOptions, ...trusted })
  const folder = base.pathname.replace(/\/+$/, '')
  const where = { hostname: base.hostname.replace(/^\[|\]$/g, ''), port: base.port === '' ? undefined : base.port, agent }
  return {
    request: (options) => (https === undefined ? httpRequest({ ...options, ...where }) : https.request({ ...options, ...where })),
    headers: { host: base.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    path: (target) => `${folder}${target}`,
    silenceMs,
    close: () => agent.destroy(),
  }
}

/** Once more where a kept connection was closed by the other side in the moment of the call, and asking twice does nothing twice. */
async function attempt(line: Line, call: TransportRequest): Promise<TransportAnswer> {
  try {
    return await send(line, call)
  } catch (error) {
    const stale = isFailure(error, 'api.unreachable') && error.cause instanceof StaleConnection
    if (!stale || (call.method !== 'GET' && call.method !== 'HEAD')) throw error
    return send(line, call)
  }
}

/** The connection was one that had been kept, and the other side had closed it. */
class StaleConnection extends Error {}

function send(line: Line, call: TransportRequest): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { ...line.headers, ...call.headers, ...(waits(call) ? { expect: '100-continue' } : {}) }
    const options = {
      method: call.method,
      path: line.path(call.target),
      headers,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }
    const request = line.request(options)
    let bodyError: { readonly error: unknown } | undefined
    let late: Failure | undefined
    if (line.silenceMs !== undefined) {
      const ms = line.silenceMs
      request.setTimeout(ms, () => {
        late = new Failure('api.timeout', { detail: `Nothing moved for ${ms} ms.`, next: 'Try again.' })
        request.destroy(late)
      })
    }
    request.once('response', (response) => {
      // An answer that came before the end of the body: the rest is not sent, and this connection is of no more use.
      response.once('end', () => request.writableFinished || request.destroy())
      resolve({
        status: response.statusCode ?? 0,
        headers: flat(response),
        body: answerBody(response, (error) => late ?? unreachable(error, call.signal)),
      })
    })
    // Stays for ever: a connection may still break after its answer, and that is the body's news then.
    request.on('error', (error) => {
      const stale = request.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      const cause = stale ? new StaleConnection('closed by the other side', { cause: error }) : error
      reject(bodyError === undefined ? (late ?? unreachable(cause, call.signal)) : bodyError.error)
    })
    const begin = (): void => {
      sendBody(request, call).catch((error: unknown) => {
        bodyError = { error }
        request.destroy(error instanceof Error ? error : new Failure('base.cancelled'))
      })
    }
    if (waits(call)) request.once('continue', begin).flushHeaders()
    else begin()
  })
}

function waits(call: TransportRequest): boolean {
  if (call.body === undefined || call.body instanceof Uint8Array) return false
  const length = call.headers['content-length']
  return length === undefined || Number(length) > EXPECT_BYTES
}

/** At the pace of the site; stops when the site has answered before the end. A body that throws breaks the connection. */
async function sendBody(request: ClientRequest, call: TransportRequest): Promise<void> {
  if (call.body === undefined || call.body instanceof Uint8Array) {
    request.end(call.body)
    return
  }
  let answered = false
  request.once('response', () => (answered = true))
  for await (const part of call.body) {
    if (answered || request.destroyed) return
    await taken(request, part)
  }
  request.end()
}

/** Resolves when the operating system has the bytes, or nobody wants them any more. */
function taken(request: ClientRequest, part: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      request.off('close', go).off('response', go)
      resolve()
    }
    request.on('close', go).on('response', go)
    if (request.destroyed) go()
    else request.write(part, go)
  })
}

async function* answerBody(response: IncomingMessage, broken: (error: unknown) => Failure): AsyncIterable<Uint8Array> {
  try {
    for await (const part of response) yield part as Buffer
  } catch (error) {
    throw broken(error)
  }
}

function unreachable(error: unknown, signal: AbortSignal | undefined): Failure {
  if (signal?.aborted === true) return new Failure('base.cancelled', { cause: error })
  return new Failure('api.unreachable', {
    detail: 'The site does not answer, or the connection to it broke off.',
    next: 'Look whether the site still runs, and try again.',
    cause: error,
  })
}

function flat(response: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(response.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}
