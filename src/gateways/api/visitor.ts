// Who comes in with a request: found out before anything of it is used.
import type { IncomingMessage } from 'node:http'
import type { Access, Actor, Door } from '#access'
import { Failure, limits } from '#base'
import type { Identity, Recognised } from '#identity'
import { Refusal } from './answer.ts'
import { cookieOf, cookieName, type Loopback, type LoopbackRequest } from './loopback.ts'
import type { PublicEntrance } from './outside/public-entrance.ts'

/** Set for every request by the listener that it came through; a request without one is refused. */
export type Entrance =
  | { readonly kind: 'socket' }
  | { readonly kind: 'loopback'; readonly loopback: Loopback; readonly port: () => number }
  | { readonly kind: 'public'; readonly entrance: PublicEntrance }

/** Under which name the page was asked for, and how its cookie is called. */
export interface Surroundings {
  /** `https://vault.example`, `http://localhost:7878`. */
  readonly origin: string
  /** The host name alone; passkeys belong to it. */
  readonly host: string
  readonly cookie: { readonly name: string; readonly secure: boolean }
  /** Of the one who asks. */
  readonly address: string
  /** What the browser calls itself. */
  readonly agent: string
}

export interface Visitor {
  /** Undefined: nobody whom the site knows. */
  readonly actor: Actor | undefined
  /** The secret in the session cookie, whether or not it is worth anything. */
  readonly session?: string | undefined
  /** What binds the answer of a sign-in service to this browser. */
  readonly bound?: string | undefined
  readonly recognised?: Recognised | undefined
  /** Undefined where no browser comes in. */
  readonly surroundings?: Surroundings | undefined
  /** Whether the same visitor would be let in now, without counting as use. */
  stillIs(): Promise<boolean>
}

/** A visitor on the way through one call. */
export interface Visit {
  readonly visitor: Visitor
  readonly identity: Identity | undefined
  /** What the actor may do; `access.unauthenticated` for nobody. */
  door(): Door
  /** Gives the browser a session, or takes it away. */
  setSession(secret: string | undefined): void
  /** Keeps what binds the answer of a sign-in service to this browser, for as long as that may take. */
  bindProvider(bound: string): void
  /** Header values that this visit sets. */
  readonly cookies: readonly string[]
}

/** The cookie beside that of the session. */
const BOUND = '-provider'

export function visitOf(visitor: Visitor, access: Access, identity: Identity | undefined): Visit {
  const cookies: string[] = []
  const set = (suffix: string, value: string | undefined, life: string): void => {
    if (visitor.surroundings === undefined) throw new Failure('api.not-found', { detail: 'Sessions are for browsers.' })
    const { name, secure } = visitor.surroundings.cookie
    const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}${value === undefined ? '; Max-Age=0' : life}`
    cookies.push(`${name}${suffix}=${value ?? ''}; ${attributes}`)
  }
  return {
    visitor,
    identity,
    cookies,
    door() {
      if (visitor.actor === undefined) throw unauthenticated()
      return access.enter(visitor.actor)
    },
    setSession: (secret) => set('', secret, ''),
    bindProvider: (bound) => set(BOUND, bound, `; Max-Age=${limits.providerMs / 1000}`),
  }
}

/** Whoever can open the private socket, or runs the site in this very process. */
export function operatorAtTheMachine(actor: Actor): Visitor {
  return { actor, stillIs: async () => true }
}

interface Knowledge {
  readonly operator: Actor
  readonly identity: Identity | undefined
}

const BEARER = /^Bearer +([\w.~+/-]{1,512}=*)$/i

/**
 * A bearer token, else a session cookie. The start link's session is the operator only while nobody administers the site.
 * A header that proves nothing is refused and never passed over.
 */
export async function visitorOverLoopback(
  { operator, identity }: Knowledge,
  entrance: Extract<Entrance, { readonly kind: 'loopback' }>,
  request: LoopbackRequest & { readonly raw: IncomingMessage; readonly use: boolean },
): Promise<Visitor> {
  const { headers, port, raw, use } = request
  const host = headers['host']?.toLowerCase() ?? ''
  const surroundings: Surroundings = {
    origin: `http://${host}`,
    host: host.replace(/:\d+$/, ''),
    cookie: { name: cookieName(port), secure: false },
    address: raw.socket.remoteAddress ?? '',
    agent: headers['user-agent'] ?? '',
  }
  const { authorization } = headers
  if (authorization !== undefined) return bearer(identity, authorization, surroundings, use)
  const isOperator = (): boolean => identity?.hasAdministrator() !== true && entrance.loopback.holdsSession(request)
  if (isOperator()) return { actor: operator, surroundings, stillIs: async () => isOperator() }
  return bySession(identity, headers['cookie'], surroundings, use)
}

/** The prefix binds the cookie to this name, to HTTPS and to no other machine of the domain (RFC 6265bis, section 4.1.3.2). */
const OUTSIDE_COOKIE = '__Host-quorate'

/** A bearer token, else a session cookie: from outside nobody is the operator. */
export async function visitorFromOutside(
  { identity }: Pick<Knowledge, 'identity'>,
  entrance: PublicEntrance,
  request: { readonly headers: LoopbackRequest['headers']; readonly remoteAddress: string; readonly use: boolean },
): Promise<Visitor> {
  const { headers, use } = request
  const surroundings: Surroundings = {
    origin: entrance.origin,
    host: new URL(entrance.origin).hostname,
    cookie: { name: OUTSIDE_COOKIE, secure: true },
    address: entrance.clientAddress(request),
    agent: headers['user-agent'] ?? '',
  }
  const { authorization } = headers
  if (authorization !== undefined) return bearer(identity, authorization, surroundings, use)
  return bySession(identity, headers['cookie'], surroundings, use)
}

async function bySession(
  identity: Identity | undefined,
  cookies: string | undefined,
  surroundings: Surroundings,
  use: boolean,
): Promise<Visitor> {
  const session = cookieOf(cookies ?? '', surroundings.cookie.name)
  const bound = cookieOf(cookies ?? '', `${surroundings.cookie.name}${BOUND}`)
  if (session === undefined || identity === undefined) return { actor: undefined, session, bound, surroundings, stillIs: async () => true }
  const recognised = await identity.recognise('session', session, { use })
  return {
    actor: recognised?.person,
    session,
    bound,
    recognised,
    surroundings,
    stillIs: async () => recognised === undefined || (await identity.recognise('session', session, { use: false })) !== undefined,
  }
}

async function bearer(identity: Identity | undefined, authorization: string, surroundings: Surroundings, use: boolean): Promise<Visitor> {
  const token = BEARER.exec(authorization)?.[1]
  const recognised = token === undefined ? undefined : await identity?.recognise('token', token, { use })
  if (token === undefined || recognised === undefined) {
    // RFC 6750, section 3.1.
    throw new Refusal(
      'access.unauthenticated',
      { 'www-authenticate': 'Bearer realm="quorate", error="invalid_token"' },
      {
        detail: 'The token is unknown, expired or revoked.',
        next: 'Make a new token, and send it as: Authorization: Bearer qt_...',
      },
    )
  }
  return {
    actor: recognised.person,
    recognised,
    surroundings,
    stillIs: async () => (await identity?.recognise('token', token, { use: false })) !== undefined,
  }
}

/** RFC 9110, section 15.5.2 asks for a challenge; no browser opens a box of its own for these. */
export function unauthenticated(): Refusal {
  return new Refusal(
    'access.unauthenticated',
    { 'www-authenticate': 'Quorate, Bearer realm="quorate"' },
    { next: 'Sign in; at a site without people, open the link that the start of the site printed.' },
  )
}
