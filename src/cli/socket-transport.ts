// The calls of the API over the unix socket of a running site.
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Failure } from '#base'
import type { Transport, TransportAnswer, TransportRequest } from '#contract'

export interface SocketTransport {
  readonly call: Transport
  /** Closes idle connections. */
  close(): void
}

/** Bodies above this, or of unknown length, wait for the site to want them, so that a refusal comes before the bytes. */
const EXPECT_BYTES = 1_048_576
const CONNECTIONS_MAX = 32

/** A transport to the site that listens at this socket. `api.unreachable` when nobody does. */
export function socketTransport(path: string): SocketTransport {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })
  return {
    call: (request) => send(path, agent, request),
    close: () => agent.destroy(),
  }
}

function send(path: string, agent: Agent, call: TransportRequest): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { host: 'localhost', ...call.headers, ...(waits(call) ? { expect: '100-continue' } : {}) }
    const request = httpRequest({
      socketPath: path,
      agent,
      method: call.method,
      path: call.target,
      headers,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    let bodyError: { readonly error: unknown } | undefined
    request.once('response', (response) => {
      // An answer that came before the end of the body: the rest is not sent, and this connection is of no more use.
      response.once('end', () => request.writableFinished || request.destroy())
      resolve({ status: response.statusCode ?? 0, headers: flat(response), body: answerBody(response, call.signal) })
    })
    // Stays for ever: a connection may still break after its answer, and that is the body's news then.
    request.on('error', (error) => reject(bodyError === undefined ? unreachable(error, call.signal) : bodyError.error))
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

async function* answerBody(response: IncomingMessage, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  try {
    for await (const part of response) yield part as Buffer
  } catch (error) {
    throw unreachable(error, signal)
  }
}

function unreachable(error: unknown, signal: AbortSignal | undefined): Failure {
  if (signal?.aborted === true) return new Failure('base.cancelled', { cause: error })
  return new Failure('api.unreachable', {
    detail: 'The connection to the running site broke off.',
    next: 'Look whether the site still runs, and try again.',
    cause: error,
  })
}

function flat(response: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(response.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}
