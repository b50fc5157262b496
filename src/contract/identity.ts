// People of a site over the API: signing in, invitations, roles, groups, and what each of them signs in with.
import { z } from 'zod'
import { means, role, scope } from './people.ts'
import type { Route } from './routes.ts'
import { hexId, timestamp } from './schemas.ts'

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const name = z.string().min(1).max(400)
const account = z.string().min(1).max(400)
/** Of an invitation: it travels in the part of an address that browsers do not send, and in bodies. */
const invitationToken = z.string().min(20).max(100)
/** As WebAuthn says it in JSON; read by the library that knows it. */
const webAuthn = z.looseObject({})
const nothing = z.object({})

export const groupName = z.object({ id: hexId, name: z.string() })

/** Who asks. */
export const me = z.object({
  /** `operator`: whoever runs the site works alone, or came in by the private socket. */
  kind: z.enum(['nobody', 'operator', 'person']),
  person: z
    .object({ id: hexId, name: z.string(), account: z.string().nullable(), roles: z.array(role), groups: z.array(groupName) })
    .nullable(),
  means: means.nullable(),
  scope: scope.nullable(),
  /** When the session ends in any case. */
  expires: timestamp.nullable(),
  /** Whether anybody administers the site. Without one, whoever opens the start link does. */
  administered: z.boolean(),
  /** Whether passkeys work under the name by which the page was asked for. */
  passkeys: z.boolean(),
  /** The sign-in service of the house, where there is one. */
  provider: z.object({ name: z.string() }).nullable(),
})
export type Me = z.infer<typeof me>

export const personView = z.object({
  id: hexId,
  /** Null once the person has left. */
  account: z.string().nullable(),
  name: z.string(),
  mail: z.string().nullable(),
  state: z.enum(['invited', 'active', 'left']),
  roles: z.array(role),
  groups: z.array(hexId),
  created: timestamp,
  ended: timestamp.nullable(),
  passkeys: z.number().int(),
  password: z.boolean(),
  /** Tokens, app passwords and access keys. */
  secrets: z.number().int(),
  sessions: z.number().int(),
  /** Until when an open invitation can be used. */
  invited: timestamp.nullable(),
})
export type PersonView = z.infer<typeof personView>

export const group = z.object({ id: hexId, name: z.string(), created: timestamp, members: z.array(hexId) })
export type Group = z.infer<typeof group>

export const directory = z.object({ people: z.array(groupName), groups: z.array(groupName) })
export type Directory = z.infer<typeof directory>

export const inviteRequest = z.object({
  name,
  account,
  mail: z.string().max(254).optional(),
  roles: z.array(role).max(role.options.length),
})
export type InviteRequest = z.infer<typeof inviteRequest>

/** Answered once. Whoever has the token can become that person. */
export const invitation = z.object({ token: invitationToken, expires: timestamp })
export type Invitation = z.infer<typeof invitation>

export const invitationView = z.object({
  name: z.string(),
  account: z.string(),
  roles: z.array(role),
  /** For somebody who had a way to sign in already: what there was ends when the link is used. */
  renewal: z.boolean(),
  expires: timestamp,
})
export type InvitationView = z.infer<typeof invitationView>

export const totpSetup = z.object({
  /** Base32, for typing into an authenticator app. */
  secret: z.string(),
  /** `otpauth:` address for a QR code. */
  address: z.string(),
  /** Comes back with the first code. */
  setup: z.string(),
})
export type TotpSetup = z.infer<typeof totpSetup>

export const passwordRequest = z.object({
  password: z.string().max(1000),
  setup: z.string().max(2000),
  /** The first code of the authenticator app. */
  code: z.string().max(20),
})
export type PasswordRequest = z.infer<typeof passwordRequest>

export const recoveryCodes = z.object({ recoveryCodes: z.array(z.string()) })

export const credentials = z.object({
  passkeys: z.array(
    z.object({
      id: hexId,
      name: z.string(),
      /** The host name under which it works. */
      site: z.string(),
      /** Its maker keeps copies on other devices. */
      copied: z.boolean(),
      created: timestamp,
      used: day.nullable(),
    }),
  ),
  password: z.object({ created: timestamp, used: day.nullable(), recoveryCodes: z.number().int() }).nullable(),
  /** Providers of single sign-on by which the person comes in. */
  providers: z.array(z.object({ issuer: z.string(), created: timestamp, used: day.nullable() })),
  secrets: z.array(
    z.object({
      id: hexId,
      means,
      name: z.string(),
      scope,
      created: timestamp,
      expires: timestamp.nullable(),
      expired: z.boolean(),
      used: day.nullable(),
      /** The public name of an access key. */
      accessKey: z.string().nullable(),
    }),
  ),
})
export type Credentials = z.infer<typeof credentials>

export const secretRequest = z.object({
  means: z.enum(['token', 'app-password', 'access-key']),
  name,
  scope,
  /** Days until it ends; null is never. */
  days: z.number().int().min(1).max(3653).nullable(),
})
export type SecretRequest = z.infer<typeof secretRequest>

/** Answered once. */
export const madeSecret = z.object({
  id: hexId,
  means,
  secret: z.string(),
  accessKey: z.string().nullable(),
  expires: timestamp.nullable(),
})
export type MadeSecret = z.infer<typeof madeSecret>

export const sessionView = z.object({
  id: hexId,
  created: timestamp,
  seen: timestamp,
  expires: timestamp,
  /** What the browser calls itself. */
  agent: z.string(),
  /** The one that asks. */
  present: z.boolean(),
})
export type SessionView = z.infer<typeof sessionView>

const sessions = z.object({ sessions: z.array(sessionView) })

export const identityRoutes = {
  me: { method: 'GET', path: '/api/v1/session', answer: me, status: 200, summary: 'Who asks, and whether anybody administers the site' },
  signOut: { method: 'DELETE', path: '/api/v1/session', answer: nothing, status: 200, summary: 'End the session that asks' },
  passkeySignInOptions: {
    method: 'POST',
    path: '/api/v1/sign-in/passkey/options',
    body: nothing,
    answer: z.object({ options: webAuthn }),
    status: 200,
    summary: 'What a browser needs to sign in with a passkey',
  },
  passkeySignIn: {
    method: 'POST',
    path: '/api/v1/sign-in/passkey',
    body: z.object({ response: webAuthn }),
    answer: nothing,
    status: 200,
    summary: 'Sign in with a passkey; the answer sets the session cookie',
  },
  passwordSignIn: {
    method: 'POST',
    path: '/api/v1/sign-in/password',
    body: z.object({ account: z.string().max(400), password: z.string().max(1000), code: z.string().max(100) }),
    answer: nothing,
    status: 200,
    summary: 'Sign in with password and the code of an authenticator app, or a recovery code',
  },
  providerBegin: {
    method: 'POST',
    path: '/api/v1/sign-in/provider/begin',
    body: z.object({ token: invitationToken.optional() }),
    answer: z.object({ address: z.string() }),
    status: 200,
    summary:
      'Where to go to sign in by the sign-in service of the house, or to accept an invitation by it; sets a cookie that binds the answer to this browser',
  },
  providerSignIn: {
    method: 'POST',
    path: '/api/v1/sign-in/provider',
    body: z.object({ query: z.string().max(8000) }),
    answer: nothing,
    status: 200,
    summary: 'Sign in with what the service put behind ? in the address of the page; the answer sets the session cookie',
  },
  providerLogout: {
    method: 'POST',
    path: '/api/v1/sign-in/provider/logout',
    answer: nothing,
    status: 200,
    summary: 'For the sign-in service: a logout token as a form (OpenID Connect Back-Channel Logout 1.0); sessions of its person end',
  },
  lookAtInvitation: {
    method: 'POST',
    path: '/api/v1/invitations/look',
    body: z.object({ token: invitationToken }),
    answer: invitationView,
    status: 200,
    summary: 'For whom an invitation is',
  },
  invitationPasskeyOptions: {
    method: 'POST',
    path: '/api/v1/invitations/passkey/options',
    body: z.object({ token: invitationToken }),
    answer: z.object({ options: webAuthn }),
    status: 200,
    summary: 'What a browser needs to make the passkey of an invited person',
  },
  acceptByPasskey: {
    method: 'POST',
    path: '/api/v1/invitations/passkey',
    body: z.object({ token: invitationToken, response: webAuthn, name }),
    answer: nothing,
    status: 200,
    summary: 'Accept an invitation with a new passkey; the answer sets the session cookie',
  },
  invitationTotp: {
    method: 'POST',
    path: '/api/v1/invitations/totp',
    body: z.object({ token: invitationToken }),
    answer: totpSetup,
    status: 200,
    summary: 'A new secret for the authenticator app of an invited person',
  },
  acceptByPassword: {
    method: 'POST',
    path: '/api/v1/invitations/password',
    body: passwordRequest.extend({ token: invitationToken }),
    answer: recoveryCodes,
    status: 200,
    summary: 'Accept an invitation with a password and an authenticator app; the answer sets the session cookie',
  },

  directory: {
    method: 'GET',
    path: '/api/v1/directory',
    answer: directory,
    status: 200,
    summary: 'Names of people and groups, to grant something to',
  },
  people: {
    method: 'GET',
    path: '/api/v1/people',
    answer: z.object({ people: z.array(personView) }),
    status: 200,
    summary: 'Everybody whom the site knows, also those who have left',
  },
  invite: {
    method: 'POST',
    path: '/api/v1/people',
    body: inviteRequest,
    answer: z.object({ person: personView, invitation }),
    status: 201,
    summary: 'Add a person and make the one-time link with which they come in; it is shown once and holds for 7 days',
  },
  renew: {
    method: 'POST',
    path: '/api/v1/people/:id/invitation',
    body: nothing,
    answer: invitation,
    status: 201,
    summary: 'Another link for somebody who has not come, or who lost what they sign in with',
  },
  changeRoles: {
    method: 'PUT',
    path: '/api/v1/people/:id/roles',
    body: z.object({ roles: z.array(role).max(role.options.length) }),
    answer: personView,
    status: 200,
    summary: 'Set the roles of a person',
  },
  leave: {
    method: 'POST',
    path: '/api/v1/people/:id/leave',
    body: nothing,
    answer: personView,
    status: 200,
    summary: 'A person leaves: sessions, passkeys, password, tokens, keys, groups and roles end at once',
  },
  personCredentials: {
    method: 'GET',
    path: '/api/v1/people/:id/credentials',
    answer: credentials,
    status: 200,
    summary: 'With what a person signs in, and their tokens and keys',
  },
  makePersonSecret: {
    method: 'POST',
    path: '/api/v1/people/:id/secrets',
    body: secretRequest,
    answer: madeSecret,
    status: 201,
    summary: 'Make a token or key for a person, by the operator at the machine only',
  },
  removePersonSecret: {
    method: 'DELETE',
    path: '/api/v1/people/:id/secrets/:secret',
    answer: credentials,
    status: 200,
    summary: 'Revoke a token or key of a person',
  },
  personSessions: {
    method: 'GET',
    path: '/api/v1/people/:id/sessions',
    answer: sessions,
    status: 200,
    summary: 'Where a person is signed in',
  },
  endPersonSessions: {
    method: 'DELETE',
    path: '/api/v1/people/:id/sessions',
    answer: z.object({ ended: z.number().int() }),
    status: 200,
    summary: 'Sign a person out everywhere',
  },
  groups: {
    method: 'GET',
    path: '/api/v1/groups',
    answer: z.object({ groups: z.array(group) }),
    status: 200,
    summary: 'Groups and who is in them',
  },
  makeGroup: { method: 'POST', path: '/api/v1/groups', body: z.object({ name }), answer: group, status: 201, summary: 'Make a group' },
  removeGroup: {
    method: 'DELETE',
    path: '/api/v1/groups/:id',
    answer: nothing,
    status: 200,
    summary: 'Remove a group; what was granted to it is granted to nobody then',
  },
  addMember: {
    method: 'PUT',
    path: '/api/v1/groups/:id/members/:person',
    body: nothing,
    answer: group,
    status: 200,
    summary: 'Put a person into a group',
  },
  removeMember: {
    method: 'DELETE',
    path: '/api/v1/groups/:id/members/:person',
    answer: group,
    status: 200,
    summary: 'Take a person out of a group',
  },

  credentials: {
    method: 'GET',
    path: '/api/v1/me/credentials',
    answer: credentials,
    status: 200,
    summary: 'With what the caller signs in, and their tokens and keys',
  },
  passkeyOptions: {
    method: 'POST',
    path: '/api/v1/me/passkeys/options',
    body: nothing,
    answer: z.object({ options: webAuthn }),
    status: 200,
    summary: 'What a browser needs to make another passkey',
  },
  addPasskey: {
    method: 'POST',
    path: '/api/v1/me/passkeys',
    body: z.object({ response: webAuthn, name }),
    answer: credentials,
    status: 201,
    summary: 'Add a passkey',
  },
  removePasskey: {
    method: 'DELETE',
    path: '/api/v1/me/passkeys/:id',
    answer: credentials,
    status: 200,
    summary: 'Remove a passkey; the last way to sign in stays',
  },
  totpSetup: {
    method: 'POST',
    path: '/api/v1/me/password/setup',
    body: nothing,
    answer: totpSetup,
    status: 200,
    summary: 'A new secret for an authenticator app',
  },
  setPassword: {
    method: 'PUT',
    path: '/api/v1/me/password',
    body: passwordRequest,
    answer: recoveryCodes,
    status: 200,
    summary: 'Set or replace password, authenticator app and recovery codes; other sessions end',
  },
  removePassword: {
    method: 'DELETE',
    path: '/api/v1/me/password',
    answer: credentials,
    status: 200,
    summary: 'Remove password, authenticator app and recovery codes; the last way to sign in stays',
  },
  makeSecret: {
    method: 'POST',
    path: '/api/v1/me/secrets',
    body: secretRequest,
    answer: madeSecret,
    status: 201,
    summary: 'Make a token, an app password or an access key; it is shown once',
  },
  removeSecret: {
    method: 'DELETE',
    path: '/api/v1/me/secrets/:id',
    answer: credentials,
    status: 200,
    summary: 'Revoke a token, an app password or an access key',
  },
  sessions: { method: 'GET', path: '/api/v1/me/sessions', answer: sessions, status: 200, summary: 'Where the caller is signed in' },
  endSession: {
    method: 'DELETE',
    path: '/api/v1/me/sessions/:id',
    answer: z.object({ ended: z.number().int() }),
    status: 200,
    summary: 'Sign one browser of the caller out',
  },
  endSessions: {
    method: 'DELETE',
    path: '/api/v1/me/sessions',
    answer: z.object({ ended: z.number().int() }),
    status: 200,
    summary: 'Sign the caller out everywhere, here too',
  },
} as const satisfies Record<string, Route>

export type IdentityRoutes = typeof identityRoutes
