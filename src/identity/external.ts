// People who sign in by a provider: known by (issuer, subject), let in by an invitation, or by themselves where the site allows it.
import { Failure } from '#base'
import { change, dayOf, type Core, type Tx } from './core.ts'
import { accountIn, mailOf, nameOf } from './names.ts'
import { enterNew, invited, makeRoom } from './invitations.ts'
import type { Provider, ProviderPerson } from './provider.ts'
import { newId } from './secrets.ts'
import { openSession, type Arrival, type OpenedSession } from './sessions.ts'

export async function byProvider(
  core: Core,
  provider: Provider,
  request: { readonly origin: string; readonly query: string; readonly bound: string } & Arrival,
): Promise<OpenedSession> {
  const { origin, query, bound, ...arrival } = request
  const { person, invitation } = await provider.finish({ origin, query, bound })
  const opened = await change(core, async (tx, record) => {
    if (invitation !== undefined) {
      const { person: present } = await invited(core, tx, invitation)
      await assertFree(tx, person, present.id)
      await makeRoom(tx, present)
      await insertExternal(core, tx, person, present.id)
      return enterNew(core, tx, record, { person: present, by: 'provider', arrival })
    }
    const known = await knownPerson(tx, person)
    const id = known ?? (provider.settings.newPeople ? await newcomer(core, tx, person) : undefined)
    const found =
      id === undefined
        ? undefined
        : await tx.selectFrom('identity_person').select(['id', 'name', 'state']).where('id', '=', id).executeTakeFirst()
    if (found === undefined || found.state !== 'active') return undefined
    const actor = { kind: 'person', id: found.id, name: found.name } as const
    await tx
      .updateTable('identity_external')
      .set({ used_day: dayOf(core.clock.now()) })
      .where('person', '=', found.id)
      .execute()
    if (known === undefined)
      await record({ kind: 'join', actor, subject: found.id, outcome: 'done', facts: { by: 'provider', renewal: 'no' } })
    await record({ kind: 'sign-in', actor, subject: found.id, outcome: 'done', facts: { by: 'provider' } })
    return openSession(core, tx, found.id, arrival)
  })
  if (opened !== undefined) return opened
  await core.db.transaction((tx) =>
    core.events.record(tx, {
      kind: 'sign-in',
      actor: { kind: 'nobody' },
      outcome: 'refused',
      code: 'identity.refused',
      facts: { by: 'provider' },
    }),
  )
  throw new Failure('identity.refused', {
    detail: `${provider.settings.name} knows you, but nobody has invited you here.`,
    next: 'Ask an administrator of the site for a link.',
  })
}

/** The provider says that somebody's session there has ended: theirs here end, too. Whether anybody is known is not told. */
export async function endByProvider(core: Core, provider: Provider, token: string): Promise<void> {
  const gone = await provider.loggedOut(token)
  await change(core, async (tx, record) => {
    const person = await knownPerson(tx, gone)
    if (person === undefined) return
    const { numDeletedRows } = await tx.deleteFrom('identity_session').where('person', '=', person).executeTakeFirst()
    await record({
      kind: 'end-sessions',
      actor: { kind: 'nobody' },
      subject: person,
      outcome: 'done',
      facts: { sessions: Number(numDeletedRows), by: 'provider' },
    })
  })
}

async function knownPerson(tx: Tx, { issuer, subject }: Pick<ProviderPerson, 'issuer' | 'subject'>): Promise<string | undefined> {
  const row = await tx
    .selectFrom('identity_external')
    .select('person')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
  return row?.person
}

/** Whoever is somebody here already does not become a second person by a link. */
async function assertFree(tx: Tx, person: ProviderPerson, wanted: string): Promise<void> {
  const known = await knownPerson(tx, person)
  if (known !== undefined && known !== wanted)
    throw new Failure('identity.exists', { detail: 'You are known here as another person already.', next: 'Sign in without the link.' })
}

async function insertExternal(core: Core, tx: Tx, { issuer, subject }: ProviderPerson, person: string): Promise<void> {
  await tx
    .insertInto('identity_external')
    .values({ issuer, subject, person, created: core.clock.now(), used_day: dayOf(core.clock.now()) })
    .execute()
}

/** Somebody whom nobody invited, at a site that takes them: no role, no group, nothing granted. */
async function newcomer(core: Core, tx: Tx, person: ProviderPerson): Promise<string> {
  const id = newId()
  const wanted = person.mail === undefined ? undefined : accountIn(person.mail)
  const taken =
    wanted === undefined ||
    (await tx.selectFrom('identity_person').select('id').where('account', '=', wanted).executeTakeFirst()) !== undefined
  await tx
    .insertInto('identity_person')
    .values({
      id,
      account: taken ? `sso-${id.slice(0, 12)}` : wanted,
      name: fitting(() => nameOf(person.name ?? '')) ?? `New person ${id.slice(0, 6)}`,
      mail: fitting(() => mailOf(person.mail ?? '')) ?? null,
      state: 'active',
      created: core.clock.now(),
      ended: null,
    })
    .execute()
  await insertExternal(core, tx, person, id)
  return id
}

/** What a provider says of a name may not be fit to be shown. */
function fitting(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
