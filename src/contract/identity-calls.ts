// Calls of the client about people.
import type { z } from 'zod'
import type { CallOptions } from './client.ts'
import {
  identityRoutes as r,
  type Credentials,
  type Directory,
  type Group,
  type Invitation,
  type InvitationView,
  type InviteRequest,
  type IdentityRoutes,
  type MadeSecret,
  type Me,
  type PasswordRequest,
  type PersonView,
  type SecretRequest,
  type SessionView,
  type TotpSetup,
} from './identity.ts'
import type { Role } from './people.ts'
import type { Route } from './routes.ts'

type WebAuthn = z.infer<IdentityRoutes['passkeyOptions']['answer']>['options']

export interface IdentityCalls {
  me(options?: CallOptions): Promise<Me>
  signOut(options?: CallOptions): Promise<object>
  passkeySignInOptions(options?: CallOptions): Promise<{ options: WebAuthn }>
  passkeySignIn(body: { response: object }, options?: CallOptions): Promise<object>
  passwordSignIn(body: { account: string; password: string; code: string }, options?: CallOptions): Promise<object>
  providerBegin(body: { token?: string }, options?: CallOptions): Promise<{ address: string }>
  providerSignIn(body: { query: string }, options?: CallOptions): Promise<object>
  lookAtInvitation(body: { token: string }, options?: CallOptions): Promise<InvitationView>
  invitationPasskeyOptions(body: { token: string }, options?: CallOptions): Promise<{ options: WebAuthn }>
  acceptByPasskey(body: { token: string; response: object; name: string }, options?: CallOptions): Promise<object>
  invitationTotp(body: { token: string }, options?: CallOptions): Promise<TotpSetup>
  acceptByPassword(body: PasswordRequest & { token: string }, options?: CallOptions): Promise<{ recoveryCodes: string[] }>
  directory(options?: CallOptions): Promise<Directory>
  people(options?: CallOptions): Promise<{ people: PersonView[] }>
  invite(body: InviteRequest, options?: CallOptions): Promise<{ person: PersonView; invitation: Invitation }>
  renew(id: string, options?: CallOptions): Promise<Invitation>
  changeRoles(id: string, body: { roles: readonly Role[] }, options?: CallOptions): Promise<PersonView>
  leave(id: string, options?: CallOptions): Promise<PersonView>
  personCredentials(id: string, options?: CallOptions): Promise<Credentials>
  makePersonSecret(id: string, body: SecretRequest, options?: CallOptions): Promise<MadeSecret>
  removePersonSecret(id: string, secret: string, options?: CallOptions): Promise<Credentials>
  personSessions(id: string, options?: CallOptions): Promise<{ sessions: SessionView[] }>
  endPersonSessions(id: string, options?: CallOptions): Promise<{ ended: number }>
  groups(options?: CallOptions): Promise<{ groups: Group[] }>
  makeGroup(body: { name: string }, options?: CallOptions): Promise<Group>
  removeGroup(id: string, options?: CallOptions): Promise<object>
  addMember(id: string, person: string, options?: CallOptions): Promise<Group>
  removeMember(id: string, person: string, options?: CallOptions): Promise<Group>
  credentials(options?: CallOptions): Promise<Credentials>
  passkeyOptions(options?: CallOptions): Promise<{ options: WebAuthn }>
  addPasskey(body: { response: object; name: string }, options?: CallOptions): Promise<Credentials>
  removePasskey(id: string, options?: CallOptions): Promise<Credentials>
  totpSetup(options?: CallOptions): Promise<TotpSetup>
  setPassword(body: PasswordRequest, options?: CallOptions): Promise<{ recoveryCodes: string[] }>
  removePassword(options?: CallOptions): Promise<Credentials>
  makeSecret(body: SecretRequest, options?: CallOptions): Promise<MadeSecret>
  removeSecret(id: string, options?: CallOptions): Promise<Credentials>
  sessions(options?: CallOptions): Promise<{ sessions: SessionView[] }>
  endSession(id: string, options?: CallOptions): Promise<{ ended: number }>
  endSessions(options?: CallOptions): Promise<{ ended: number }>
}

type Call = (
  route: Route,
  input: { query?: object; body?: unknown; params?: Record<string, string> },
  options?: CallOptions,
) => Promise<never>

export function identityCalls(call: Call): IdentityCalls {
  return {
    me: (options) => call(r.me, {}, options),
    signOut: (options) => call(r.signOut, {}, options),
    passkeySignInOptions: (options) => call(r.passkeySignInOptions, { body: {} }, options),
    passkeySignIn: (body, options) => call(r.passkeySignIn, { body }, options),
    passwordSignIn: (body, options) => call(r.passwordSignIn, { body }, options),
    providerBegin: (body, options) => call(r.providerBegin, { body }, options),
    providerSignIn: (body, options) => call(r.providerSignIn, { body }, options),
    lookAtInvitation: (body, options) => call(r.lookAtInvitation, { body }, options),
    invitationPasskeyOptions: (body, options) => call(r.invitationPasskeyOptions, { body }, options),
    acceptByPasskey: (body, options) => call(r.acceptByPasskey, { body }, options),
    invitationTotp: (body, options) => call(r.invitationTotp, { body }, options),
    acceptByPassword: (body, options) => call(r.acceptByPassword, { body }, options),
    directory: (options) => call(r.directory, {}, options),
    people: (options) => call(r.people, {}, options),
    invite: (body, options) => call(r.invite, { body }, options),
    renew: (id, options) => call(r.renew, { params: { id }, body: {} }, options),
    changeRoles: (id, body, options) => call(r.changeRoles, { params: { id }, body }, options),
    leave: (id, options) => call(r.leave, { params: { id }, body: {} }, options),
    personCredentials: (id, options) => call(r.personCredentials, { params: { id } }, options),
    makePersonSecret: (id, body, options) => call(r.makePersonSecret, { params: { id }, body }, options),
    removePersonSecret: (id, secret, options) => call(r.removePersonSecret, { params: { id, secret } }, options),
    personSessions: (id, options) => call(r.personSessions, { params: { id } }, options),
    endPersonSessions: (id, options) => call(r.endPersonSessions, { params: { id } }, options),
    groups: (options) => call(r.groups, {}, options),
    makeGroup: (body, options) => call(r.makeGroup, { body }, options),
    removeGroup: (id, options) => call(r.removeGroup, { params: { id } }, options),
    addMember: (id, person, options) => call(r.addMember, { params: { id, person }, body: {} }, options),
    removeMember: (id, person, options) => call(r.removeMember, { params: { id, person } }, options),
    credentials: (options) => call(r.credentials, {}, options),
    passkeyOptions: (options) => call(r.passkeyOptions, { body: {} }, options),
    addPasskey: (body, options) => call(r.addPasskey, { body }, options),
    removePasskey: (id, options) => call(r.removePasskey, { params: { id } }, options),
    totpSetup: (options) => call(r.totpSetup, { body: {} }, options),
    setPassword: (body, options) => call(r.setPassword, { body }, options),
    removePassword: (options) => call(r.removePassword, {}, options),
    makeSecret: (body, options) => call(r.makeSecret, { body }, options),
    removeSecret: (id, options) => call(r.removeSecret, { params: { id } }, options),
    sessions: (options) => call(r.sessions, {}, options),
    endSession: (id, options) => call(r.endSession, { params: { id } }, options),
    endSessions: (options) => call(r.endSessions, {}, options),
  }
}
