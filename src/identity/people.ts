// People and groups: who there is, what they may do, and how somebody leaves.
import { Failure, limits, rfc3339 } from '#base'
import type { Directory, Group, PersonView, Role } from '#contract'
import { isUniqueViolation } from '#database'
import { change, countAdministrators, type Core, type Tx } from './core.ts'
import type { IdentityActor } from './events.ts'
import { accountOf, mailOf, nameOf } from './names.ts'
import { rolesOf } from './roles.ts'
import { newId } from './secrets.ts'
import type { IdentityPersonTable } from './tables.ts'

export async function listPeople(core: Core, only?: string): Promise<PersonView[]> {
  const { kysely } = core.db
  let query = kysely.selectFrom('identity_person').selectAll().orderBy('created').orderBy('account')
  if (only !== undefined) query = query.where('id', '=', only)
  const people = await query.execute()
  const [roles, members, passkeys, passwords, secrets, sessions, invitations] = await Promise.all([
    kysely.selectFrom('identity_role').selectAll().execute(),
    kysely.selectFrom('identity_member').selectAll().execute(),
    kysely.selectFrom('identity_passkey').select(['person']).execute(),
    kysely.selectFrom('identity_password').select(['person']).execute(),
    kysely.selectFrom('identity_secret').select(['person']).execute(),
    kysely.selectFrom('identity_session').select(['person', 'seen', 'expires']).execute(),
    kysely.selectFrom('identity_invitation').select(['person', 'expires']).execute(),
  ])
  const now = core.clock.now()
  const living = sessions.filter(({ seen, expires }) => expires > now && seen + core.settings.idleMs > now)
  const byPerson = <R extends { readonly person: string }>(rows: readonly R[]): Map<string, R[]> =>
    Map.groupBy(rows, ({ person }) => person)
  const [rolesBy, membersBy, passkeysBy] = [byPerson(roles), byPerson(members), byPerson(passkeys)]
  const [passwordsBy, secretsBy, sessionsBy, invitationsBy] = [
    byPerson(passwords),
    byPerson(secrets),
    byPerson(living),
    byPerson(invitations),
  ]
  return people.map((row) => ({
    id: row.id,
    account: row.account,
    name: row.name,
    mail: row.mail,
    state: row.state,
    roles: [...rolesOf((rolesBy.get(row.id) ?? []).map((one) => one.role as Role))],
    groups: (membersBy.get(row.id) ?? []).map((one) => one.group_id),
    created: rfc3339(row.created),
    ended: row.ended === null ? null : rfc3339(row.ended),
    passkeys: passkeysBy.get(row.id)?.length ?? 0,
    password: passwordsBy.has(row.id),
    secrets: secretsBy.get(row.id)?.length ?? 0,
    sessions: sessionsBy.get(row.id)?.length ?? 0,
    invited: invitationUntil(invitationsBy.get(row.id)?.[0]?.expires, now),
  }))
}

function invitationUntil(expires: number | undefined, now: number): string | null {
  return expires === undefined || expires <= now ? null : rfc3339(expires)
}

export async function personView(core: Core, id: string): Promise<PersonView> {
  const [found] = await listPeople(core, id)
  if (found === undefined) throw noSuch('person')
  return found
}

/** Whom one can grant something to. */
export async function directory(core: Core): Promise<Directory> {
  const { kysely } = core.db
  const people = await kysely.selectFrom('identity_person').select(['id', 'name']).where('state', '!=', 'left').orderBy('name').execute()
  return { people, groups: await kysely.selectFrom('identity_group').select(['id', 'name']).orderBy('name').execute() }
}

/** Adds a person who has nothing to sign in with yet. */
export async function addPerson(
  tx: Tx,
  { account, name, mail, roles, now }: { account: string; name: string; mail?: string | undefined; roles: readonly Role[]; now: number },
): Promise<{ readonly id: string; readonly roles: readonly Role[] }> {
  const id = newId()
  const granted = rolesOf(roles)
  const { people } = await tx
    .selectFrom('identity_person')
    .select((eb) => eb.fn.countAll<number>().as('people'))
    .where('state', '!=', 'left')
    .executeTakeFirstOrThrow()
  if (people >= limits.peopleMax) throw new Failure('identity.limit', { detail: `A site knows at most ${limits.peopleMax} people.` })
  try {
    await tx
      .insertInto('identity_person')
      .values({
        id,
        account: accountOf(account),
        name: nameOf(name),
        mail: mail === undefined || mail === '' ? null : mailOf(mail),
        state: 'invited',
        created: now,
        ended: null,
      })
      .execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Failure('identity.exists', { detail: 'Somebody has this account name already.', next: 'Choose another account name.' })
  }
  for (const role of granted) await tx.insertInto('identity_role').values({ person: id, role }).execute()
  return { id, roles: granted }
}

export async function changeRoles(core: Core, actor: IdentityActor, id: string, wanted: readonly Role[]): Promise<PersonView> {
  const roles = rolesOf(wanted)
  await change(core, async (tx, record) => {
    const person = await presentPerson(tx, id)
    if (!roles.includes('administrator')) await keepAnAdministrator(tx, person)
    const before = await tx.selectFrom('identity_role').select('role').where('person', '=', id).execute()
    await tx.deleteFrom('identity_role').where('person', '=', id).execute()
    for (const role of roles) await tx.insertInto('identity_role').values({ person: id, role }).execute()
    await record({
      kind: 'change-roles',
      actor,
      subject: id,
      outcome: 'done',
      facts: { before: before.map(({ role }) => role).toSorted(), roles: [...roles] },
    })
  })
  return personView(core, id)
}

/** Everything that this person could come in with ends in one transaction; the row stays, so that the past keeps its name. */
export async function leave(core: Core, actor: IdentityActor, id: string): Promise<PersonView> {
  await change(core, async (tx, record) => {
    const person = await presentPerson(tx, id)
    await keepAnAdministrator(tx, person)
    const facts: Record<string, number> = {}
    for (const [what, table] of OF_A_PERSON) {
      const { numDeletedRows } = await tx.deleteFrom(table).where('person', '=', id).executeTakeFirst()
      facts[what] = Number(numDeletedRows)
    }
    await tx.updateTable('identity_person').set({ state: 'left', account: null, ended: core.clock.now() }).where('id', '=', id).execute()
    await record({ kind: 'leave', actor, subject: id, outcome: 'done', facts })
  })
  return personView(core, id)
}

const OF_A_PERSON = [
  ['sessions', 'identity_session'],
  ['secrets', 'identity_secret'],
  ['passkeys', 'identity_passkey'],
  ['recoveryCodes', 'identity_recovery_code'],
  ['passwords', 'identity_password'],
  ['providers', 'identity_external'],
  ['invitations', 'identity_invitation'],
  ['groups', 'identity_member'],
  ['roles', 'identity_role'],
] as const

/** A site that had an administrator always has one. */
async function keepAnAdministrator(tx: Tx, person: IdentityPersonTable): Promise<void> {
  const all = await countAdministrators(tx)
  if (all === 0 || (await countAdministrators(tx, person.id)) > 0) return
  throw new Failure('identity.last-administrator', {
    detail: `${person.name} is the only administrator. Without one nobody could let people in.`,
    next: 'Make somebody else administrator first, who has signed in once.',
    culprits: [person.id],
  })
}

/** Throws `identity.absent` for nobody and for somebody who has left. */
export async function presentPerson(tx: Tx, id: string): Promise<IdentityPersonTable> {
  const person = await tx.selectFrom('identity_person').selectAll().where('id', '=', id).where('state', '!=', 'left').executeTakeFirst()
  if (person === undefined) throw noSuch('person')
  return person
}

export async function listGroups(core: Core): Promise<Group[]> {
  const { kysely } = core.db
  const groups = await kysely.selectFrom('identity_group').selectAll().orderBy('name').execute()
  const members = Map.groupBy(await kysely.selectFrom('identity_member').selectAll().execute(), (row) => row.group_id)
  return groups.map(({ id, name, created }) => ({
    id,
    name,
    created: rfc3339(created),
    members: (members.get(id) ?? []).map(({ person }) => person),
  }))
}

export async function makeGroup(core: Core, actor: IdentityActor, name: string): Promise<Group> {
  const id = newId()
  await change(core, async (tx, record) => {
    const { groups } = await tx
      .selectFrom('identity_group')
      .select((eb) => eb.fn.countAll<number>().as('groups'))
      .executeTakeFirstOrThrow()
    if (groups >= limits.groupsMax) throw new Failure('identity.limit', { detail: `A site knows at most ${limits.groupsMax} groups.` })
    try {
      await tx
        .insertInto('identity_group')
        .values({ id, name: nameOf(name), created: core.clock.now() })
        .execute()
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
      throw new Failure('identity.exists', { detail: 'A group of this name exists already.', next: 'Choose another name.' })
    }
    await record({ kind: 'make-group', actor, outcome: 'done', facts: { group: id } })
  })
  return groupOf(core, id)
}

export async function removeGroup(core: Core, actor: IdentityActor, id: string): Promise<void> {
  await change(core, async (tx, record) => {
    await presentGroup(tx, id)
    await tx.deleteFrom('identity_member').where('group_id', '=', id).execute()
    await tx.deleteFrom('identity_group').where('id', '=', id).execute()
    await record({ kind: 'remove-group', actor, outcome: 'done', facts: { group: id } })
  })
}

export async function setMember(
  core: Core,
  actor: IdentityActor,
  { group, person, member }: { readonly group: string; readonly person: string; readonly member: boolean },
): Promise<Group> {
  await change(core, async (tx, record) => {
    await presentGroup(tx, group)
    await presentPerson(tx, person)
    await tx.deleteFrom('identity_member').where('group_id', '=', group).where('person', '=', person).execute()
    if (member) await tx.insertInto('identity_member').values({ group_id: group, person }).execute()
    await record({ kind: member ? 'add-member' : 'remove-member', actor, subject: person, outcome: 'done', facts: { group } })
  })
  return groupOf(core, group)
}

async function groupOf(core: Core, id: string): Promise<Group> {
  const found = (await listGroups(core)).find((group) => group.id === id)
  if (found === undefined) throw noSuch('group')
  return found
}

async function presentGroup(tx: Tx, id: string): Promise<void> {
  const found = await tx.selectFrom('identity_group').select('id').where('id', '=', id).executeTakeFirst()
  if (found === undefined) throw noSuch('group')
}

export function noSuch(what: string): Failure {
  return new Failure('identity.absent', { detail: `There is no such ${what}.` })
}
