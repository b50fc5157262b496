// Node's HTTP server within bounds, and the answer to bytes that are no request.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { ListenOptions, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { Failure, limits } from '#base'
import { toProblem } from '#contract'
import type { ApiBounds, Gateway } from './call.ts'
import { record } from './log.ts'
import type { Entrance } from './visitor.ts'
import { SECURITY_HEADERS } from './write-answer.ts'

/** A Node server whose every request carries its entrance. */
export function createListener(gateway: Gateway, app: FastifyInstance, entrance: Entrance): Server {
  const server = createServer(httpOptions(gateway.bounds))
  attend(server, gateway, app, { entrance })
  return server
}

export function httpOptions(bounds: Pick<ApiBounds, 'requestHeadersMs'>) {
  return {
    maxHeaderSize: limits.requestHeadersBytesMax,
    headersTimeout: bounds.requestHeadersMs,
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(bounds.requestHeadersMs, 2000),
    keepAliveTimeout: 65_000,
    requireHostHeader: false,
    joinDuplicateHeaders: false,
  } as const
}

/** `headers`: sent with every answer. */
export function attend(
  server: Server | SecureServer,
  gateway: Gateway,
  app: FastifyInstance,
  given: { readonly entrance: Entrance; readonly headers?: Readonly<Record<string, string>> },
): void {
  server.maxConnections = limits.connectionsMax
  const busy = new WeakSet<Socket>()
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const instance = `urn:uuid:${randomUUID()}`
    gateway.contexts.set(request, { entrance: given.entrance, instance, started: performance.now() })
    response.setHeader('x-request-id', instance)
    busy.add(request.socket)
    response.once('close', () => busy.delete(request.socket))
    for (const [name, value] of Object.entries(given.headers ?? {})) response.setHeader(name, value)
    if (gateway.stop.aborted) response.setHeader('connection', 'close')
    app.routing(request, response)
  }
  server.on('request', take).on('checkContinue', take)
  server.on('clientError', (error: Error & { code?: string }, duplex) => {
    const socket = duplex as Socket
    // Where an answer is on its way, or was given to an earlier garbage, another one would be garbage itself; so it would before TLS stands.
    const deaf = socket instanceof TLSSocket && socket.getCipher() === undefined
    if (!socket.writable || deaf || busy.has(socket) || error.code === 'ECONNRESET') socket.destroy()
    else refuseRaw(gateway, error.code ?? '', socket)
    busy.add(socket)
  })
}

const RAW_REFUSALS: Record<string, Failure> = {
  HPE_HEADER_OVERFLOW: new Failure('api.headers'),
  ERR_HTTP_REQUEST_TIMEOUT: new Failure('api.timeout'),
}

/** Bytes that are no HTTP request never become one; they get an answer and the door is shut. */
function refuseRaw(gateway: Gateway, code: string, socket: Socket): void {
  const failure = RAW_REFUSALS[code] ?? new Failure('api.body', { detail: 'This is not an HTTP request.' })
  const instance = `urn:uuid:${randomUUID()}`
  record(gateway.log, { instance, method: '', route: 'none', status: failure.status, code: failure.code, milliseconds: 0 })
  const problem = JSON.stringify(toProblem(failure, instance))
  const headers = {
    ...SECURITY_HEADERS,
    'x-request-id': instance,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(problem)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${failure.status} Refused\r\n${lines.join('')}\r\n${problem}`)
}

/** Resolves when the server listens; rejects with the system's error. */
export function listening(server: Server | SecureServer, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Takes no new connections; those still busy after `graceMs` are dropped. */
export async function closeWithin(server: Server | SecureServer, graceMs: number): Promise<void> {
  const drop = setTimeout(() => server.closeAllConnections(), graceMs)
  try {
    await closed(server)
  } finally {
    clearTimeout(drop)
  }
}

export function closed(server: Server | SecureServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
