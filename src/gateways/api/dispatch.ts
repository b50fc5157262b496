// From a request to an answer: finds the route, reads the input by the schemas of the contract, asks the door, checks the answer.
import { z } from 'zod'
import { Failure, limits } from '#base'
import { routes, type Route } from '#contract'
import { jsonAnswer, Refusal, type Answer, type ApiRequest } from './answer.ts'
import { readJson } from './body.ts'
import { createHandlers, type RouteName, type ServedRoute } from './handlers.ts'
import { identityAnswer, isIdentityRoute } from './identity-handlers.ts'
import { assertMay } from './identity-rights.ts'
import { parseQuery, splitTarget } from './query.ts'
import type { Visit } from './visitor.ts'

export type Dispatch = (visit: Visit, name: ServedRoute, request: ApiRequest) => Promise<Answer>

export interface DispatchOptions {
  readonly eventListenersMax?: number | undefined
  readonly eventHeartbeatMs?: number | undefined
}

/** Answers of routes that the door serves. Throws what went wrong; the caller makes the problem document. */
export function createDispatch(options: DispatchOptions = {}): Dispatch {
  const handlers = createHandlers({
    listenersMax: options.eventListenersMax ?? limits.eventListenersMax,
    heartbeatMs: options.eventHeartbeatMs ?? limits.eventHeartbeatMs,
  })
  return async (visit, name, request) => {
    const route: Route = routes[name]
    const { path, query } = splitTarget(request.target)
    const asked = async (): Promise<object> => ({
      request,
      params: parameters(route.path, path),
      query: parsed(route.query ?? nothing, parseQuery(query), 'query'),
      body: route.body === undefined ? undefined : parsed(route.body, await json(request), 'body'),
    })
    if (isIdentityRoute(name)) {
      assertMay(name, visit)
      const answer = jsonAnswer(route.status, route.answer!.parse(await identityAnswer(name, { visit, ...(await asked()) })))
      const [cookie] = visit.cookies
      return cookie === undefined ? answer : { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
    }
    const door = visit.door()
    const answer = await handlers[name]({ door, ...(await asked()) } as never)
    return route.answer === undefined ? (answer as Answer) : jsonAnswer(route.status, route.answer.parse(answer))
  }
}

/** The route of a method and path. Throws `api.not-found` or `api.method`. HEAD is answered wherever GET is. */
export function findRoute(method: string, path: string): RouteName {
  const wanted = method === 'HEAD' ? 'GET' : method
  const names = routesAt(path)
  if (names.length === 0) throw new Failure('api.not-found')
  const name = names.find((candidate) => routes[candidate].method === wanted)
  if (name === undefined) throw new Refusal('api.method', { allow: allowed(names) })
  return name
}

function allowed(names: readonly RouteName[]): string {
  const methods = names.map((name): string => routes[name].method)
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
}

function routesAt(path: string): readonly RouteName[] {
  return (Object.keys(routes) as RouteName[]).filter((name) => matches(routes[name].path, path))
}

function matches(pattern: string, path: string): boolean {
  if (pattern.endsWith('/*')) return path.startsWith(pattern.slice(0, -1)) && path.length >= pattern.length
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return (
    wanted.length === given.length && wanted.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]))
  )
}

function parameters(pattern: string, path: string): Record<string, string> {
  const given = path.split('/')
  const values: Record<string, string> = pattern.endsWith('/*') ? { '*': decoded(path.slice(pattern.length - 1)) } : {}
  for (const [index, part] of pattern.split('/').entries()) {
    if (part.startsWith(':')) values[part.slice(1)] = decoded(given[index] ?? '')
  }
  return values
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Failure('api.not-found')
  }
}

const nothing = z.object({})

/** JSON only, and said so: a form of another web page cannot say it without asking first. */
async function json(request: ApiRequest): Promise<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new Failure('api.body', { detail: 'The body must be JSON, with content-type application/json.' })
  }
  return readJson(request.body)
}

/** What the contract does not name is refused rather than ignored. */
function parsed(schema: z.ZodType, value: unknown, where: 'query' | 'body'): unknown {
  const strict = schema instanceof z.ZodObject ? schema.strict() : schema
  const result = strict.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const place = [where, ...(issue?.path ?? [])].join('.')
  throw new Failure('api.body', { detail: `The request is not as the contract says: ${place}: ${issue?.message ?? 'not valid'}` })
}
