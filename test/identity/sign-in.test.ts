// Signing in, rightly and wrongly: passkeys, passwords with codes, sessions, tokens and keys.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '#base'
import { makeAuthenticator, type Deviation } from './authenticator.ts'
import { FROM, joinByPasskey, joinByPassword, LOCAL, PASSWORD, SITE, startPeople } from './support.ts'

const DAY_MS = 86_400_000

test('a passkey opens a session, and the session is recognised by what the browser carries', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  const ada = await joinByPasskey(people, 'ada')
  const options = await identity.passkeySignInOptions(SITE)
  assert.ok(!('allowCredentials' in options) || (options.allowCredentials as unknown[] | undefined)?.length === undefined)
  const opened = await identity.byPasskey({ site: SITE, response: ada.authenticator.get(options), ...FROM })
  assert.equal(opened.person, ada.id)
  assert.equal((await identity.recognise('session', opened.secret))?.person.id, ada.id)
  assert.deepEqual(events.at(-1), {
    kind: 'sign-in',
    actor: { kind: 'person', id: ada.id, name: 'Dr ada' },
    subject: ada.id,
    outcome: 'done',
    facts: { by: 'passkey' },
  })
  assert.equal((await identity.credentials(ada.id)).passkeys[0]?.used, '2026-11-20')
})

const WRONG: readonly (readonly [string, Deviation])[] = [
  ['another origin', { origin: 'https://evil.example' }],
  ['the origin of another port', { origin: 'http://localhost:7879' }],
  ['another host', { rpId: 'evil.example' }],
  ['a challenge that nobody made', { challenge: randomBytes(56).toString('base64url') }],
  ['no challenge', { challenge: '' }],
  ['a count that goes back', { counter: 1 }],
  ['nobody verified the user', { flags: 0x01 }],
  ['nobody was present', { flags: 0x00 }],
  ['another type', { type: 'webauthn.create' }],
  ['another user', { userHandle: Buffer.alloc(16, 7).toString('base64url') }],
  ['a signature of nothing', { signature: randomBytes(64).toString('base64url') }],
]

test('whatever does not fit is refused alike: origin, host, challenge, count, user, signature', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  const ada = await joinByPasskey(people, 'ada')
  const enter = async (deviation: Deviation): Promise<unknown> =>
    identity.byPasskey({ site: SITE, response: ada.authenticator.get(await identity.passkeySignInOptions(SITE), deviation), ...FROM })
  await enter({})
  const messages = new Set<string>()
  for (const [what, deviation] of WRONG) {
    await assert.rejects(
      enter(deviation),
      (error: { code: string; message: string }) => {
        messages.add(error.message)
        return error.code === 'identity.refused'
      },
      what,
    )
  }
  const stranger = makeAuthenticator(SITE.origin)
  await assert.rejects(identity.byPasskey({ site: SITE, response: stranger.get(await identity.passkeySignInOptions(SITE)), ...FROM }), {
    code: 'identity.refused',
    message: [...messages][0]!,
  })
  for (const response of [
    {},
    { id: 1 },
    { id: ada.authenticator.id },
    { id: ada.authenticator.id, response: null },
    { id: 'a', response: { clientDataJSON: 'x' } },
  ])
    await assert.rejects(identity.byPasskey({ site: SITE, response, ...FROM }), { code: 'identity.refused' })
  const elsewhere = { origin: 'https://vault.example', host: 'vault.example' }
  const options = await identity.passkeySignInOptions(SITE)
  await assert.rejects(identity.byPasskey({ site: elsewhere, response: ada.authenticator.get(options), ...FROM }), {
    code: 'identity.refused',
  })
  assert.equal(messages.size, 1)
  assert.ok(events.filter(({ outcome }) => outcome === 'refused').every(({ code }) => code === 'identity.refused'))
  await enter({})
})

test('an answer counts once, also when it comes twice at once, and not after five minutes', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada')
  const response = ada.authenticator.get(await identity.passkeySignInOptions(SITE))
  const both = await Promise.allSettled([1, 2].map(() => identity.byPasskey({ site: SITE, response, ...FROM })))
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await assert.rejects(identity.byPasskey({ site: SITE, response, ...FROM }), { code: 'identity.refused' })
  const late = ada.authenticator.get(await identity.passkeySignInOptions(SITE))
  people.pass(limits.challengeMs)
  await assert.rejects(identity.byPasskey({ site: SITE, response: late, ...FROM }), { code: 'identity.refused' })
})

test('a passkey without a counter is replayed by nobody either', async () => {
  await using people = await startPeople()
  const { identity } = people
  const { invitation } = await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: [] })
  const copied = makeAuthenticator(SITE.origin, { counts: false })
  const made = copied.create(await identity.invitationPasskeyOptions({ token: invitation.token, site: SITE }))
  await identity.acceptByPasskey({ token: invitation.token, site: SITE, response: made, name: 'phone', ...FROM })
  const response = copied.get(await identity.passkeySignInOptions(SITE))
  await identity.byPasskey({ site: SITE, response, ...FROM })
  await assert.rejects(identity.byPasskey({ site: SITE, response, ...FROM }), { code: 'identity.refused' })
  await identity.byPasskey({ site: SITE, response: copied.get(await identity.passkeySignInOptions(SITE)), ...FROM })
})

test('a passkey is made for the invited person, on this page, with the user verified, and only once', async () => {
  await using people = await startPeople()
  const { identity } = people
  const one = await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: [] })
  const other = await identity.invite(LOCAL, { name: 'Bob', account: 'bob', roles: [] })
  const { token } = one.invitation
  const authenticator = makeAuthenticator(SITE.origin)
  const options = await identity.invitationPasskeyOptions({ token, site: SITE })
  const accept = (response: object, by = token): Promise<unknown> =>
    identity.acceptByPasskey({ token: by, site: SITE, response, name: 'key', ...FROM })
  for (const deviation of [{ origin: 'https://evil.example' }, { rpId: 'evil.example' }, { flags: 0x01 }, { challenge: 'AAAA' }])
    await assert.rejects(accept(authenticator.create(options, deviation)), { code: 'identity.passkey' })
  const response = authenticator.create(options)
  await assert.rejects(accept(response, other.invitation.token), { code: 'identity.passkey' })
  await accept(response)
  await assert.rejects(accept(response), { code: 'identity.invitation' })
  const again = authenticator.create(await identity.invitationPasskeyOptions({ token: other.invitation.token, site: SITE }))
  await assert.rejects(accept(again, other.invitation.token), { code: 'identity.passkey' })
  await identity.lookAtInvitation(other.invitation.token)
})

test('password and code open a session; each code counts once', async () => {
  await using people = await startPeople()
  const { identity } = people
  const bob = await joinByPassword(people, 'bob')
  const enter = (code: string, password = PASSWORD, account = 'bob'): Promise<unknown> =>
    identity.byPassword({ account, password, code, ...FROM })
  await assert.rejects(enter(bob.code()), { code: 'identity.refused' }, 'the code that set it up is spent')
  people.pass(30_000)
  const code = bob.code()
  const [one, two] = await Promise.allSettled([enter(code), enter(code, PASSWORD, ' BOB ')])
  assert.deepEqual([one.status, two.status].toSorted(), ['fulfilled', 'rejected'])
  await assert.rejects(enter(code), { code: 'identity.refused' })
  await assert.rejects(enter(bob.code(-1)), { code: 'identity.refused' })
  people.pass(30_000)
  await enter(bob.code())
})

test('wrong name, wrong password and wrong code are told alike', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  const bob = await joinByPassword(people, 'bob')
  await joinByPasskey(people, 'ada')
  people.pass(30_000)
  const answers = new Set<string>()
  for (const [account, password, code] of [
    ['nobody', PASSWORD, bob.code()],
    ['ada', PASSWORD, bob.code()],
    ['bob', 'seven green herons walk', bob.code()],
    ['bob', PASSWORD, '000000'],
    ['', '', ''],
    ['bob\u0000', PASSWORD, bob.code()],
  ] as const)
    await assert.rejects(
      identity.byPassword({ account, password, code, ...FROM, address: '192.0.2.99' }),
      (error: { code: string; message: string; next: string }) => {
        answers.add(`${error.code} ${error.message} ${error.next}`)
        return true
      },
    )
  assert.equal(answers.size, 1)
  assert.ok([...answers][0]!.startsWith('identity.refused '))
  assert.deepEqual(
    events.filter(({ outcome }) => outcome === 'refused').map(({ subject }) => subject),
    [undefined, undefined, bob.id, bob.id, undefined, undefined],
  )
})

test('many wrong passwords make the next ones wait, the right one too; a passkey does not wait', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  const bob = await joinByPassword(people, 'bob')
  const key = makeAuthenticator(SITE.origin)
  const made = key.create(await identity.passkeyOptions(bob.id, SITE))
  await identity.addPasskey(LOCAL, { person: bob.id, site: SITE, response: made, name: 'key' })
  people.pass(30_000)
  const enter = (password: string): Promise<unknown> => identity.byPassword({ account: 'bob', password, code: bob.code(), ...FROM })
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => enter('wrong wrong wrong')))
  const codes = outcomes.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'in'))
  assert.deepEqual(Object.fromEntries(Object.entries(Object.groupBy(codes, (code) => code)).map(([code, some]) => [code, some?.length])), {
    'identity.refused': 5,
    'identity.wait': 3,
  })
  await assert.rejects(enter(PASSWORD), { code: 'identity.wait' })
  await identity.byPasskey({ site: SITE, response: key.get(await identity.passkeySignInOptions(SITE)), ...FROM })
  people.pass(60_000)
  await enter(PASSWORD)
  assert.equal(events.filter(({ outcome }) => outcome === 'refused').length, 5)
})

test('a recovery code stands in for the app, once', async () => {
  await using people = await startPeople()
  const { identity } = people
  const bob = await joinByPassword(people, 'bob')
  const [first = '', second = ''] = bob.recoveryCodes
  assert.equal(bob.recoveryCodes.length, 10)
  await identity.byPassword({ account: 'bob', password: PASSWORD, code: first.toLowerCase().replaceAll('-', ' '), ...FROM })
  await assert.rejects(identity.byPassword({ account: 'bob', password: PASSWORD, code: first, ...FROM }), { code: 'identity.refused' })
  await assert.rejects(identity.byPassword({ account: 'bob', password: 'wrong wrong wrong', code: second, ...FROM }), {
    code: 'identity.refused',
  })
  await identity.byPassword({ account: 'bob', password: PASSWORD, code: second, ...FROM })
  assert.equal((await identity.credentials(bob.id)).password?.recoveryCodes, 8)
})

test('a session ends when nobody uses it for half an hour, after twelve hours in any case, and when it is ended', async () => {
  await using people = await startPeople()
  const { identity } = people
  const { session, id } = await joinByPasskey(people, 'ada')
  const stands = async (secret = session.secret, use = true): Promise<boolean> =>
    (await identity.recognise('session', secret, { use })) !== undefined
  people.pass(limits.sessionIdleMs - 1)
  assert.equal(await stands(), true)
  people.pass(limits.sessionIdleMs - 1)
  assert.equal(await stands(session.secret, false), true)
  people.pass(1)
  assert.equal(await stands(session.secret, false), false)
  assert.equal(await stands(), false)

  const used = await joinByPasskey(people, 'bob')
  for (let spent = 0; spent < limits.sessionAbsoluteMs; spent += limits.sessionIdleMs / 2) {
    assert.equal(await stands(used.session.secret), true)
    people.pass(limits.sessionIdleMs / 2)
  }
  assert.equal(await stands(used.session.secret), false)

  const out = await joinByPasskey(people, 'cyd')
  await identity.signOut(LOCAL, out.session.secret)
  assert.equal(await stands(out.session.secret), false)
  await identity.signOut(LOCAL, 'made up')
  assert.equal(await stands('made up'), false)
  assert.deepEqual(await identity.sessions(id), [])
})

test('sessions are listed, ended one by one or together, and are at most so many', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada')
  const opened = [ada.session]
  for (let time = 0; time < limits.sessionsOfPersonMax; time++) {
    people.pass(1000)
    const response = ada.authenticator.get(await identity.passkeySignInOptions(SITE))
    opened.push(await identity.byPasskey({ site: SITE, response, ...FROM, agent: `browser ${time}\u0007` }))
  }
  const list = await identity.sessions(ada.id)
  assert.equal(list.length, limits.sessionsOfPersonMax)
  assert.equal(list[0]?.agent, `browser ${limits.sessionsOfPersonMax - 1}`)
  assert.equal(await identity.recognise('session', opened[0]!.secret), undefined)
  await assert.rejects(identity.endSessions(LOCAL, { person: ada.id, id: 'f'.repeat(32) }), { code: 'identity.absent' })
  await identity.endSessions(LOCAL, { person: ada.id, id: list[0].id })
  assert.equal(await identity.recognise('session', opened.at(-1).secret), undefined)
  assert.equal(await identity.endSessions(LOCAL, { person: ada.id }), limits.sessionsOfPersonMax - 1)
  assert.deepEqual(await identity.sessions(ada.id), [])
})

test('signing in again ends the session that the browser had', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada')
  const response = ada.authenticator.get(await identity.passkeySignInOptions(SITE))
  const again = await identity.byPasskey({ site: SITE, response, ...FROM, before: ada.session.secret })
  assert.equal(await identity.recognise('session', ada.session.secret), undefined)
  assert.notEqual(await identity.recognise('session', again.secret), undefined)
})

test('what changes how one signs in needs a sign-in of the last quarter of an hour', async () => {
  await using people = await startPeople()
  const { identity } = people
  const { session } = await joinByPasskey(people, 'ada')
  const known = (await identity.recognise('session', session.secret))!
  people.pass(limits.sessionFreshMs)
  identity.assertFresh(known)
  people.pass(1)
  assert.throws(() => identity.assertFresh(known), { code: 'identity.fresh' })
})

test('a token knows its scope and its end, and opens nothing under another means', async () => {
  await using people = await startPeople()
  const { identity } = people
  const { id } = await joinByPasskey(people, 'ada')
  const scope = { rights: 'write', path: '/mri/' } as const
  const token = await identity.makeSecret(LOCAL, id, { means: 'token', name: 'backup', scope, days: 30 })
  const app = await identity.makeSecret(LOCAL, id, { means: 'app-password', name: 'laptop', scope, days: null })
  assert.match(token.secret, /^qt_[\w-]{43}$/)
  assert.match(app.secret, /^qp_[\w-]{43}$/)
  const known = await identity.recognise('token', token.secret)
  assert.deepEqual([known?.person.means, known?.person.scope], ['token', { rights: 'write', path: '/mri' }])
  assert.equal(await identity.recognise('session', token.secret), undefined)
  assert.equal(await identity.recognise('token', app.secret), undefined)
  assert.equal(await identity.recognise('token', token.secret.slice(3)), undefined)
  assert.equal(await identity.recogniseAppPassword('ada', token.secret), undefined)
  assert.equal((await identity.recogniseAppPassword('Ada', app.secret))?.person.means, 'app-password')
  assert.equal(await identity.recogniseAppPassword('bob', app.secret), undefined)
  people.pass(30 * DAY_MS)
  assert.equal(await identity.recognise('token', token.secret), undefined)
  assert.notEqual(await identity.recogniseAppPassword('ada', app.secret), undefined)
  const { secrets } = await identity.credentials(id)
  assert.deepEqual(
    secrets.map(({ means, expired }) => [means, expired]),
    [
      ['token', true],
      ['app-password', false],
    ],
  )
  await identity.removeSecret(LOCAL, { person: id, id: app.id })
  assert.equal(await identity.recogniseAppPassword('ada', app.secret), undefined)
  await assert.rejects(identity.removeSecret(LOCAL, { person: id, id: app.id }), { code: 'identity.absent' })
  for (const path of ['/../etc', '/a//b', '/./a', '/a\u0000'])
    await assert.rejects(identity.makeSecret(LOCAL, id, { means: 'token', name: 'x', scope: { rights: 'read', path }, days: 1 }), {
      code: 'identity.name',
    })
})

test('nobody removes the token of somebody else', async () => {
  await using people = await startPeople()
  const { identity } = people
  const [ada, bob] = [await joinByPasskey(people, 'ada'), await joinByPasskey(people, 'bob')]
  const scope = { rights: 'read', path: '/' } as const
  const made = await identity.makeSecret(LOCAL, ada.id, { means: 'token', name: 't', scope, days: 1 })
  await assert.rejects(identity.removeSecret(LOCAL, { person: bob.id, id: made.id }), { code: 'identity.absent' })
  const [passkey] = (await identity.credentials(ada.id)).passkeys
  await assert.rejects(identity.removeSignIn(LOCAL, { person: bob.id, passkey: passkey!.id }), { code: 'identity.absent' })
  assert.notEqual(await identity.recognise('token', made.secret), undefined)
})

test('the secret of an access key is there to check signatures with, under the key file of the home only', async () => {
  await using people = await startPeople()
  const { identity, home } = people
  const { id } = await joinByPasskey(people, 'ada')
  const made = await identity.makeSecret(LOCAL, id, {
    means: 'access-key',
    name: 'rclone',
    scope: { rights: 'all', path: '/' },
    days: null,
  })
  assert.match(made.accessKey!, /^QU[A-Z2-7]{18}$/)
  const found = await identity.accessKey(made.accessKey!)
  assert.equal(Buffer.from(found!.secret).toString(), made.secret)
  assert.equal(found?.recognised.person.means, 'access-key')
  assert.equal(await identity.accessKey('QUAAAAAAAAAAAAAAAAAA'), undefined)
  await writeFile(join(home, 'identity.key'), randomBytes(32))
  await assert.rejects((await people.reopen()).accessKey(made.accessKey!), { code: 'identity.key', culprits: [join(home, 'identity.key')] })
  await rm(join(home, 'identity.key'))
  await assert.rejects((await people.reopen()).accessKey(made.accessKey!), { code: 'identity.key' })
})

test('the last way to sign in cannot be removed', async () => {
  await using people = await startPeople()
  const { identity } = people
  const bob = await joinByPassword(people, 'bob')
  await assert.rejects(identity.removeSignIn(LOCAL, { person: bob.id, password: true }), { code: 'identity.last-credential' })
  const key = makeAuthenticator(SITE.origin)
  const response = key.create(await identity.passkeyOptions(bob.id, SITE))
  const { passkeys } = await identity.addPasskey(LOCAL, { person: bob.id, site: SITE, response, name: 'key' })
  assert.equal((await identity.removeSignIn(LOCAL, { person: bob.id, password: true })).password, null)
  await assert.rejects(identity.removeSignIn(LOCAL, { person: bob.id, passkey: passkeys[0]!.id }), { code: 'identity.last-credential' })
})

test('a new password ends the other sessions and the old codes', async () => {
  await using people = await startPeople()
  const { identity } = people
  const bob = await joinByPassword(people, 'bob')
  people.pass(30_000)
  const here = await identity.byPassword({ account: 'bob', password: PASSWORD, code: bob.code(), ...FROM })
  const session = (await identity.recognise('session', here.secret))!.id
  const made = await identity.totpSetup({ person: bob.id, site: SITE })
  const { hotp } = await import('../../src/identity/totp.ts')
  const { fromBase32 } = await import('./support.ts')
  const code = (): string => hotp(fromBase32(made.secret), Math.floor(people.now() / 30_000))
  const request = { password: 'eight red storks stand', setup: made.setup, person: bob.id, session }
  await assert.rejects(identity.setPassword(LOCAL, { ...request, code: '000000' }), { code: 'identity.code' })
  await assert.rejects(identity.setPassword(LOCAL, { ...request, setup: 'AAAA', code: code() }), { code: 'identity.code' })
  await assert.rejects(identity.setPassword(LOCAL, { ...request, password: 'short', code: code() }), { code: 'identity.password' })
  await identity.setPassword(LOCAL, { ...request, code: code() })
  assert.equal(await identity.recognise('session', bob.session.secret), undefined)
  assert.notEqual(await identity.recognise('session', here.secret), undefined)
  people.pass(30_000)
  await assert.rejects(identity.byPassword({ account: 'bob', password: PASSWORD, code: code(), ...FROM }), { code: 'identity.refused' })
  await assert.rejects(identity.byPassword({ account: 'bob', password: request.password, code: bob.recoveryCodes[0]!, ...FROM }), {
    code: 'identity.refused',
  })
  await identity.byPassword({ account: 'bob', password: request.password, code: code(), ...FROM })
  people.pass(limits.totpSetupMs)
  await assert.rejects(identity.setPassword(LOCAL, { ...request, code: code() }), { code: 'identity.code' })
})

test('a new link takes the place of everything that somebody signed in with', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada')
  const { token } = await identity.renew(LOCAL, ada.id)
  assert.equal((await identity.lookAtInvitation(token)).renewal, true)
  const fresh = makeAuthenticator(SITE.origin)
  const response = fresh.create(await identity.invitationPasskeyOptions({ token, site: SITE }))
  await identity.acceptByPasskey({ token, site: SITE, response, name: 'new', ...FROM })
  assert.equal(await identity.recognise('session', ada.session.secret), undefined)
  await assert.rejects(
    identity.byPasskey({ site: SITE, response: ada.authenticator.get(await identity.passkeySignInOptions(SITE)), ...FROM }),
    { code: 'identity.refused' },
  )
  await identity.byPasskey({ site: SITE, response: fresh.get(await identity.passkeySignInOptions(SITE)), ...FROM })
})

test('when the record cannot be written, nobody comes in', async () => {
  await using people = await startPeople()
  const { identity } = people
  const ada = await joinByPasskey(people, 'ada')
  people.failRecord()
  const response = ada.authenticator.get(await identity.passkeySignInOptions(SITE))
  await assert.rejects(identity.byPasskey({ site: SITE, response, ...FROM }), { code: 'database.unavailable' })
  assert.equal((await identity.sessions(ada.id)).length, 1)
})

test('strangers cannot fill the record: beyond so many a minute refusals are only counted', async () => {
  await using people = await startPeople()
  const { identity, events } = people
  const extra = 7
  for (let time = 0; time < limits.refusalsNotedPerMinute + extra; time++)
    await assert.rejects(identity.byPasskey({ site: SITE, response: {}, ...FROM }), { code: 'identity.refused' })
  assert.equal(events.length, limits.refusalsNotedPerMinute)
  people.pass(60_000)
  await assert.rejects(identity.byPasskey({ site: SITE, response: {}, ...FROM }), { code: 'identity.refused' })
  assert.deepEqual(events.at(-1)?.facts, { by: 'passkey', unnoted: extra })
})
