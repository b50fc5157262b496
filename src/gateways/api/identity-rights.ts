// Who may call which route about people. What is not named here is refused; a test walks through all of it.
import { Failure } from '#base'
import { identityRoutes, routes, type IdentityRoutes } from '#contract'
import { unauthenticated, type Visit } from './visitor.ts'

type Who =
  /** Nobody needs to be known: what leads to a session. */
  | 'anyone'
  /** A person in a browser, about themselves. */
  | 'person'
  /** The operator, or a person in a browser who is not a patient only. */
  | 'colleague'
  /** The operator, or an administrator in a browser. */
  | 'administrator'
  /** The operator at the machine. */
  | 'operator'

interface Right {
  readonly who: Who
  /** The sign-in must not be long ago: a stolen session must not make itself a way back in. */
  readonly fresh?: true
}

export const IDENTITY_RIGHTS: { readonly [N in keyof IdentityRoutes]: Right } = {
  me: { who: 'anyone' },
  passkeySignInOptions: { who: 'anyone' },
  passkeySignIn: { who: 'anyone' },
  passwordSignIn: { who: 'anyone' },
  providerBegin: { who: 'anyone' },
  providerSignIn: { who: 'anyone' },
  providerLogout: { who: 'anyone' },
  lookAtInvitation: { who: 'anyone' },
  invitationPasskeyOptions: { who: 'anyone' },
  acceptByPasskey: { who: 'anyone' },
  invitationTotp: { who: 'anyone' },
  acceptByPassword: { who: 'anyone' },

  signOut: { who: 'person' },
  credentials: { who: 'person' },
  passkeyOptions: { who: 'person', fresh: true },
  addPasskey: { who: 'person', fresh: true },
  removePasskey: { who: 'person', fresh: true },
  totpSetup: { who: 'person', fresh: true },
  setPassword: { who: 'person', fresh: true },
  removePassword: { who: 'person', fresh: true },
  makeSecret: { who: 'person', fresh: true },
  removeSecret: { who: 'person' },
  sessions: { who: 'person' },
  endSession: { who: 'person' },
  endSessions: { who: 'person' },

  directory: { who: 'colleague' },
  groups: { who: 'colleague' },

  people: { who: 'administrator' },
  invite: { who: 'administrator', fresh: true },
  renew: { who: 'administrator', fresh: true },
  changeRoles: { who: 'administrator', fresh: true },
  leave: { who: 'administrator', fresh: true },
  personCredentials: { who: 'administrator' },
  removePersonSecret: { who: 'administrator' },
  personSessions: { who: 'administrator' },
  endPersonSessions: { who: 'administrator' },
  makeGroup: { who: 'administrator', fresh: true },
  removeGroup: { who: 'administrator', fresh: true },
  addMember: { who: 'administrator', fresh: true },
  removeMember: { who: 'administrator', fresh: true },

  makePersonSecret: { who: 'operator' },
}

const OPEN = new Set([
  `${routes.openSession.method} ${routes.openSession.path}`,
  ...(Object.keys(identityRoutes) as (keyof IdentityRoutes)[])
    .filter((name) => IDENTITY_RIGHTS[name].who === 'anyone')
    .map((name) => `${identityRoutes[name].method} ${identityRoutes[name].path}`),
])

/** Whether a route, by its pattern, is for everybody. */
export function needsNobody(method: string, pattern: string | undefined): boolean {
  return OPEN.has(`${method === 'HEAD' ? 'GET' : method} ${pattern}`)
}

/** Throws `access.unauthenticated` for nobody, `access.denied` for the wrong one, `identity.fresh` for a sign-in that is long ago. */
export function assertMay(name: keyof IdentityRoutes, { visitor, identity }: Visit): void {
  const { who, fresh } = IDENTITY_RIGHTS[name]
  if (who === 'anyone') return
  const { actor, recognised } = visitor
  if (actor === undefined) throw unauthenticated()
  if (actor.kind === 'local') {
    if (who === 'person') throw denied('Whoever runs the site has no account of their own.', 'Invite yourself as a person first.')
    return
  }
  if (actor.means !== 'session' || recognised === undefined)
    throw denied('A token or key acts on files, never on how people sign in.', 'Do this in a browser, signed in.')
  if (who === 'operator') throw denied('Only the operator may do this, at the machine of the site.', 'Use the command line there.')
  if (who === 'administrator' && !actor.roles.includes('administrator'))
    throw denied('Only an administrator may do this.', 'Ask an administrator of the site.')
  if (who === 'colleague' && !actor.roles.some((role) => role !== 'patient'))
    throw denied('Your roles do not include this.', 'Ask an administrator of the site.')
  if (fresh === true) identity?.assertFresh(recognised)
}

function denied(detail: string, next: string): Failure {
  return new Failure('access.denied', { detail, next })
}
