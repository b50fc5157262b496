// What those who run a site look at: whether it lives, whether it can work, its metrics; and the way to the page of the API.
import type { FastifyInstance } from 'fastify'
import type { Access, Actor } from '#access'
import { type Clock, Failure } from '#base'
import { contextOf, type Gateway } from './call.ts'
import { createReadiness } from './readiness.ts'

const METRICS = '/metrics'
const API_DOCS = '/api/docs'

/** `access` and `operator`: readiness is looked at as the one who runs the site, whoever asks. */
export function serveObservation(
  app: FastifyInstance,
  gateway: Gateway,
  { access, operator, clock }: { readonly access: Access; readonly operator: Actor; readonly clock: Clock },
): void {
  const method = ['GET', 'HEAD']
  app.route({
    method,
    url: '/health',
    handler: async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  })
  const readiness = createReadiness({ status: (request) => access.enter(operator).status(request) }, clock)
  app.route({
    method,
    url: '/health/ready',
    handler: async (_request, reply) => {
      const answer = await readiness()
      const status = answer.status === 'ready' ? 200 : 503
      return reply.code(status).header('cache-control', 'no-store').send(answer)
    },
  })
  app.route({
    method,
    url: METRICS,
    handler: async (request, reply) => {
      if (gateway.metrics === undefined) throw new Failure('api.not-found')
      requireWatcher(contextOf(gateway, request.raw).visitor?.actor)
      const { type, text } = await gateway.metrics.text()
      return reply.header('cache-control', 'no-store').header('content-type', type).send(text)
    },
  })
  // The page of the API is part of the client, which knows the language and the way to sign in.
  app.route({ method, url: API_DOCS, handler: async (_request, reply) => reply.redirect('/#/api', 302) })
}

/** Whether a request, by its path and the pattern that it met, is for somebody whom the site knows. Pages are for everybody. */
export function needsVisitor(path: string, pattern: string | undefined): boolean {
  if (pattern === API_DOCS) return false
  return [path, pattern].some((one) => one === METRICS || one?.startsWith('/api/') === true)
}

/** Metrics tell of the whole site: to whoever runs it, and to administrators, by a session or a token for the whole vault. */
function requireWatcher(actor: Actor | undefined): void {
  if (actor?.kind === 'local') return
  const narrowed = actor?.scope !== undefined && actor.scope.path !== '/'
  if (actor === undefined || narrowed || !actor.roles.includes('administrator')) {
    throw new Failure('access.denied', {
      detail: 'Metrics are for administrators.',
      next: 'Use a token of an administrator, for the whole vault.',
    })
  }
}
