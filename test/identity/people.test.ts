// People, roles, groups and leaving, over a real database.
import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { limits } from '#base'
import { FROM, joinByPasskey, joinByPassword, LOCAL, PASSWORD, SITE, startPeople } from './support.ts'

test('a person is invited, comes in, and is who they are from the next request on', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  assert.equal(identity.hasAdministrator(), false)
  const ada = await joinByPasskey(people, 'ada', ['administrator', 'clinician'])
  assert.equal(identity.hasAdministrator(), true)
  const known = await identity.recognise('session', ada.session.secret)
  assert.deepEqual(known?.person, {
    kind: 'person',
    id: ada.id,
    name: 'Dr ada',
    roles: ['administrator', 'clinician'],
    groups: [],
    means: 'session',
    scope: undefined,
  })
  assert.equal((await people.reopen()).hasAdministrator(), true)
  const [view] = await identity.people()
  assert.deepEqual([view?.state, view?.passkeys, view?.sessions, view?.invited], ['active', 1, 1, null])
  assert.deepEqual(
    events.map(({ kind, outcome }) => [kind, outcome]),
    [
      ['invite', 'done'],
      ['join', 'done'],
    ],
  )
})

test('an invitation counts once, for seven days, and until there is a newer one', async () => {
  await using people = await startPeople()
  const { identity } = people
  const { person, invitation } = await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: [] })
  assert.deepEqual((await identity.lookAtInvitation(invitation.token)).account, 'ada')
  const newer = await identity.renew(LOCAL, person.id)
  await assert.rejects(identity.lookAtInvitation(invitation.token), { code: 'identity.invitation' })
  people.pass(limits.invitationMs - 1)
  await identity.lookAtInvitation(newer.token)
  people.pass(1)
  for (const token of [newer.token, 'made-up-made-up-made-up'])
    await assert.rejects(identity.lookAtInvitation(token), { code: 'identity.invitation' })
  const last = await identity.renew(LOCAL, person.id)
  const made = await identity.invitationTotp({ token: last.token, site: SITE })
  const bob = await joinByPassword(people, 'bob')
  // The secret of somebody else's app.
  await assert.rejects(identity.acceptByPassword({ token: last.token, password: PASSWORD, setup: made.setup, code: bob.code(), ...FROM }), {
    code: 'identity.code',
  })
  assert.equal((await identity.lookAtInvitation(last.token)).renewal, false)
})

test('names that are taken, unusable or too many are refused', async () => {
  await using people = await startPeople()
  const { identity } = people
  await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: [] })
  await assert.rejects(identity.invite(LOCAL, { name: 'Other', account: 'ADA ', roles: [] }), { code: 'identity.exists' })
  await assert.rejects(identity.invite(LOCAL, { name: 'A\u202eda', account: 'b', roles: [] }), { code: 'identity.name' })
  await assert.rejects(identity.invite(LOCAL, { name: 'B', account: 'b', roles: ['auditor', 'administrator'] }), { code: 'identity.roles' })
  await assert.rejects(identity.changeRoles(LOCAL, '0'.repeat(32), []), { code: 'identity.absent' })
  assert.equal((await identity.people()).length, 1)
})

test('whoever leaves has nothing left, at once and in one transaction', async () => {
  await using people = await startPeople()
  const { identity } = people
  await joinByPasskey(people, 'root', ['administrator'])
  const bob = await joinByPassword(people, 'bob')
  const group = await identity.makeGroup(LOCAL, 'Radiology')
  await identity.setMember(LOCAL, { group: group.id, person: bob.id, member: true })
  const scope = { rights: 'read', path: '/' } as const
  const token = await identity.makeSecret(LOCAL, bob.id, { means: 'token', name: 't', scope, days: 30 })
  const app = await identity.makeSecret(LOCAL, bob.id, { means: 'app-password', name: 'a', scope, days: null })
  const key = await identity.makeSecret(LOCAL, bob.id, { means: 'access-key', name: 'k', scope, days: null })
  const all = async (): Promise<boolean[]> =>
    [
      await identity.recognise('session', bob.session.secret),
      await identity.recognise('token', token.secret),
      await identity.recogniseAppPassword('bob', app.secret),
      await identity.accessKey(key.accessKey!),
    ].map((one) => one !== undefined)
  assert.deepEqual(await all(), [true, true, true, true])
  assert.deepEqual((await identity.recognise('token', token.secret))?.person.groups, [group.id])

  people.failRecord()
  await assert.rejects(identity.leave(LOCAL, bob.id), { code: 'database.unavailable' })
  assert.deepEqual(await all(), [true, true, true, true])

  let told = 0
  identity.onChange(() => told++)
  const left = await identity.leave(LOCAL, bob.id)
  assert.equal(told, 1)
  assert.deepEqual(await all(), [false, false, false, false])
  assert.deepEqual(
    [left.state, left.account, left.name, left.roles, left.groups, left.secrets, left.password],
    ['left', null, 'Dr bob', [], [], 0, false],
  )
  assert.deepEqual((await identity.groups())[0]?.members, [])
  await assert.rejects(identity.byPassword({ account: 'bob', password: PASSWORD, code: bob.code(1), ...FROM }), {
    code: 'identity.refused',
  })
  for (const again of [
    () => identity.leave(LOCAL, bob.id),
    () => identity.renew(LOCAL, bob.id),
    () => identity.changeRoles(LOCAL, bob.id, ['administrator']),
    () => identity.setMember(LOCAL, { group: group.id, person: bob.id, member: true }),
    () => identity.makeSecret(LOCAL, bob.id, { means: 'token', name: 't', scope, days: 1 }),
  ])
    await assert.rejects(again(), { code: 'identity.absent' })
  const next = await identity.invite(LOCAL, { name: 'Another Bob', account: 'bob', roles: [] })
  assert.notEqual(next.person.id, bob.id)
})

test('the last administrator neither leaves nor loses the role; one who was only invited does not count', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada', ['administrator'])
  await identity.invite(LOCAL, { name: 'Bob', account: 'bob', roles: ['administrator'] })
  await assert.rejects(identity.leave(LOCAL, ada.id), { code: 'identity.last-administrator', culprits: [ada.id] })
  await assert.rejects(identity.changeRoles(LOCAL, ada.id, ['clinician']), { code: 'identity.last-administrator' })
  const cyd = await joinByPasskey(people, 'cyd', ['administrator'])
  await identity.changeRoles(LOCAL, ada.id, ['clinician'])
  await assert.rejects(identity.leave(LOCAL, cyd.id), { code: 'identity.last-administrator' })
  assert.equal(identity.hasAdministrator(), true)
})

test('a change of roles or groups counts with the next request', async () => {
  await using people = await startPeople()
  const { identity } = people
  const bob = await joinByPasskey(people, 'bob')
  const seen = async (): Promise<unknown> => {
    const found = await identity.recognise('session', bob.session.secret)
    return [found?.person.roles, found?.person.groups.length]
  }
  assert.deepEqual(await seen(), [['clinician'], 0])
  await identity.changeRoles(LOCAL, bob.id, ['researcher'])
  const { id } = await identity.makeGroup(LOCAL, 'A')
  await assert.rejects(identity.makeGroup(LOCAL, 'A'), { code: 'identity.exists' })
  await identity.setMember(LOCAL, { group: id, person: bob.id, member: true })
  assert.deepEqual(await seen(), [['researcher'], 1])
  await identity.removeGroup(LOCAL, id)
  assert.deepEqual(await seen(), [['researcher'], 0])
  await assert.rejects(identity.removeGroup(LOCAL, id), { code: 'identity.absent' })
})

test('neither the database nor the record holds a secret', async () => {
  await using people = await startPeople()
  const { identity, home } = people
  const bob = await joinByPassword(people, 'bob')
  const scope = { rights: 'all', path: '/' } as const
  const made = await Promise.all(
    (['token', 'app-password', 'access-key'] as const).map((means) =>
      identity.makeSecret(LOCAL, bob.id, { means, name: means, scope, days: 1 }),
    ),
  )
  const { token } = await identity.renew(LOCAL, bob.id)
  await people.database.close()
  const rows = new DatabaseSync(join(home, 'site.sqlite'))
  const tables = rows.prepare("select name from sqlite_master where type = 'table' and name like 'identity_%'").all() as { name: string }[]
  assert.equal(tables.length, 11)
  const dump = tables
    .flatMap(({ name }) => rows.prepare(`select * from ${name}`).all())
    .map((row) =>
      Object.values(row)
        .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
        .join(' '),
    )
  rows.close()
  const text = dump.join('\n') + JSON.stringify(people.events)
  const secrets = [...made.map(({ secret }) => secret), token, bob.session.secret, PASSWORD, ...bob.recoveryCodes]
  for (const secret of [...secrets, Buffer.from(bob.secret).toString('latin1'), Buffer.from(bob.secret).toString('hex')])
    assert.ok(!text.includes(secret))
  assert.equal((await stat(join(home, 'identity.key'))).mode & 0o777, 0o600)
  assert.equal((await readFile(join(home, 'identity.key'))).length, 32)
})
