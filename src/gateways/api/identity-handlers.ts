// One line for each route about people: how the call of the contract becomes a call of identity.
import { Failure, rfc3339 } from '#base'
import { identityRoutes, type IdentityRoutes, type Me } from '#contract'
import { TooManyAttempts, type Arrival, type Identity, type IdentityActor, type OpenedSession, type PasskeySite } from '#identity'
import { Refusal, type ApiRequest } from './answer.ts'
import { readText } from './body.ts'
import type { AnswerOf, BodyOf } from './handlers.ts'
import type { Surroundings, Visit } from './visitor.ts'

interface Call<N extends keyof IdentityRoutes> {
  readonly visit: Visit
  readonly request: ApiRequest
  readonly params: Readonly<Record<string, string>>
  readonly body: BodyOf<N>
  readonly identity: Identity
}

type Handlers = { readonly [N in keyof IdentityRoutes]: (call: Call<N>) => Promise<AnswerOf<N>> }

export function isIdentityRoute(name: string): name is keyof IdentityRoutes {
  return name in identityRoutes
}

/** The answer of a route about people, not yet checked by the contract. */
export async function identityAnswer(name: keyof IdentityRoutes, call: object & { readonly visit: Visit }): Promise<unknown> {
  const { identity } = call.visit
  if (identity === undefined) {
    if (name === 'me') return meWithoutPeople(call.visit)
    throw new Failure('api.not-found')
  }
  try {
    return await HANDLERS[name]({ ...call, identity } as never)
  } catch (error) {
    if (!(error instanceof TooManyAttempts)) throw error
    throw new Refusal(
      error.code,
      { 'retry-after': String(Math.ceil(error.waitMs / 1000)) },
      { detail: error.message, ...(error.next === undefined ? {} : { next: error.next }) },
    )
  }
}

const HANDLERS: Handlers = {
  me: ({ visit, identity }) => whoAsks(visit, identity),
  signOut: async ({ visit, identity }) => {
    if (visit.visitor.session !== undefined) await identity.signOut(by(visit), visit.visitor.session)
    visit.setSession(undefined)
    return {}
  },
  passkeySignInOptions: async ({ visit, identity }) => ({ options: loose(await identity.passkeySignInOptions(site(visit))) }),
  passkeySignIn: async ({ visit, identity, body }) =>
    entered(visit, await identity.byPasskey({ site: site(visit), response: body.response, ...arrival(visit) })),
  passwordSignIn: async ({ visit, identity, body }) => entered(visit, await identity.byPassword({ ...body, ...arrival(visit) })),
  providerBegin: async ({ visit, identity, body }) => {
    const { address, bound } = await identity.providerBegin({ origin: site(visit).origin, invitation: body.token })
    visit.bindProvider(bound)
    return { address }
  },
  providerSignIn: async ({ visit, identity, body }) => {
    const { origin } = site(visit)
    const opened = await identity.byProvider({ origin, query: body.query, bound: visit.visitor.bound ?? '', ...arrival(visit) })
    return entered(visit, opened)
  },
  providerLogout: async ({ identity, request }) => {
    await identity.endByProvider(await formField(request, 'logout_token'))
    return {}
  },
  lookAtInvitation: ({ identity, body }) => identity.lookAtInvitation(body.token),
  invitationPasskeyOptions: async ({ visit, identity, body }) => ({
    options: loose(await identity.invitationPasskeyOptions({ token: body.token, site: site(visit) })),
  }),
  acceptByPasskey: async ({ visit, identity, body }) =>
    entered(visit, await identity.acceptByPasskey({ ...body, site: site(visit), ...arrival(visit) })),
  invitationTotp: ({ visit, identity, body }) => identity.invitationTotp({ token: body.token, site: site(visit) }),
  acceptByPassword: async ({ visit, identity, body }) => {
    const { opened, recoveryCodes } = await identity.acceptByPassword({ ...body, ...arrival(visit) })
    visit.setSession(opened.secret)
    return { recoveryCodes: [...recoveryCodes] }
  },

  directory: ({ identity }) => identity.directory(),
  people: async ({ identity }) => ({ people: await identity.people() }),
  invite: ({ visit, identity, body }) => identity.invite(by(visit), body),
  renew: ({ visit, identity, params }) => identity.renew(by(visit), id(params)),
  changeRoles: ({ visit, identity, params, body }) => identity.changeRoles(by(visit), id(params), body.roles),
  leave: ({ visit, identity, params }) => identity.leave(by(visit), id(params)),
  personCredentials: ({ identity, params }) => identity.credentials(id(params)),
  makePersonSecret: ({ visit, identity, params, body }) => identity.makeSecret(by(visit), id(params), body),
  removePersonSecret: ({ visit, identity, params }) => identity.removeSecret(by(visit), { person: id(params), id: id(params, 'secret') }),
  personSessions: async ({ identity, params }) => ({ sessions: await identity.sessions(id(params)) }),
  endPersonSessions: async ({ visit, identity, params }) => ({ ended: await identity.endSessions(by(visit), { person: id(params) }) }),
  groups: async ({ identity }) => ({ groups: await identity.groups() }),
  makeGroup: ({ visit, identity, body }) => identity.makeGroup(by(visit), body.name),
  removeGroup: async ({ visit, identity, params }) => {
    await identity.removeGroup(by(visit), id(params))
    return {}
  },
  addMember: ({ visit, identity, params }) =>
    identity.setMember(by(visit), { group: id(params), person: id(params, 'person'), member: true }),
  removeMember: ({ visit, identity, params }) =>
    identity.setMember(by(visit), { group: id(params), person: id(params, 'person'), member: false }),

  credentials: ({ visit, identity }) => identity.credentials(self(visit)),
  passkeyOptions: async ({ visit, identity }) => ({ options: loose(await identity.passkeyOptions(self(visit), site(visit))) }),
  addPasskey: ({ visit, identity, body }) => identity.addPasskey(by(visit), { ...body, person: self(visit), site: site(visit) }),
  removePasskey: ({ visit, identity, params }) => identity.removeSignIn(by(visit), { person: self(visit), passkey: id(params) }),
  totpSetup: ({ visit, identity }) => identity.totpSetup({ person: self(visit), site: site(visit) }),
  setPassword: async ({ visit, identity, body }) => ({
    recoveryCodes: [...(await identity.setPassword(by(visit), { ...body, person: self(visit), session: visit.visitor.recognised?.id }))],
  }),
  removePassword: ({ visit, identity }) => identity.removeSignIn(by(visit), { person: self(visit), password: true }),
  makeSecret: ({ visit, identity, body }) => identity.makeSecret(by(visit), self(visit), body),
  removeSecret: ({ visit, identity, params }) => identity.removeSecret(by(visit), { person: self(visit), id: id(params) }),
  sessions: async ({ visit, identity }) => ({ sessions: await identity.sessions(self(visit), visit.visitor.recognised?.id) }),
  endSession: async ({ visit, identity, params }) => ({
    ended: await identity.endSessions(by(visit), { person: self(visit), id: id(params) }),
  }),
  endSessions: async ({ visit, identity }) => {
    const ended = await identity.endSessions(by(visit), { person: self(visit) })
    visit.setSession(undefined)
    return { ended }
  },
}

/** Passkeys do not work under an address of numbers (WebAuthn, 5.1.2: a domain). */
function passkeysWork(surroundings: Surroundings | undefined): boolean {
  return surroundings !== undefined && /[a-z]/.test(surroundings.host) && !surroundings.host.includes('[')
}

function meWithoutPeople({ visitor }: Visit): Me {
  const kind = visitor.actor === undefined ? 'nobody' : 'operator'
  return {
    kind,
    person: null,
    means: null,
    scope: null,
    expires: null,
    administered: false,
    passkeys: passkeysWork(visitor.surroundings),
    provider: null,
  }
}

async function whoAsks(visit: Visit, identity: Identity): Promise<Me> {
  const { actor, recognised, surroundings } = visit.visitor
  const administered = identity.hasAdministrator()
  const provider = identity.providerName === undefined ? null : { name: identity.providerName }
  if (actor?.kind !== 'person' || recognised === undefined) return { ...meWithoutPeople(visit), administered, provider }
  const { groups } = await identity.directory()
  return {
    kind: 'person',
    person: {
      id: actor.id,
      name: actor.name,
      account: recognised.account,
      roles: [...actor.roles],
      groups: groups.filter(({ id }) => actor.groups.includes(id)),
    },
    means: actor.means,
    scope: actor.scope ?? null,
    expires: recognised.expires === undefined ? null : rfc3339(recognised.expires),
    administered,
    passkeys: passkeysWork(surroundings),
    provider,
  }
}

function entered(visit: Visit, opened: OpenedSession): Record<string, never> {
  visit.setSession(opened.secret)
  return {}
}

function by({ visitor: { actor } }: Visit): IdentityActor {
  if (actor === undefined) return { kind: 'nobody' }
  return actor.kind === 'local' ? { kind: 'local', name: actor.name } : { kind: 'person', id: actor.id, name: actor.name }
}

function self({ visitor: { actor } }: Visit): string {
  if (actor?.kind !== 'person') throw new Failure('access.denied')
  return actor.id
}

function id(params: Readonly<Record<string, string>>, name = 'id'): string {
  const given = params[name] ?? ''
  if (!/^[0-9a-f]{32}$/.test(given)) throw new Failure('identity.absent')
  return given
}

function arrival({ visitor: { surroundings, session } }: Visit): Arrival {
  const { address, agent } = present(surroundings)
  return { address, agent, before: session }
}

function site({ visitor: { surroundings } }: Visit): PasskeySite {
  const { origin, host } = present(surroundings)
  return { origin, host }
}

/** Over the socket and in the same process nobody signs in. */
function present(surroundings: Surroundings | undefined): Surroundings {
  if (surroundings === undefined) throw new Failure('api.not-found', { detail: 'Signing in is for browsers.' })
  return surroundings
}

function loose(options: object): Record<string, unknown> {
  return options as Record<string, unknown>
}

/** One field of a form, as providers send it. */
async function formField(request: ApiRequest, name: string): Promise<string> {
  const type = request.headers['content-type'] ?? ''
  const value = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)
    ? new URLSearchParams(await readText(request.body)).get(name)
    : null
  if (value === null) throw new Failure('api.body', { detail: `The body must be a form with ${name}.` })
  return value
}
