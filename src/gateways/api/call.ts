// One call over HTTP: from its first byte to its last, and its line in the log.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Access, Actor } from '#access'
import { Failure, isFailure } from '#base'
import { identityRoutes, routes } from '#contract'
import type { Identity } from '#identity'
import { codeOf, jsonAnswer, problemAnswer, type Answer, type ApiRequest } from './answer.ts'
import { readJson } from './body.ts'
import type { Dispatch } from './dispatch.ts'
import type { RouteName } from './handlers.ts'
import { expectsContinue, requestBody } from './http-body.ts'
import { record, type Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { unauthenticated, visitOf, type Entrance, type Visitor } from './visitor.ts'
import { writeAnswer } from './write-answer.ts'

/** The bounds that tests make smaller. */
export type ApiBounds = {
  readonly [
    Name in
      | 'uploadSilenceMs'
      | 'downloadSilenceMs'
      | 'requestBodyMs'
      | 'requestHeadersMs'
      | 'lingerMs'
      | 'stopGraceMs'
      | 'eventListenersMax'
      | 'eventHeartbeatMs'
      | 'handshakeMs'
      | 'connectionsPerAddressMax'
  ]: number
}

export interface Context {
  readonly entrance: Entrance
  readonly instance: string
  readonly started: number
  /** There once the request was admitted. */
  readonly visitor?: Visitor | undefined
}

export interface Gateway {
  readonly access: Access
  readonly operator: Actor
  readonly identity: Identity | undefined
  /** Calls that are under way. */
  readonly present: Set<{ look(): Promise<void> }>
  readonly log: Log
  readonly bounds: ApiBounds
  readonly dispatch: Dispatch
  readonly contexts: WeakMap<IncomingMessage, Context>
  /** Aborts when the site stops. */
  readonly stop: AbortSignal
  readonly metrics: Metrics | undefined
}

export async function serve(gateway: Gateway, name: RouteName, raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const { entrance, instance, visitor } = contextOf(gateway, raw)
  const watch = watchConnection(gateway, name, response, visitor)
  const isUpload = name === 'upload' || name === 'sendUpload'
  const body = requestBody(raw, response, {
    silenceMs: isUpload ? gateway.bounds.uploadSilenceMs : gateway.bounds.requestBodyMs,
    totalMs: isUpload ? undefined : gateway.bounds.requestBodyMs,
    count: (bytes) => gateway.metrics?.bytes('in', bytes),
  })
  const request: ApiRequest = { method: raw.method ?? 'GET', target: raw.url ?? '/', headers: flat(raw), body, signal: watch.signal }
  let failed: unknown
  let answer: Answer
  try {
    if (visitor === undefined) throw new Failure('access.denied')
    answer =
      name === 'openSession'
        ? await openSession(gateway, entrance, request)
        : await gateway.dispatch(visitOf(visitor, gateway.access, gateway.identity), name, request)
  } catch (error) {
    failed = error
    answer = problemAnswer(error, instance, headersOf(error, raw))
  }
  try {
    await writeAnswer(raw, response, answer, {
      silenceMs: entrance.kind === 'socket' ? undefined : gateway.bounds.downloadSilenceMs,
      count: (bytes) => gateway.metrics?.bytes('out', bytes),
    })
    linger(raw, gateway.bounds.lingerMs)
  } catch (error) {
    failed ??= error
  } finally {
    watch.stop()
  }
  finish(gateway, raw, { name, route: routes[name].path, status: answer.status }, failed)
}

/**
 * The signal of everybody who works for this answer: nobody reads any more, the one who asked would not be let in any more, or, for answers that
 * never end, the site stops.
 */
function watchConnection(
  gateway: Gateway,
  name: RouteName,
  response: ServerResponse,
  visitor: Visitor | undefined,
): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  const cancel = (): void => controller.abort(new Failure('base.cancelled'))
  const endless = name === 'events'
  const call = {
    look: async (): Promise<void> => {
      if (visitor === undefined || (await visitor.stillIs().catch(() => false))) return
      controller.abort(unauthenticated())
      // What is on its way out breaks off; nothing more of it is for this one.
      if (response.headersSent) response.destroy()
    },
  }
  // Those that change who may come in go on to their end.
  if (visitor?.actor !== undefined && !(name in identityRoutes)) gateway.present.add(call)
  response.once('close', cancel)
  if (response.destroyed || (endless && gateway.stop.aborted)) cancel()
  if (endless) gateway.stop.addEventListener('abort', cancel, { once: true })
  return {
    signal: controller.signal,
    stop() {
      gateway.present.delete(call)
      response.off('close', cancel)
      gateway.stop.removeEventListener('abort', cancel)
      if (endless) cancel()
    },
  }
}

/** Where somebody administers the site the link leads to signing in, and opens nothing by itself. */
async function openSession(gateway: Gateway, entrance: Entrance, request: ApiRequest): Promise<Answer> {
  if (entrance.kind !== 'loopback') throw new Failure('api.not-found')
  const body = routes.openSession.body.safeParse(await readJson(request.body))
  if (!body.success) throw new Failure('api.body', { detail: 'The body must be {"code": "..."}.' })
  const answer = jsonAnswer(routes.openSession.status, {})
  if (gateway.identity?.hasAdministrator() === true) {
    entrance.loopback.verifyCode(body.data.code)
    return answer
  }
  const cookie = entrance.loopback.openSession(body.data.code, entrance.port())
  return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
}

/** Reads the rest of a body that came after its answer for a while, so that the client sees the answer and not a reset. */
function linger(request: IncomingMessage, lingerMs: number): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.destroy(), lingerMs)
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer))
  request.on('error', () => {})
  request.resume()
}

/** What the router and the hooks refuse, before a call begins. */
export function refuse(gateway: Gateway, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const failure = fromFastify(error)
  const { instance } = contextOf(gateway, request.raw)
  const answer = problemAnswer(failure, instance, headersOf(failure, request.raw))
  reply.hijack()
  const route = request.routeOptions.url ?? 'none'
  void writeAnswer(request.raw, reply.raw, answer, { silenceMs: gateway.bounds.downloadSilenceMs })
    .then(() => linger(request.raw, gateway.bounds.lingerMs))
    .catch(() => {})
    .finally(() => finish(gateway, request.raw, { route, status: answer.status }, failure))
  return reply
}

/** The router's own refusals are the caller's mistakes; the rest is ours. */
function fromFastify(error: unknown): unknown {
  if (error instanceof Failure) return error
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? new Failure('api.body', { cause: error }) : error
}

/** Nothing more is read from a client that is late, or that waits for our word and does not get it. */
function headersOf(error: unknown, request: IncomingMessage): Record<string, string> {
  const leaves = isFailure(error, 'api.timeout') || (expectsContinue(request) && !request.readableDidRead)
  return leaves ? { connection: 'close' } : {}
}

function finish(
  gateway: Gateway,
  request: IncomingMessage,
  { name, ...outcome }: { name?: RouteName; route: string; status: number },
  failed: unknown,
): void {
  const { instance, started } = contextOf(gateway, request)
  const code = failed === undefined ? undefined : codeOf(failed)
  const milliseconds = Math.round(performance.now() - started)
  gateway.metrics?.call({ name, status: outcome.status, code, milliseconds })
  record(gateway.log, { instance, method: request.method ?? '', ...outcome, code, milliseconds }, failed)
}

export function contextOf(gateway: Gateway, request: IncomingMessage): Context {
  const context = gateway.contexts.get(request)
  if (context === undefined) throw new Failure('access.denied')
  return context
}

/** Single-valued headers; Node has joined the others or kept the first. */
export function flat(request: IncomingMessage): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}
