// The face of the room: who people are, how they prove it, and what they carry. It decides nothing about files.
import { join } from 'node:path'
import { Failure, limits, systemClock, type Clock } from '#base'
import type {
  Credentials,
  Directory,
  Group,
  Invitation,
  InvitationView,
  InviteRequest,
  MadeSecret,
  PasswordRequest,
  PersonView,
  Role,
  SecretRequest,
  SessionView,
  TotpSetup,
} from '#contract'
import type { Database } from '#database'
import { createAttempts } from './attempts.ts'
import { countAdministrators, type Core, type SessionSettings } from './core.ts'
import * as credentials from './credentials.ts'
import type { IdentityActor, IdentityEvents } from './events.ts'
import * as invitations from './invitations.ts'
import { createPasskeys, type PasskeySite } from './passkeys.ts'
import { createPasswords } from './password.ts'
import * as people from './people.ts'
import { byProvider, endByProvider } from './external.ts'
import { createProvider, type ProviderSettings } from './provider.ts'
import { createRecognition, type Recognised, type Recognition } from './recognition.ts'
import { createSealing } from './sealing.ts'
import * as sessions from './sessions.ts'
import type { Arrival, OpenedSession } from './sessions.ts'
import { createSignIns, type SignIns } from './sign-in.ts'
import type { IdentityTables } from './tables.ts'

export { TooManyAttempts } from './attempts.ts'
export type { IdentityActor, IdentityEvent, IdentityEvents, IdentityEventKind } from './events.ts'
export { nameOfPerson } from './name-of-person.ts'
export type { ProviderSettings } from './provider.ts'
export type { PasskeySite } from './passkeys.ts'
export type { Person, Recognised } from './recognition.ts'
export type { Arrival, OpenedSession } from './sessions.ts'
export type { SessionSettings } from './core.ts'
export { identityMigrations, type IdentityTables } from './tables.ts'

export interface IdentityOptions {
  readonly database: Database<IdentityTables>
  /** Folder for the key file. */
  readonly home: string
  readonly events: IdentityEvents
  readonly clock?: Clock | undefined
  readonly settings?: Partial<SessionSettings> | undefined
  /** Single sign-on by the house. */
  readonly provider?: ProviderSettings | undefined
}

/** Answers of WebAuthn are handed on as they are. */
type PasskeyOptions = object

export interface Identity extends Omit<Recognition, 'forget'>, Pick<SignIns, 'byPasskey' | 'byPassword'> {
  /** Whether anybody administers the site: then the start link makes nobody operator. */
  hasAdministrator(): boolean
  /** Called after every change, when it is durable. Answers the function that ends it. */
  onChange(listener: () => void): () => void
  /** Throws `identity.fresh` when the sign-in is too long ago for what changes how one signs in. */
  assertFresh(recognised: Recognised): void

  /** The name of the sign-in service of the house, where there is one. */
  readonly providerName: string | undefined
  /** Throws `identity.provider` where there is none, or it does not answer. */
  providerBegin(request: {
    readonly origin: string
    readonly invitation: string | undefined
  }): Promise<{ readonly address: string; readonly bound: string }>
  byProvider(request: { readonly origin: string; readonly query: string; readonly bound: string } & Arrival): Promise<OpenedSession>
  /** A logout token of the provider (back-channel): the sessions of its person end. */
  endByProvider(token: string): Promise<void>
  passkeySignInOptions(site: PasskeySite): Promise<PasskeyOptions>
  lookAtInvitation(token: string): Promise<InvitationView>
  invitationPasskeyOptions(request: { readonly token: string; readonly site: PasskeySite }): Promise<PasskeyOptions>
  acceptByPasskey(
    request: { readonly token: string; readonly site: PasskeySite; readonly response: unknown; readonly name: string } & Arrival,
  ): Promise<OpenedSession>
  invitationTotp(request: { readonly token: string; readonly site: PasskeySite }): Promise<TotpSetup>
  acceptByPassword(
    request: { readonly token: string } & PasswordRequest & Arrival,
  ): Promise<{ readonly opened: OpenedSession; readonly recoveryCodes: readonly string[] }>

  people(): Promise<PersonView[]>
  directory(): Promise<Directory>
  invite(actor: IdentityActor, request: InviteRequest): Promise<{ readonly person: PersonView; readonly invitation: Invitation }>
  renew(actor: IdentityActor, person: string): Promise<Invitation>
  changeRoles(actor: IdentityActor, person: string, roles: readonly Role[]): Promise<PersonView>
  leave(actor: IdentityActor, person: string): Promise<PersonView>
  groups(): Promise<Group[]>
  makeGroup(actor: IdentityActor, name: string): Promise<Group>
  removeGroup(actor: IdentityActor, group: string): Promise<void>
  setMember(actor: IdentityActor, request: { readonly group: string; readonly person: string; readonly member: boolean }): Promise<Group>

  credentials(person: string): Promise<Credentials>
  passkeyOptions(person: string, site: PasskeySite): Promise<PasskeyOptions>
  addPasskey(
    actor: IdentityActor,
    request: { readonly person: string; readonly site: PasskeySite; readonly response: unknown; readonly name: string },
  ): Promise<Credentials>
  totpSetup(request: { readonly person: string; readonly site: PasskeySite }): Promise<TotpSetup>
  /** Answers new recovery codes. Every other session of the person ends. */
  setPassword(
    actor: IdentityActor,
    request: PasswordRequest & { readonly person: string; readonly session: string | undefined },
  ): Promise<readonly string[]>
  removeSignIn(
    actor: IdentityActor,
    request: { readonly person: string; readonly passkey: string } | { readonly person: string; readonly password: true },
  ): Promise<Credentials>
  makeSecret(actor: IdentityActor, person: string, request: SecretRequest): Promise<MadeSecret>
  removeSecret(actor: IdentityActor, request: { readonly person: string; readonly id: string }): Promise<Credentials>

  sessions(person: string, present?: string): Promise<SessionView[]>
  signOut(actor: IdentityActor, secret: string): Promise<void>
  endSessions(actor: IdentityActor, request: { readonly person: string; readonly id?: string }): Promise<number>
}

const DEFAULTS: SessionSettings = { idleMs: limits.sessionIdleMs, absoluteMs: limits.sessionAbsoluteMs, freshMs: limits.sessionFreshMs }

export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const clock = options.clock ?? systemClock
  const parts: Omit<Core, 'changed'> = {
    db: options.database,
    clock,
    events: options.events,
    sealing: createSealing(join(options.home, 'identity.key')),
    passwords: createPasswords(),
    passkeys: createPasskeys(clock),
    attempts: createAttempts(clock),
    settings: { ...DEFAULTS, ...options.settings },
  }
  const recognition = createRecognition(parts)
  const listeners = new Set<() => void>()
  let administrators = await countAdministrators(options.database.kysely)
  const core: Core = {
    ...parts,
    changed(counted) {
      administrators = counted
      recognition.forget()
      for (const listener of listeners) listener()
    },
  }
  const signIns = createSignIns(core)
  const provider = options.provider === undefined ? undefined : createProvider(options.provider, clock)
  const present = (): NonNullable<typeof provider> => {
    if (provider !== undefined) return provider
    throw new Failure('identity.provider', { detail: 'This site has no sign-in service of the house.', next: 'Sign in with a passkey.' })
  }
  return {
    ...recognition,
    ...signIns,
    hasAdministrator: () => administrators > 0,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    assertFresh(recognised) {
      if (clock.now() - recognised.since <= core.settings.freshMs) return
      throw new Failure('identity.fresh', {
        detail: 'This changes how somebody signs in, and your own sign-in is some time ago.',
        next: 'Sign in once more, then do it again.',
      })
    },
    providerName: provider?.settings.name,
    providerBegin: async ({ origin, invitation }) => {
      if (invitation !== undefined) await invitations.lookAtInvitation(core, invitation)
      return present().begin({ origin, invitation })
    },
    byProvider: async (request) => byProvider(core, present(), request),
    endByProvider: async (token) => endByProvider(core, present(), token),
    passkeySignInOptions: (site) => core.passkeys.signInOptions(site),
    lookAtInvitation: (token) => invitations.lookAtInvitation(core, token),
    invitationPasskeyOptions: (request) => invitations.invitationPasskeyOptions(core, request),
    acceptByPasskey: (request) => invitations.acceptByPasskey(core, request),
    invitationTotp: (request) => invitations.invitationTotp(core, request),
    acceptByPassword: (request) => invitations.acceptByPassword(core, request),
    people: () => people.listPeople(core),
    directory: () => people.directory(core),
    invite: (actor, request) => invitations.invite(core, actor, request),
    renew: (actor, person) => invitations.renew(core, actor, person),
    changeRoles: (actor, person, roles) => people.changeRoles(core, actor, person, roles),
    leave: (actor, person) => people.leave(core, actor, person),
    groups: () => people.listGroups(core),
    makeGroup: (actor, name) => people.makeGroup(core, actor, name),
    removeGroup: (actor, group) => people.removeGroup(core, actor, group),
    setMember: (actor, request) => people.setMember(core, actor, request),
    credentials: (person) => credentials.credentialsOf(core, person),
    passkeyOptions: (person, site) => credentials.passkeyOptions(core, person, site),
    addPasskey: (actor, request) => credentials.addPasskey(core, actor, request),
    totpSetup: (request) => credentials.totpSetup(core, request),
    setPassword: (actor, request) => credentials.setPassword(core, actor, request),
    removeSignIn: (actor, request) => credentials.removeSignIn(core, actor, request),
    makeSecret: (actor, person, request) => credentials.makeSecret(core, actor, person, request),
    removeSecret: (actor, request) => credentials.removeSecret(core, actor, request),
    sessions: (person, present) => sessions.listSessions(core, person, present),
    signOut: (actor, secret) => sessions.signOut(core, actor, secret),
    endSessions: (actor, request) => sessions.endSessions(core, actor, request),
  }
}
