// The HTTP server: fastify routes from the table of the contract, behind entrances that know who comes in.
import { chmod } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo, ListenOptions } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Access, Actor } from '#access'
import { Failure, limits, systemClock, type Clock } from '#base'
import { routes, type Route } from '#contract'
import type { Identity } from '#identity'
import { contextOf, flat, refuse, serve, type ApiBounds, type Gateway } from './call.ts'
import { createDispatch, findRoute } from './dispatch.ts'
import type { RouteName } from './handlers.ts'
import { needsNobody } from './identity-rights.ts'
import { closed, closeWithin, createListener, listening } from './listener.ts'
import type { Log } from './log.ts'
import type { Loopback } from './loopback.ts'
import type { Metrics } from './metrics.ts'
import { needsVisitor, serveObservation } from './observing.ts'
import type { CertificatePair } from './outside/certificate.ts'
import { serveInstall, type Install } from './outside/install.ts'
import type { PublicEntrance } from './outside/public-entrance.ts'
import type { Secure } from './outside/public-listener.ts'
import { servePages } from './pages.ts'
import { splitTarget } from './query.ts'
import { operatorAtTheMachine, unauthenticated, visitorFromOutside, visitorOverLoopback, type Entrance } from './visitor.ts'
import { SECURITY_HEADERS } from './write-answer.ts'

export interface ApiOptions {
  readonly access: Access
  /** Whoever comes in by the socket, and by the start link while nobody administers the site. */
  readonly operator: Actor
  /** People of the site; without it there is only the operator. */
  readonly identity?: Identity | undefined
  readonly log: Log
  /** Folder of the built browser client. */
  readonly pages?: string | undefined
  /** The site's own certificate authority, for the page that says how to trust it. */
  readonly install?: Install | undefined
  /** Answers /metrics; without them that address is unknown. */
  readonly metrics?: Metrics | undefined
  readonly clock?: Clock | undefined
  /** For tests; defaults are in `limits`. */
  readonly bounds?: Partial<ApiBounds> | undefined
}

export interface Api {
  /** A unix socket that only its owner can open. Whoever comes in is the operator. The path must be free. */
  listenOnSocket(path: string): Promise<void>
  /** 127.0.0.1 and [::1] under one port (0 = any free one); answers the port. Fails with EADDRINUSE when either is taken. */
  listenOnLoopback(request: { readonly port: number; readonly loopback: Loopback }): Promise<number>
  /** For strangers, by HTTPS, or by HTTP behind the proxy that the entrance trusts. Fails with the system's error. */
  listenOutside(request: {
    readonly address: string
    readonly port: number
    readonly entrance: PublicEntrance
    readonly secure?: Secure | undefined
  }): Promise<Outside>
  /** Plain HTTP that leads to HTTPS. Answers the port. */
  listenToRedirect(request: { readonly address: string; readonly port: number; readonly origin: string }): Promise<number>
  /** Takes no new calls, gives running ones `stopGraceMs` to end, then drops them. */
  close(): Promise<void>
}

export interface Outside {
  readonly port: number
  /** Another certificate for new connections. */
  readonly renew: (pair: CertificatePair) => void
}

export async function createApi(options: ApiOptions): Promise<Api> {
  const bounds: ApiBounds = { ...limits, ...options.bounds }
  const stop = new AbortController()
  const gateway: Gateway = {
    access: options.access,
    operator: options.operator,
    identity: options.identity,
    present: new Set(),
    log: options.log,
    bounds,
    dispatch: createDispatch(bounds),
    contexts: new WeakMap(),
    stop: stop.signal,
    metrics: options.metrics,
  }
  const app = await createApp(gateway, options)
  const stopLooking = watchPresent(gateway)
  const servers: (Server | SecureServer)[] = []
  const open = async (entrance: Entrance, listen: ListenOptions): Promise<Server> => {
    const server = createListener(gateway, app, entrance)
    await listening(server, listen)
    servers.push(server)
    return server
  }
  return {
    async listenOnSocket(path) {
      await open({ kind: 'socket' }, { path })
      await chmod(path, 0o600)
    },
    async listenOnLoopback({ port, loopback }) {
      const entrance: Entrance = { kind: 'loopback', loopback, port: () => bound }
      const first = await open(entrance, { host: '127.0.0.1', port })
      const bound = (first.address() as AddressInfo).port
      try {
        await open(entrance, { host: '::1', port: bound, ipv6Only: true })
      } catch (error) {
        if (!withoutIpv6(error)) {
          await closed(first)
          throw error
        }
      }
      return bound
    },
    async listenOutside({ address, port, entrance, secure }) {
      const { createPublicListener } = await import('./outside/public-listener.ts')
      const { server, renew } = createPublicListener(gateway, app, entrance, secure)
      await listening(server, { host: address, port })
      servers.push(server)
      return { port: (server.address() as AddressInfo).port, renew }
    },
    async listenToRedirect({ address, port, origin }) {
      const { createRedirectListener } = await import('./outside/redirect-listener.ts')
      const server = createRedirectListener(origin)
      await listening(server, { host: address, port })
      servers.push(server)
      return (server.address() as AddressInfo).port
    },
    async close() {
      stopLooking()
      stop.abort(new Failure('base.cancelled', { detail: 'The site is stopping.' }))
      await Promise.all(servers.map((server) => closeWithin(server, bounds.stopGraceMs)))
      await app.close()
    },
  }
}

async function createApp(gateway: Gateway, options: ApiOptions): Promise<FastifyInstance> {
  const { pages, install, access, operator, clock = systemClock } = options
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { querystringParser: () => ({}) },
    frameworkErrors: (_error, request, reply) => {
      void refuse(gateway, request, reply, new Failure('api.not-found'))
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    await admit(gateway, request)
  })
  app.setErrorHandler((error, request, reply) => refuse(gateway, request, reply, error))
  app.setNotFoundHandler((request) => {
    findRoute(request.method, splitTarget(request.raw.url ?? '/').path)
    throw new Failure('api.not-found')
  })
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name]
    app.route({
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      handler: async (request, reply) => {
        reply.hijack()
        await serve(gateway, name, request.raw, reply.raw)
      },
    })
  }
  if (install !== undefined) serveInstall(app, gateway, install)
  serveObservation(app, gateway, { access, operator, clock })
  if (pages !== undefined) await servePages(app, pages)
  await app.ready()
  return app
}

/** Decides before anything of the request is used. Only the pages, the health answer and what leads to a session are for everybody. */
async function admit(gateway: Gateway, request: FastifyRequest): Promise<void> {
  const { raw } = request
  const context = contextOf(gateway, raw)
  // As to a proxy, with a host of its own: what that names is not asked.
  if (raw.url?.startsWith('/') !== true) throw new Failure('api.host', { detail: 'The target of the request is no path.' })
  const { entrance } = context
  if (entrance.kind === 'socket') {
    gateway.contexts.set(raw, { ...context, visitor: operatorAtTheMachine(gateway.operator) })
    return
  }
  const { path } = splitTarget(raw.url ?? '/')
  const url = request.routeOptions.url
  const isApi = needsVisitor(path, url)
  const headers = flat(raw)
  const asked = { method: request.method, headers, isPage: !isApi }
  const remoteAddress = raw.socket.remoteAddress ?? ''
  if (entrance.kind === 'public') entrance.entrance.verifyOrigin({ ...asked, remoteAddress })
  else entrance.loopback.verifyOrigin({ ...asked, port: entrance.port() })
  if (!isApi) return
  const isFollowing = url === routes.events.path
  const use = !isFollowing && !(headers['quorate-unattended'] === '1' && asked.method === 'GET')
  const visitor =
    entrance.kind === 'public'
      ? await visitorFromOutside(gateway, entrance.entrance, { headers, remoteAddress, use })
      : await visitorOverLoopback(gateway, entrance, { ...asked, port: entrance.port(), raw, use })
  if (visitor.actor === undefined && !needsNobody(request.method, url)) throw unauthenticated()
  gateway.contexts.set(raw, { ...context, visitor })
}

/** Calls that are under way end when their visitor would not be let in any more: at once after a change, and soon after a session has expired. */
function watchPresent(gateway: Gateway): () => void {
  const look = (): void => {
    for (const call of gateway.present) void call.look()
  }
  const timer = setInterval(look, limits.presentLookMs).unref()
  const end = gateway.identity?.onChange(look)
  return () => {
    clearInterval(timer)
    end?.()
  }
}

function withoutIpv6(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
}
