// A site's people in memory, with a clock of the test's own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, type Clock } from '#base'
import type { Role } from '#contract'
import { openDatabase, type Database } from '#database'
import {
  identityMigrations,
  openIdentity,
  type Identity,
  type IdentityEvent,
  type IdentityTables,
  type OpenedSession,
  type PasskeySite,
  type ProviderSettings,
} from '#identity'
import { hotp } from '../../src/identity/totp.ts'
import { makeAuthenticator, type Authenticator } from './authenticator.ts'

export const SITE: PasskeySite = { origin: 'http://localhost:7878', host: 'localhost' }
export const LOCAL = { kind: 'local', name: 'test' } as const
export const FROM = { address: '192.0.2.1', agent: 'test browser' } as const
export const PASSWORD = 'seven green herons wade'

export interface TestPeople {
  readonly identity: Identity
  readonly database: Database<IdentityTables>
  readonly home: string
  readonly events: IdentityEvent[]
  /** Makes the record of the next event fail. */
  failRecord(): void
  now(): number
  pass(ms: number): void
  /** Opens the same database again, as a restart does. */
  reopen(): Promise<Identity>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startPeople(provider?: ProviderSettings, begin = Date.parse('2026-11-20T08:00:10Z')): Promise<TestPeople> {
  const home = await mkdtemp(join(tmpdir(), 'quorate-people-'))
  const database = await openDatabase<IdentityTables>({ file: join(home, 'site.sqlite'), migrations: identityMigrations })
  const events: IdentityEvent[] = []
  let now = begin
  let failing = false
  const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error('nobody sleeps here')) }
  const open = (): Promise<Identity> =>
    openIdentity({
      database,
      home,
      clock,
      provider,
      events: {
        record: async (_tx, event) => {
          if (failing) {
            failing = false
            throw new Failure('database.unavailable')
          }
          events.push(event)
        },
      },
    })
  return {
    identity: await open(),
    database,
    home,
    events,
    failRecord: () => (failing = true),
    now: () => now,
    pass: (ms) => (now += ms),
    reopen: open,
    async [Symbol.asyncDispose]() {
      await database.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}

export interface Joined {
  readonly id: string
  readonly account: string
  readonly authenticator: Authenticator
  readonly session: OpenedSession
}

/** Invited, and in with a passkey. */
export async function joinByPasskey(people: TestPeople, account: string, roles: readonly Role[] = ['clinician']): Promise<Joined> {
  const { identity } = people
  const { person, invitation } = await identity.invite(LOCAL, { name: `Dr ${account}`, account, roles: [...roles] })
  const authenticator = makeAuthenticator(SITE.origin)
  const options = await identity.invitationPasskeyOptions({ token: invitation.token, site: SITE })
  const session = await identity.acceptByPasskey({
    token: invitation.token,
    site: SITE,
    response: authenticator.create(options),
    name: 'test key',
    ...FROM,
  })
  return { id: person.id, account, authenticator, session }
}

export interface JoinedByPassword {
  readonly id: string
  readonly account: string
  readonly secret: Uint8Array
  readonly recoveryCodes: readonly string[]
  readonly session: OpenedSession
  /** Of the app at this moment, or some steps away. */
  code(steps?: number): string
}

export async function joinByPassword(
  people: TestPeople,
  account: string,
  roles: readonly Role[] = ['clinician'],
): Promise<JoinedByPassword> {
  const { identity } = people
  const { person, invitation } = await identity.invite(LOCAL, { name: `Dr ${account}`, account, roles: [...roles] })
  const { token } = invitation
  const made = await identity.invitationTotp({ token, site: SITE })
  const secret = fromBase32(made.secret)
  const code = (steps = 0): string => hotp(secret, Math.floor(people.now() / 30_000) + steps)
  const { opened, recoveryCodes } = await identity.acceptByPassword({ token, password: PASSWORD, setup: made.setup, code: code(), ...FROM })
  return { id: person.id, account, secret, recoveryCodes, session: opened, code }
}

export function fromBase32(text: string): Uint8Array {
  let bits = ''
  for (const letter of text) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')
  return new Uint8Array((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)))
}
