// Single sign-on against a real provider of OpenID Connect in this process.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { ProviderSettings } from '#identity'
import { limits } from '#base'
import { providerSettings } from '../../src/main/provider-settings.ts'
import { call, json, problemOf, startGateway, type WireAnswer } from '../gateways/api/support.ts'
import { FROM, joinByPasskey, LOCAL, SITE, startPeople, type TestPeople } from './support.ts'

/** Brings no types. */
const UNTYPED: string = 'oidc-provider'
const CLIENT = { id: 'quorate', secret: 'a client secret of this test' }

let server: Server
let settings: ProviderSettings

before(async () => {
  const { default: OidcProvider } = (await import(UNTYPED)) as {
    default: new (issuer: string, options: object) => ProviderServer
  }
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new OidcProvider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [`${SITE.origin}/`], application_type: 'native' }],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: false,
    features: { backchannelLogout: { enabled: true } },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, name: `Dr ${sub}`, email: `${sub}@hospital.example` }),
    }),
    cookies: { keys: ['a key of this test'] },
  })
  server.on('request', provider.callback())
  settings = { name: 'Hospital', issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret, newPeople: false }
})

after(() => {
  server.closeAllConnections()
  server.close()
})

interface ProviderServer {
  callback(): (request: unknown, response: unknown) => void
}

/** What a browser does at the provider: signs in and consents. Answers what stands behind `?` when it comes back. */
async function atProvider(address: string, login: string, home = SITE.origin): Promise<string> {
  const cookies = new Map<string, string>()
  const go = async (url: string, form?: Record<string, string>): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return answer
  }
  let answer = await go(address)
  for (let step = 0; step < 20; step++) {
    const next = answer.headers.get('location')
    if (next !== null) {
      const url = new URL(next, settings.issuer)
      if (url.origin === home) return url.search.slice(1)
      answer = await go(url.toString())
      continue
    }
    const page = await answer.text()
    const action = /action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    if (action === undefined || prompt === undefined) throw new Error(`the provider says ${answer.status}: ${page.slice(0, 500)}`)
    answer = await go(new URL(action, settings.issuer).toString(), prompt === 'login' ? { prompt, login, password: 'x' } : { prompt })
  }
  throw new Error('the provider never ends')
}

/** Its tokens are of now, so the clock of these people is. */
const start = (own: Partial<ProviderSettings> = {}): Promise<TestPeople> => startPeople({ ...settings, ...own }, Date.now())

async function come(people: TestPeople, login: string, invitation?: string): Promise<string> {
  const { address, bound } = await people.identity.providerBegin({ origin: SITE.origin, invitation })
  const opened = await people.identity.byProvider({ origin: SITE.origin, query: await atProvider(address, login), bound, ...FROM })
  return opened.secret
}

test('an invited person comes in by the provider, and is known by it from then on', async () => {
  await using people = await start()
  const { identity, events } = people
  const { person, invitation } = await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: ['clinician'] })
  const first = await come(people, 'ada', invitation.token)
  const known = await identity.recognise('session', first)
  assert.deepEqual([known?.person.id, known?.person.name, known?.person.roles], [person.id, 'Ada', ['clinician']])
  await assert.rejects(identity.lookAtInvitation(invitation.token), { code: 'identity.invitation' })
  const again = await come(people, 'ada')
  assert.equal((await identity.recognise('session', again))?.person.id, person.id)
  assert.deepEqual(
    (await identity.credentials(person.id)).providers.map(({ issuer }) => issuer),
    [settings.issuer],
  )
  assert.deepEqual(events.at(-1)?.facts, { by: 'provider' })
  await identity.leave(LOCAL, person.id)
  await assert.rejects(come(people, 'ada'), { code: 'identity.refused' })
})

test('who was not invited stays out, or comes in without a role where the site says so', async () => {
  await using closed = await start()
  await assert.rejects(come(closed, 'bob'), { code: 'identity.refused' })
  assert.deepEqual(await closed.identity.people(), [])
  assert.equal(closed.events.at(-1)?.outcome, 'refused')
  await using open = await start({ newPeople: true })
  const secret = await come(open, 'bob')
  const known = await open.identity.recognise('session', secret)
  assert.deepEqual([known?.person.roles, known?.person.groups], [[], []])
  assert.equal(open.identity.hasAdministrator(), false)
  const twice = await open.identity.recognise('session', await come(open, 'bob'))
  assert.equal(twice?.person.id, known?.person.id)
})

test('nobody becomes two people, and a link for another one is not taken', async () => {
  await using people = await start()
  const { identity } = people
  const one = await identity.invite(LOCAL, { name: 'Ada', account: 'ada', roles: [] })
  const other = await identity.invite(LOCAL, { name: 'Bob', account: 'bob', roles: ['auditor'] })
  await come(people, 'ada', one.invitation.token)
  await assert.rejects(come(people, 'ada', other.invitation.token), { code: 'identity.exists' })
  await identity.lookAtInvitation(other.invitation.token)
  await assert.rejects(identity.providerBegin({ origin: SITE.origin, invitation: 'made-up-made-up-made-up' }), {
    code: 'identity.invitation',
  })
})

test('an answer counts in its browser only, once, in time, and whole', async () => {
  await using people = await start({ newPeople: true })
  const { identity } = people
  const begin = (): Promise<{ address: string; bound: string }> => identity.providerBegin({ origin: SITE.origin, invitation: undefined })
  const finish = (query: string, bound: string, origin = SITE.origin): Promise<unknown> =>
    identity.byProvider({ origin, query, bound, ...FROM })
  const mine = await begin()
  const query = await atProvider(mine.address, 'cyd')
  const theirs = await begin()
  for (const [what, work] of [
    ['without the cookie', () => finish(query, '')],
    ['with the cookie of another start', () => finish(query, theirs.bound)],
    ['with a cookie made up', () => finish(query, Buffer.alloc(200, 7).toString('base64url'))],
    ['on another page', () => finish(query, mine.bound, 'https://evil.example')],
  ] as const)
    await assert.rejects(work(), { code: 'identity.provider' }, what)
  const { bound } = await begin()
  for (const odd of ['', 'code=x', query, query.replace(/state=[^&]+/, 'state=x'), 'error=access_denied'])
    await assert.rejects(finish(odd, bound), { code: 'identity.provider' }, odd)
  const good = await begin()
  const answer = await atProvider(good.address, 'cyd')
  await finish(answer, good.bound)
  await assert.rejects(finish(answer, good.bound), { code: 'identity.provider' })
  const late = await begin()
  const lateAnswer = await atProvider(late.address, 'cyd')
  people.pass(limits.providerMs)
  await assert.rejects(finish(lateAnswer, late.bound), { code: 'identity.provider' })
})

test('a provider with another secret, or that is away, is told as such', async () => {
  await using wrong = await start({ clientSecret: 'another secret', newPeople: true })
  await assert.rejects(come(wrong, 'ada'), { code: 'identity.provider', culprits: [settings.issuer] })
  await using away = await start({ issuer: 'http://127.0.0.1:1', newPeople: true })
  await assert.rejects(away.identity.providerBegin({ origin: SITE.origin, invitation: undefined }), {
    code: 'identity.provider',
    culprits: ['http://127.0.0.1:1'],
  })
  await using none = await startPeople()
  await assert.rejects(none.identity.providerBegin({ origin: SITE.origin, invitation: undefined }), { code: 'identity.provider' })
})

test('over HTTP the answer counts in the browser that began, and becomes a session', async () => {
  await using people = await start({ newPeople: true })
  await using gateway = await startGateway({ identity: people.identity })
  const origin = `http://localhost:${gateway.port}`
  const begun = await json(gateway, 'POST', '/api/v1/sign-in/provider/begin', {}, { cookie: '', origin })
  const cookie = begun.headers['set-cookie']![0]!
  assert.match(cookie, new RegExp(`^quorate-${gateway.port}-provider=[\\w-]+; Path=/; HttpOnly; SameSite=Strict; Max-Age=600$`))
  const { address } = JSON.parse(begun.body.toString()) as { address: string }
  const query = await atProvider(address, 'dora', origin)
  const path = '/api/v1/sign-in/provider'
  assert.equal(problemOf(await json(gateway, 'POST', path, { query }, { cookie: '', origin })).code, 'identity.provider')
  const entered = await json(gateway, 'POST', path, { query }, { cookie: cookie.split(';')[0]!, origin })
  assert.equal(entered.status, 200, entered.body.toString())
  const session = entered.headers['set-cookie']![0]!.split(';')[0]!
  const me = JSON.parse((await call(gateway, { path: '/api/v1/session', headers: { cookie: session } })).body.toString()) as {
    person: { name: string; account: string }
    provider: { name: string }
  }
  assert.deepEqual([me.person.name, me.person.account, me.provider.name], ['Dr dora', 'dora@hospital.example', 'Hospital'])
})

test('who signs out at the provider is signed out here: a logout token counts once, for its person, and only a genuine one', async () => {
  const { generateKeyPair, exportJWK, SignJWT } = await import('jose')
  const genuine = await generateKeyPair('ES256')
  const stranger = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(genuine.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  // A provider that only publishes its keys: tokens are made by the test.
  const keys = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const at = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`
    const metadata = { issuer: at, jwks_uri: `${at}/keys`, authorization_endpoint: `${at}/auth`, token_endpoint: `${at}/token` }
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : metadata))
  })
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`
  try {
    await using people = await start({ issuer })
    const ada = await joinByPasskey(people, 'ada')
    await people.database.kysely
      .insertInto('identity_external')
      .values({ issuer, subject: 'sub-of-ada', person: ada.id, created: people.now(), used_day: null })
      .execute()
    const event = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    let counted = 0
    const token = (claims: object = {}, own: { key?: CryptoKey; aud?: string; iss?: string; at?: number } = {}): Promise<string> =>
      new SignJWT({ events: event, sub: 'sub-of-ada', jti: `token ${counted++}`, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(own.iss ?? issuer)
        .setAudience(own.aud ?? CLIENT.id)
        .setIssuedAt(Math.floor((own.at ?? people.now()) / 1000))
        .sign(own.key ?? genuine.privateKey)
    const signedIn = async (): Promise<boolean> => (await people.identity.recognise('session', ada.session.secret)) !== undefined
    for (const [what, bad] of [
      ['another key', await token({}, { key: stranger.privateKey })],
      ['another client', await token({}, { aud: 'other' })],
      ['another issuer', await token({}, { iss: 'https://evil.example' })],
      ['too old', await token({}, { at: people.now() - 2 * limits.providerMs })],
      ['no logout', await token({ events: {} })],
      ['an ID token', await token({ nonce: 'x' })],
      ['nobody', await token({ sub: undefined })],
      ['no name', await token({ jti: undefined })],
      ['no token', 'x'],
      ['nothing', ''],
    ] as const)
      await assert.rejects(people.identity.endByProvider(bad), { code: 'identity.provider' }, what)
    await people.identity.endByProvider(await token({ sub: 'somebody else' }))
    assert.equal(await signedIn(), true)

    await using gateway = await startGateway({ identity: people.identity })
    const good = await token()
    const send = (type: string, body: string): Promise<WireAnswer> =>
      call(gateway, { method: 'POST', path: '/api/v1/sign-in/provider/logout', headers: { cookie: '', 'content-type': type }, body })
    const form = 'application/x-www-form-urlencoded'
    assert.equal(problemOf(await send('application/json', JSON.stringify({ logout_token: good }))).code, 'api.body')
    assert.equal(problemOf(await send(form, 'other=1')).code, 'api.body')
    assert.equal((await send(form, `logout_token=${good}`)).status, 200)
    assert.equal(await signedIn(), false)
    assert.equal(problemOf(await send(form, `logout_token=${good}`)).code, 'identity.provider')
  } finally {
    keys.closeAllConnections()
    keys.close()
  }
})

test('what the environment says of a provider is read strictly', async () => {
  const request = { issuer: undefined, client: undefined, secretFile: undefined, name: undefined, newPeople: false }
  assert.equal(await providerSettings(request), undefined)
  const set = await providerSettings({ ...request, issuer: 'https://login.hospital.example/realms/staff', client: 'quorate' })
  assert.deepEqual([set?.name, set?.newPeople, set?.clientSecret], ['login.hospital.example', false, undefined])
  for (const wrong of [
    { issuer: 'https://a.example' },
    { client: 'quorate' },
    { client: 'quorate', issuer: 'a.example' },
    { client: 'quorate', issuer: 'http://a.example' },
    { client: 'quorate', issuer: 'https://user@a.example' },
    { client: 'quorate', issuer: 'https://a.example/?x=1' },
    { client: 'quorate', issuer: 'https://a.example', secretFile: '/nowhere/secret' },
  ])
    await assert.rejects(providerSettings({ ...request, ...wrong }), { code: 'main.config' }, JSON.stringify(wrong))
})
