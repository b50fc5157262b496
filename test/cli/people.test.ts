// people and token: what the operator at the machine does about people, and what is said of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinByPasskey, startPeople } from '../identity/support.ts'
import { inside } from './support.ts'

test('a person is invited, listed, given roles, and leaves', async () => {
  await using people = await startPeople()
  const at = inside('/', people.identity)
  assert.match((await at.quorate(['people', 'list'])).out, /works alone/)
  const invited = await at.quorate([
    'people',
    'invite',
    'ada',
    '--name',
    'Ada',
    '--role',
    'administrator',
    '--page',
    'https://vault.example/',
  ])
  assert.equal(invited.code, 0, invited.errors)
  const token = /^https:\/\/vault\.example\/#invitation=([\w-]{43})\n$/.exec(invited.out)?.[1]
  assert.equal((await people.identity.lookAtInvitation(token!)).account, 'ada')
  assert.ok(invited.errors.includes('works once') && !invited.errors.includes(token!))

  const again = await at.quorate(['people', 'link', 'ADA'])
  assert.match(again.out, /^\/#invitation=[\w-]{43}\n$/)
  assert.match(again.errors, /Put the address of the page in front/)
  await assert.rejects(people.identity.lookAtInvitation(token!), { code: 'identity.invitation' })

  const bob = await joinByPasskey(people, 'bob')
  assert.match((await at.quorate(['people', 'roles', 'bob', 'researcher', 'data-steward'])).out, /^Dr bob: data-steward, researcher\n$/)
  assert.match(
    (await at.quorate(['people', 'list'])).out,
    /^ada {2}Ada: administrator, invited\nbob {2}Dr bob: data-steward, researcher\n$/,
  )

  const asked = await at.quorate(['people', 'leave', 'bob'])
  assert.equal(asked.code, 2)
  assert.match(asked.errors, /1 sessions, 1 passkeys, no password.*Nothing was done/)
  assert.notEqual(await people.identity.recognise('session', bob.session.secret), undefined)
  assert.match((await at.quorate(['people', 'leave', 'bob', '--yes'])).out, /Dr bob has left/)
  assert.equal(await people.identity.recognise('session', bob.session.secret), undefined)
  assert.doesNotMatch((await at.quorate(['people', 'list'])).out, /bob/)
  assert.match((await at.quorate(['people', 'list', '--all'])).out, /Dr bob: no role, has left/)
})

test('a token is made, shown once, listed without its secret, and revoked', async () => {
  await using people = await startPeople()
  const at = inside('/', people.identity)
  await joinByPasskey(people, 'bob')
  const made = await at.quorate(['token', 'make', 'bob', '--name', 'backup', '--rights', 'write', '--path', '/mri', '--days', '30'])
  assert.equal(made.code, 0, made.errors)
  const secret = made.out.trim()
  const known = await people.identity.recognise('token', secret)
  assert.deepEqual(known?.person.scope, { rights: 'write', path: '/mri' })
  const list = await at.quorate(['token', 'list', 'bob'])
  assert.match(list.out, /^[0-9a-f]{8} {2}backup: token, write at \/mri, ends 2026-12-20, last used 2026-11-20\n$/)
  assert.ok(!list.out.includes(secret.slice(3)))
  const id = list.out.slice(0, 8)
  assert.equal((await at.quorate(['token', 'revoke', 'bob', 'ffffffff'])).code, 1)
  assert.match((await at.quorate(['token', 'revoke', 'bob', id])).out, /backup is revoked/)
  assert.equal(await people.identity.recognise('token', secret), undefined)
  const json = JSON.parse(
    (await at.quorate(['--json', 'token', 'make', 'bob', '--name', 's3', '--means', 'access-key', '--days', '0'])).out,
  ) as {
    accessKey: string
    expires: null
  }
  assert.equal(json.expires, null)
  assert.notEqual(await people.identity.accessKey(json.accessKey), undefined)
})

test('what cannot be is refused with its code', async () => {
  await using people = await startPeople()
  const at = inside('/', people.identity)
  await joinByPasskey(people, 'ada', ['administrator'])
  for (const [args, code] of [
    [['people', 'roles', 'nobody', 'auditor'], 'identity.absent'],
    [['people', 'roles', 'ada', 'king'], 'cli.usage'],
    [['people', 'roles', 'ada', 'administrator', 'auditor'], 'identity.roles'],
    [['people', 'roles', 'ada', 'auditor'], 'identity.last-administrator'],
    [['people', 'leave', 'ada', '--yes'], 'identity.last-administrator'],
    [['people', 'invite', 'ada', '--name', 'Other'], 'identity.exists'],
    [['people', 'invite', 'b', '--name', 'B\u202eob'], 'identity.name'],
    [['token', 'make', 'ada', '--name', 'x', '--path', '/../etc'], 'identity.name'],
  ] as const) {
    const { errors, code: exit } = await at.quorate(['--json', ...args])
    assert.equal((JSON.parse(errors) as { code: string }).code, code, args.join(' '))
    assert.ok(exit === 1 || exit === 2)
  }
})
