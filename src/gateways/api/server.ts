// The HTTP server: fastify routes from the table of the contract, behind two entrances that know who comes in.
import { chmod } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Access, Actor } from '#access'
import { Failure, limits } from '#base'
import { routes, type Route } from '#contract'
import { contextOf, flat, refuse, serve, type ApiBounds, type Entrance, type Gateway } from './call.ts'
import { createDispatch, findRoute } from './dispatch.ts'
import type { RouteName } from './handlers.ts'
import { closed, closeWithin, createListener, listening } from './listener.ts'
import type { Log } from './log.ts'
import type { Loopback } from './loopback.ts'
import { servePages } from './pages.ts'
import { splitTarget } from './query.ts'
import { SECURITY_HEADERS } from './write-answer.ts'

export interface ApiOptions {
  readonly access: Access
  /** As whom those act who came in through an entrance. */
  readonly operator: Actor
  readonly log: Log
  /** Folder of the built browser client. */
  readonly pages?: string | undefined
  /** For tests; defaults are in `limits`. */
  readonly bounds?: Partial<ApiBounds> | undefined
}

export interface Api {
  /** A unix socket that only its owner can open. Whoever comes in is the operator. The path must be free. */
  listenOnSocket(path: string): Promise<void>
  /** 127.0.0.1 and [::1] under one port (0 = any free one); answers the port. Fails with EADDRINUSE when either is taken. */
  listenOnLoopback(request: { readonly port: number; readonly loopback: Loopback }): Promise<number>
  /** Takes no new calls, gives running ones `stopGraceMs` to end, then drops them. */
  close(): Promise<void>
}

export async function createApi(options: ApiOptions): Promise<Api> {
  const bounds: ApiBounds = { ...limits, ...options.bounds }
  const stop = new AbortController()
  const gateway: Gateway = {
    door: options.access.enter(options.operator),
    log: options.log,
    bounds,
    dispatch: createDispatch(bounds),
    contexts: new WeakMap(),
    stop: stop.signal,
  }
  const app = await createApp(gateway, options.pages)
  const servers: Server[] = []
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
    async close() {
      stop.abort(new Failure('base.cancelled', { detail: 'The site is stopping.' }))
      await Promise.all(servers.map((server) => closeWithin(server, bounds.stopGraceMs)))
      await app.close()
    },
  }
}

async function createApp(gateway: Gateway, pages: string | undefined): Promise<FastifyInstance> {
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
    admit(gateway, request)
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
  app.route({
    method: ['GET', 'HEAD'],
    url: '/health',
    handler: async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  })
  if (pages !== undefined) await servePages(app, pages)
  await app.ready()
  return app
}

/** Decides before anything of the request is used. Only the pages, the health answer and the exchange of the code need no session. */
function admit(gateway: Gateway, request: FastifyRequest): void {
  const { entrance } = contextOf(gateway, request.raw)
  if (entrance.kind === 'socket') return
  const { path } = splitTarget(request.raw.url ?? '/')
  const url = request.routeOptions.url
  const isApi = path.startsWith('/api/') || url?.startsWith('/api/') === true
  const seen = { method: request.method, headers: flat(request.raw), port: entrance.port(), isPage: !isApi }
  entrance.loopback.verifyOrigin(seen)
  const opensSession = url === routes.openSession.path && request.method === routes.openSession.method
  if (isApi && !opensSession) entrance.loopback.verifySession(seen)
}

function withoutIpv6(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
}
