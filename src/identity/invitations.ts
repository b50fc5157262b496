// One-time links: with one, somebody makes their own passkey or password. Also for who lost theirs, and for the first administrator.
import { Failure, limits, rfc3339 } from '#base'
import type { Invitation, InvitationView, InviteRequest, PasswordRequest, PersonView, Role, TotpSetup } from '#contract'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { change, type Core, type Tx } from './core.ts'
import { insertPasskey, insertPassword, passkeyOptions, preparePassword, totpSetup } from './credentials.ts'
import type { IdentityActor, IdentityEvent } from './events.ts'
import type { PasskeySite } from './passkeys.ts'
import { addPerson, personView, presentPerson } from './people.ts'
import { digestOf, newSecret } from './secrets.ts'
import { openSession, type Arrival, type OpenedSession } from './sessions.ts'
import type { IdentityPersonTable } from './tables.ts'

export async function invite(
  core: Core,
  actor: IdentityActor,
  request: InviteRequest,
): Promise<{ readonly person: PersonView; readonly invitation: Invitation }> {
  const { id, invitation } = await change(core, async (tx, record) => {
    const { id, roles } = await addPerson(tx, { ...request, now: core.clock.now() })
    const invitation = await makeInvitation(core, tx, id)
    await record({ kind: 'invite', actor, subject: id, outcome: 'done', facts: { roles: [...roles] } })
    return { id, invitation }
  })
  return { person: await personView(core, id), invitation }
}

/** Another link, for who has not come or has lost what they signed in with. An earlier one is worth nothing then. */
export async function renew(core: Core, actor: IdentityActor, id: string): Promise<Invitation> {
  return change(core, async (tx, record) => {
    await presentPerson(tx, id)
    const invitation = await makeInvitation(core, tx, id)
    await record({ kind: 'renew', actor, subject: id, outcome: 'done' })
    return invitation
  })
}

async function makeInvitation(core: Core, tx: Tx, person: string): Promise<Invitation> {
  const now = core.clock.now()
  const token = newSecret()
  const expires = now + limits.invitationMs
  await tx.deleteFrom('identity_invitation').where('person', '=', person).execute()
  await tx
    .insertInto('identity_invitation')
    .values({ digest: digestOf(token), person, created: now, expires })
    .execute()
  return { token, expires: rfc3339(expires) }
}

export async function lookAtInvitation(core: Core, token: string): Promise<InvitationView> {
  const { person, expires } = await core.db.transaction((tx) => invited(core, tx, token))
  const roles = await core.db.kysely.selectFrom('identity_role').select('role').where('person', '=', person.id).orderBy('role').execute()
  return {
    name: person.name,
    account: person.account ?? '',
    roles: roles.map(({ role }) => role as Role),
    renewal: person.state === 'active',
    expires: rfc3339(expires),
  }
}

export async function invitationPasskeyOptions(
  core: Core,
  { token, site }: { readonly token: string; readonly site: PasskeySite },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { person } = await core.db.transaction((tx) => invited(core, tx, token))
  return passkeyOptions(core, person.id, site)
}

export async function acceptByPasskey(
  core: Core,
  request: { readonly token: string; readonly site: PasskeySite; readonly response: unknown; readonly name: string } & Arrival,
): Promise<OpenedSession> {
  const { token, site, response, name, ...arrival } = request
  const { person } = await core.db.transaction((tx) => invited(core, tx, token))
  const made = await core.passkeys.register({ site, person: person.id, response })
  return change(core, async (tx, record) => {
    const { person: present } = await invited(core, tx, token)
    await makeRoom(tx, present)
    await insertPasskey(core, tx, { person: present.id, made, name, site })
    return enterNew(core, tx, record, { person: present, by: 'passkey', arrival })
  })
}

export async function invitationTotp(
  core: Core,
  { token, site }: { readonly token: string; readonly site: PasskeySite },
): Promise<TotpSetup> {
  const { person } = await core.db.transaction((tx) => invited(core, tx, token))
  return totpSetup(core, { person: person.id, site })
}

export async function acceptByPassword(
  core: Core,
  request: { readonly token: string } & PasswordRequest & Arrival,
): Promise<{ readonly opened: OpenedSession; readonly recoveryCodes: readonly string[] }> {
  const { token, password, setup, code, ...arrival } = request
  const { person } = await core.db.transaction((tx) => invited(core, tx, token))
  const known = { id: person.id, account: person.account ?? '', name: person.name }
  const prepared = await preparePassword(core, known, { password, setup, code })
  return change(core, async (tx, record) => {
    const { person: present } = await invited(core, tx, token)
    await makeRoom(tx, present)
    const recoveryCodes = await insertPassword(core, tx, present.id, prepared)
    return { opened: await enterNew(core, tx, record, { person: present, by: 'password', arrival }), recoveryCodes }
  })
}

/** What was lost may have been found by somebody else: the new credential takes the place of all. */
export async function makeRoom(tx: Tx, person: IdentityPersonTable): Promise<void> {
  for (const table of [
    'identity_passkey',
    'identity_password',
    'identity_recovery_code',
    'identity_external',
    'identity_session',
    'identity_invitation',
  ] as const)
    await tx.deleteFrom(table).where('person', '=', person.id).execute()
}

export async function enterNew(
  core: Core,
  tx: Tx,
  record: (event: IdentityEvent) => Promise<void>,
  { person, by, arrival }: { readonly person: IdentityPersonTable; readonly by: string; readonly arrival: Arrival },
): Promise<OpenedSession> {
  await tx.updateTable('identity_person').set({ state: 'active' }).where('id', '=', person.id).execute()
  await record({
    kind: 'join',
    actor: { kind: 'person', id: person.id, name: person.name },
    subject: person.id,
    outcome: 'done',
    facts: { by, renewal: person.state === 'active' ? 'yes' : 'no' },
  })
  return openSession(core, tx, person.id, arrival)
}

/** Used, replaced, too old or made up: the same answer. */
export async function invited(
  core: Core,
  tx: Tx,
  token: string,
): Promise<{ readonly person: IdentityPersonTable; readonly expires: number }> {
  const found = await tx.selectFrom('identity_invitation').selectAll().where('digest', '=', digestOf(token)).executeTakeFirst()
  if (found !== undefined && found.expires > core.clock.now()) {
    const person = await tx
      .selectFrom('identity_person')
      .selectAll()
      .where('id', '=', found.person)
      .where('state', '!=', 'left')
      .executeTakeFirst()
    if (person !== undefined) return { person, expires: found.expires }
  }
  throw new Failure('identity.invitation', {
    detail: 'This link was used already, is too old, or was replaced by a newer one.',
    next: 'Ask an administrator of the site for a new link.',
  })
}
