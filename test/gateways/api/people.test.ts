// Who may do what about people, over real sockets: nobody, the operator, persons by session and by token, the wrong role, the expired.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { limits } from '#base'
import { createClient, identityRoutes, type IdentityRoutes } from '#contract'
import { inProcessTransport } from '#gateways/api'
import { IDENTITY_RIGHTS } from '../../../src/gateways/api/identity-rights.ts'
import { makeAuthenticator } from '../../identity/authenticator.ts'
import { joinByPasskey, joinByPassword, LOCAL, PASSWORD, startPeople, type TestPeople } from '../../identity/support.ts'
import { ID } from './memory-door.ts'
import { call, json, problemOf, startGateway, until, type Gateway, type WireAnswer } from './support.ts'

type Name = keyof IdentityRoutes
const NAMES = Object.keys(identityRoutes) as Name[]

interface Stage {
  readonly people: TestPeople
  readonly gateway: Gateway
  readonly cookieOf: (secret: string) => Record<string, string>
  [Symbol.asyncDispose](): Promise<void>
}

async function start(): Promise<Stage> {
  const people = await startPeople()
  const gateway = await startGateway({ identity: people.identity })
  return {
    people,
    gateway,
    cookieOf: (secret) => ({ cookie: `quorate-${gateway.port}=${secret}` }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await people[Symbol.asyncDispose]()
    },
  }
}

/** A call of a route with a body that the contract takes, and addresses of things that are not there. */
function attempt(gateway: Gateway, name: Name, headers: Record<string, string>): Promise<WireAnswer> {
  const route: { method: string; path: string; body?: unknown } = identityRoutes[name]
  const path = route.path.replace(/:\w+/g, ID)
  if (route.body === undefined) return call(gateway, { method: route.method, path, headers })
  return json(gateway, route.method, path, BODIES[name] ?? {}, headers)
}

const SECRET = { means: 'token', name: 'x', scope: { rights: 'read', path: '/' }, days: 1 }
const TOKEN = 'made-up-made-up-made-up'
const BODIES: Partial<Record<Name, object>> = {
  passkeySignIn: { response: {} },
  passwordSignIn: { account: 'a', password: 'b', code: 'c' },
  providerSignIn: { query: 'code=a&state=b' },
  lookAtInvitation: { token: TOKEN },
  invitationPasskeyOptions: { token: TOKEN },
  acceptByPasskey: { token: TOKEN, response: {}, name: 'x' },
  invitationTotp: { token: TOKEN },
  acceptByPassword: { token: TOKEN, password: 'x', setup: 'x', code: 'x' },
  invite: { name: 'Somebody', account: 'somebody', roles: [] },
  changeRoles: { roles: [] },
  makePersonSecret: SECRET,
  makeGroup: { name: 'A group' },
  addPasskey: { response: {}, name: 'x' },
  setPassword: { password: 'x', setup: 'x', code: 'x' },
  makeSecret: SECRET,
}

test('every route about people refuses who may not: nobody, a made-up session, an expired one, a token, the wrong role, a sign-in of long ago', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const { identity } = people
  const expired = await joinByPasskey(people, 'expired', ['administrator'])
  people.pass(limits.sessionIdleMs)
  const stale = await joinByPasskey(people, 'stale', ['administrator'])
  people.pass(limits.sessionFreshMs + 1)
  const admin = await joinByPasskey(people, 'admin', ['administrator'])
  const clinician = await joinByPasskey(people, 'clinician', ['clinician'])
  const patient = await joinByPasskey(people, 'patient', ['patient'])
  const token = await identity.makeSecret(LOCAL, admin.id, { means: 'token', name: 't', scope: { rights: 'all', path: '/' }, days: 1 })
  const before = JSON.stringify(await identity.people())

  assert.ok(NAMES.length > 30)
  for (const name of NAMES) {
    const { who, fresh } = IDENTITY_RIGHTS[name]
    const refusal = async (headers: Record<string, string>): Promise<string> => problemOf(await attempt(gateway, name, headers)).code
    if (who === 'anyone') continue
    assert.equal(await refusal({ cookie: '' }), 'access.unauthenticated', name)
    assert.equal(await refusal(cookieOf('made up')), 'access.unauthenticated', name)
    assert.equal(await refusal(cookieOf(expired.session.secret)), 'access.unauthenticated', name)
    assert.equal(
      await refusal({ cookie: gateway.cookie }),
      'access.unauthenticated',
      `${name}: the start link is nobody where people administer`,
    )
    assert.equal(await refusal({ cookie: '', authorization: `Bearer ${token.secret}` }), 'access.denied', name)
    if (fresh === true) assert.equal(await refusal(cookieOf(stale.session.secret)), 'identity.fresh', name)
    if (who === 'administrator') assert.equal(await refusal(cookieOf(clinician.session.secret)), 'access.denied', name)
    if (who !== 'person') assert.equal(await refusal(cookieOf(patient.session.secret)), 'access.denied', name)
    if (who === 'operator') assert.equal(await refusal(cookieOf(admin.session.secret)), 'access.denied', name)
  }
  assert.equal(JSON.stringify(await identity.people()), before)
})

test('every right that is given is there: an administrator, a colleague, a person, the operator', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const admin = await joinByPasskey(people, 'admin', ['administrator'])
  const clinician = await joinByPasskey(people, 'clinician', ['clinician'])
  const ENDS: readonly Name[] = ['signOut', 'endSessions']
  for (const name of NAMES.toSorted((a, b) => Number(ENDS.includes(a)) - Number(ENDS.includes(b)))) {
    const { who } = IDENTITY_RIGHTS[name]
    const secret = who === 'administrator' ? admin.session.secret : clinician.session.secret
    if (who === 'anyone' || who === 'operator' || name === 'endSessions') continue
    const answer = await attempt(gateway, name, cookieOf(secret))
    assert.ok(![401, 403].includes(answer.status), `${name}: ${answer.status} ${answer.body.toString()}`)
  }
  const inside = createClient(inProcessTransport(gateway.door, { identity: people.identity, operator: LOCAL }))
  assert.equal((await inside.me()).kind, 'operator')
  const { people: list } = await inside.people()
  assert.ok(list.some(({ account }) => account === 'somebody'))
  const made = await inside.makePersonSecret(clinician.id, { means: 'token', name: 'x', scope: { rights: 'read', path: '/' }, days: 1 })
  assert.notEqual(await people.identity.recognise('token', made.secret), undefined)
  await assert.rejects(inside.credentials(), { code: 'access.denied' })
  await assert.rejects(inside.passkeySignInOptions(), { code: 'api.not-found' })
})

test('bad input is refused by its place; addresses that are no names of anything are absent', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const admin = await joinByPasskey(people, 'admin', ['administrator'])
  const headers = { ...cookieOf(admin.session.secret), 'content-type': 'application/json' }
  for (const name of NAMES) {
    if (IDENTITY_RIGHTS[name].who === 'operator') continue
    const route: { method: string; path: string; body?: unknown } = identityRoutes[name]
    const path = route.path.replace(/:\w+/g, ID)
    const body = route.body === undefined ? undefined : JSON.stringify(BODIES[name] ?? {})
    const unknown = await call(gateway, { method: route.method, path: `${path}?nonsense=1`, headers, body })
    assert.match(problemOf(unknown).detail, /nonsense/, name)
    for (const odd of ['%00', 'x', '..%2f', ID.toUpperCase(), '%ff'])
      if (route.path.includes(':')) {
        const answer = await call(gateway, { method: route.method, path: route.path.replace(/:\w+/g, odd), headers, body })
        assert.equal(answer.status, 404, `${name} ${odd}`)
      }
    if (route.body === undefined) continue
    for (const bad of ['', '{', '[]', 'null', '"a"', '{"nonsense":1}', '{"__proto__":{"roles":["administrator"]}}', '['.repeat(5000)]) {
      const answer = await call(gateway, { method: route.method, path, headers, body: bad })
      assert.equal(problemOf(answer).code, 'api.body', `${name} ${bad}`)
    }
  }
})

test('the first administrator: the start link invites, the invited one comes in, and from then on the link opens nothing', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const host = { host: `localhost:${gateway.port}`, origin: `http://localhost:${gateway.port}` }
  const me = async (
    headers: Record<string, string>,
  ): Promise<{ kind: string; administered: boolean; person: { roles: string[] } | null }> =>
    JSON.parse((await call(gateway, { path: '/api/v1/session', headers })).body.toString())
  assert.deepEqual(await me({}), {
    kind: 'operator',
    person: null,
    means: null,
    scope: null,
    expires: null,
    administered: false,
    passkeys: true,
    provider: null,
  })
  const invited = await json(gateway, 'POST', '/api/v1/people', { name: 'Ada', account: 'ada', roles: ['administrator'] })
  assert.equal(invited.status, 201)
  const { token } = (JSON.parse(invited.body.toString()) as { invitation: { token: string } }).invitation
  const authenticator = makeAuthenticator(host.origin)
  const { options } = JSON.parse(
    (await json(gateway, 'POST', '/api/v1/invitations/passkey/options', { token }, { cookie: '' })).body.toString(),
  ) as {
    options: object
  }
  const accepted = await json(
    gateway,
    'POST',
    '/api/v1/invitations/passkey',
    { token, response: authenticator.create(options), name: 'key' },
    { ...host, cookie: '' },
  )
  assert.equal(accepted.status, 200, accepted.body.toString())
  const cookie = accepted.headers['set-cookie']![0]!
  assert.match(cookie, new RegExp(`^quorate-${gateway.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`))
  assert.ok(!accepted.body.toString().includes(cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf(';'))))
  assert.deepEqual((await me({ cookie: cookie.split(';')[0]! })).person?.roles, ['administrator'])

  assert.deepEqual((await me({})).kind, 'nobody')
  assert.equal(problemOf(await call(gateway, { path: '/api/v1/site' })).code, 'access.unauthenticated')
  const again = await json(gateway, 'POST', '/api/v1/session', { code: gateway.loopback.code }, { cookie: '' })
  assert.deepEqual([again.status, again.headers['set-cookie']], [200, undefined])
  assert.equal(
    problemOf(await json(gateway, 'POST', '/api/v1/session', { code: 'wrong-wrong-wrong' }, { cookie: '' })).code,
    'access.unauthenticated',
  )

  const offered = JSON.parse((await json(gateway, 'POST', '/api/v1/sign-in/passkey/options', {}, { cookie: '' })).body.toString()) as {
    options: object
  }
  const entered = await json(
    gateway,
    'POST',
    '/api/v1/sign-in/passkey',
    { response: authenticator.get(offered.options) },
    { ...host, cookie: '' },
  )
  assert.equal(entered.status, 200, entered.body.toString())
  const secret = /=([^;]+)/.exec(entered.headers['set-cookie']![0]!)![1]!
  const out = await call(gateway, { method: 'DELETE', path: '/api/v1/session', headers: cookieOf(secret) })
  assert.match(out.headers['set-cookie']![0]!, /Max-Age=0$/)
  assert.equal((await me(cookieOf(secret))).kind, 'nobody')
  assert.equal(people.identity.hasAdministrator(), true)
})

test('under an address of numbers passkeys are not offered', async () => {
  await using stage = await start()
  for (const [name, works] of [
    ['localhost', true],
    ['127.0.0.1', false],
    ['[::1]', false],
  ] as const) {
    const answer = await call(stage.gateway, { path: '/api/v1/session', headers: { host: `${name}:${stage.gateway.port}` } })
    assert.equal((JSON.parse(answer.body.toString()) as { passkeys: boolean }).passkeys, works, name)
  }
})

test('a person acts as themselves: the door is opened for them, by session and by token', async () => {
  const people = await startPeople()
  const entered: unknown[] = []
  const door = (await import('./memory-door.ts')).createMemoryDoor()
  await using gateway = await startGateway({
    identity: people.identity,
    access: {
      enter: (actor) => {
        entered.push(actor.kind === 'person' ? [actor.name, actor.means, actor.scope?.rights] : actor.name)
        return door
      },
    },
  })
  await using _ = people
  const ada = await joinByPasskey(people, 'ada', ['administrator'])
  const token = await people.identity.makeSecret(LOCAL, ada.id, {
    means: 'token',
    name: 't',
    scope: { rights: 'read', path: '/a' },
    days: 1,
  })
  const asked = [
    { cookie: `quorate-${gateway.port}=${ada.session.secret}` },
    { cookie: '', authorization: `Bearer ${token.secret}` },
    { cookie: `quorate-${gateway.port}=${ada.session.secret}`, authorization: `bearer  ${token.secret}` },
  ]
  entered.length = 0
  for (const headers of asked) {
    const answer = await call(gateway, { path: '/api/v1/site', headers })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['set-cookie'], undefined)
  }
  assert.deepEqual(entered, [
    ['Dr ada', 'session', undefined],
    ['Dr ada', 'token', 'read'],
    ['Dr ada', 'token', 'read'],
  ])
})

test('a header that proves nothing is refused with its challenge, even beside a good cookie; a token in an address is nothing', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const ada = await joinByPasskey(people, 'ada', ['administrator'])
  const { secret } = await people.identity.makeSecret(LOCAL, ada.id, {
    means: 'token',
    name: 't',
    scope: { rights: 'all', path: '/' },
    days: 1,
  })
  for (const authorization of [
    'Bearer qt_x',
    'Bearer',
    `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`,
    `Bearer ${secret} x`,
    secret,
  ]) {
    const answer = await call(gateway, { path: '/api/v1/site', headers: { ...cookieOf(ada.session.secret), authorization } })
    assert.equal(problemOf(answer).code, 'access.unauthenticated', authorization)
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="quorate", error="invalid_token"')
  }
  for (const name of ['access_token', 'token', 'authorization']) {
    const answer = await call(gateway, { path: `/api/v1/site?${name}=${secret}`, headers: { cookie: '' } })
    assert.equal(problemOf(answer).code, 'access.unauthenticated', name)
    assert.equal(answer.headers['www-authenticate'], 'Quorate, Bearer realm="quorate"')
  }
  const good = await call(gateway, { path: `/api/v1/site?access_token=${secret}`, headers: cookieOf(ada.session.secret) })
  assert.equal(problemOf(good).code, 'api.body')
  assert.ok(!JSON.stringify(gateway.logged).includes(secret))
})

test('cross-site requests do not sign anybody in or out', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const ada = await joinByPasskey(people, 'ada', ['administrator'])
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
    for (const name of NAMES) {
      const answer = await attempt(gateway, name, { ...cookieOf(ada.session.secret), ...headers })
      assert.equal(problemOf(answer).code, 'api.cross-site', name)
    }
})

test('failed passwords make one wait: 429, with the seconds', async () => {
  await using stage = await start()
  const { people, gateway } = stage
  await joinByPassword(people, 'bob', ['administrator'])
  const enter = (): Promise<WireAnswer> =>
    json(gateway, 'POST', '/api/v1/sign-in/password', { account: 'bob', password: `${PASSWORD}x`, code: '000000' }, { cookie: '' })
  for (let time = 0; time < 5; time++) {
    const refused = await enter()
    assert.deepEqual([refused.status, problemOf(refused).code], [401, 'identity.refused'])
  }
  const waiting = await enter()
  assert.deepEqual([waiting.status, problemOf(waiting).code, waiting.headers['retry-after']], [429, 'identity.wait', '1'])
})

test('whoever leaves is cut off also in the middle: the events that they follow end', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  await joinByPasskey(people, 'admin', ['administrator'])
  const bob = await joinByPasskey(people, 'bob')
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({
      host: '127.0.0.1',
      port: gateway.port,
      path: '/api/v1/events',
      headers: { host: `localhost:${gateway.port}`, ...cookieOf(bob.session.secret) },
    })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
  assert.equal(response.statusCode, 200)
  response.resume()
  await until(() => gateway.door.listeners() === 1)
  const closed = new Promise((resolve) => response.on('error', () => {}).once('close', resolve))
  await people.identity.leave(LOCAL, bob.id)
  await closed
  await until(() => gateway.door.listeners() === 0)
  assert.equal(
    problemOf(await call(gateway, { path: '/api/v1/site', headers: cookieOf(bob.session.secret) })).code,
    'access.unauthenticated',
  )
})

test('a page that follows events and polls by itself does not keep a session alive', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const ada = await joinByPasskey(people, 'ada', ['administrator'])
  const ask = (headers: Record<string, string>): Promise<WireAnswer> =>
    call(gateway, { path: '/api/v1/site', headers: { ...cookieOf(ada.session.secret), ...headers } })
  people.pass(limits.sessionIdleMs - 1000)
  assert.equal((await ask({ 'quorate-unattended': '1' })).status, 200)
  people.pass(2000)
  assert.equal((await ask({ 'quorate-unattended': '1' })).status, 401)
  const bob = await joinByPasskey(people, 'bob', ['administrator'])
  for (let time = 0; time < 3; time++) {
    people.pass(limits.sessionIdleMs - 1000)
    assert.equal((await call(gateway, { path: '/api/v1/site', headers: cookieOf(bob.session.secret) })).status, 200)
  }
})

test('the log of requests names nobody and no secret', async () => {
  await using stage = await start()
  const { people, gateway, cookieOf } = stage
  const ada = await joinByPasskey(people, 'ada-the-clinician', ['administrator'])
  await json(
    gateway,
    'POST',
    '/api/v1/sign-in/password',
    { account: 'ada-the-clinician', password: PASSWORD, code: '123456' },
    { cookie: '' },
  )
  await json(gateway, 'POST', '/api/v1/me/secrets', SECRET, cookieOf(ada.session.secret))
  await json(gateway, 'POST', '/api/v1/invitations/look', { token: TOKEN }, { cookie: '' })
  const text = JSON.stringify(gateway.logged)
  for (const secret of ['ada-the-clinician', PASSWORD, '123456', ada.session.secret, TOKEN, 'qt_'])
    assert.ok(!text.includes(secret), secret)
})
