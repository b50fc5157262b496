// A gateway over real sockets for one test: a loopback port, a unix socket, and calls that say exactly what went over the wire.
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '#base'
import { problem, type Problem } from '#contract'
import { createApi, createLoopback, type Api, type ApiOptions, type Loopback } from '#gateways/api'
import { accessTo, createMemoryDoor, type MemoryDoor } from './memory-door.ts'

export interface Gateway {
  readonly api: Api
  readonly door: MemoryDoor
  readonly port: number
  readonly socket: string
  readonly loopback: Loopback
  readonly logged: object[]
  /** A cookie header of a fresh session. */
  readonly cookie: string
  [Symbol.asyncDispose](): Promise<void>
}

export async function startGateway(options: Partial<ApiOptions> = {}): Promise<Gateway> {
  const door = createMemoryDoor()
  const logged: object[] = []
  const log = (fields: object, message: string): void => void logged.push({ ...fields, message })
  const folder = await mkdtemp(join(tmpdir(), 'quorate-api-'))
  const socket = join(folder, 'socket')
  const api = await createApi({
    access: accessTo(door),
    operator: { kind: 'local', name: 'test' },
    log: { info: log, warn: log, error: log },
    ...options,
    bounds: { stopGraceMs: 1000, ...options.bounds },
  })
  const loopback = createLoopback()
  await api.listenOnSocket(socket)
  const port = await api.listenOnLoopback({ port: 0, loopback })
  return {
    api,
    door,
    port,
    socket,
    loopback,
    logged,
    cookie: loopback.openSession(loopback.code, port).split(';')[0]!,
    async [Symbol.asyncDispose]() {
      await api.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface Wire {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | undefined
}

export interface WireAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** One request over the loopback port with the session's cookie, unless the headers say otherwise; an empty header is left out. */
export function call(gateway: Gateway, wire: Wire): Promise<WireAnswer> {
  const headers = Object.entries({ host: `localhost:${gateway.port}`, cookie: gateway.cookie, ...wire.headers }).filter(
    ([, value]) => value !== '',
  )
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: gateway.port,
        method: wire.method ?? 'GET',
        path: wire.path,
        headers: Object.fromEntries(headers),
        agent: false,
        setHost: false,
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }))
      },
    )
    request.on('error', reject)
    request.end(wire.body)
  })
}

export function json(
  gateway: Gateway,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<WireAnswer> {
  return call(gateway, { method, path, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
}

/** The problem document of an answer; throws when it is none or its status differs from the line's. */
export function problemOf(answer: WireAnswer): Problem {
  if (answer.headers['content-type'] !== 'application/problem+json')
    throw new Error(`no problem but ${answer.status}: ${answer.body.toString()}`)
  const document = problem.parse(JSON.parse(answer.body.toString()))
  if (document.status !== answer.status) throw new Error('the status of the document differs from the line')
  return document
}

/** Raw bytes over TCP; resolves with what came back when the other side has closed. */
export function raw(gateway: Gateway, text: string, options: { readonly thenEnd?: boolean } = {}): Promise<string> {
  return new Promise((resolve) => {
    let came = ''
    const socket = connect(gateway.port, '127.0.0.1', () => {
      if (options.thenEnd === true) socket.end(text)
      else socket.write(text)
    })
    socket.on('data', (part) => (came += part.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(came))
  })
}

/** Waits until a condition holds, looking again after every turn of the event loop. The test's own time limit ends a vain wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

export function failure(code: ConstructorParameters<typeof Failure>[0]): Failure {
  return new Failure(code)
}
