// The site as strangers meet it: over TLS, behind a proxy, with every trick of a host name, and under more connections than are good.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { routes, type Route } from '#contract'
import { createPublicEntrance, createTrustedProxy, type ApiOptions, type Outside } from '#gateways/api'
import { needsNobody } from '../../../../src/gateways/api/identity-rights.ts'
import { joinByPasskey, startPeople } from '../../../identity/support.ts'
import { ID } from '../memory-door.ts'
import { problemOf, startGateway, type Gateway, type WireAnswer } from '../support.ts'
import { certificate, NAME, type Made } from './certificates.ts'

const ROUTES: [string, Route][] = Object.entries(routes)

interface Site {
  readonly gateway: Gateway
  readonly outside: Outside
  readonly made: Made
  readonly url: URL
  [Symbol.asyncDispose](): Promise<void>
}

/** TLS for a name, on any free port; the public address says 443, as behind a firewall that leads there. */
async function site(options: Partial<ApiOptions> = {}, old = false): Promise<Site> {
  const until = new Date(Date.now() + 86_400_000)
  const [gateway, made] = [await startGateway(options), certificate({ until })]
  const url = new URL(`https://${NAME}`)
  const secure = { pair: made.pair, old }
  const outside = await gateway.api.listenOutside({ address: '127.0.0.1', port: 0, entrance: createPublicEntrance({ url }), secure })
  return { gateway, outside, made, url, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly agent?: Agent
  readonly body?: string
}

function ask({ outside, made }: Pick<Site, 'outside' | 'made'>, asked: Asked): Promise<WireAnswer> {
  const headers = Object.entries({ host: NAME, ...asked.headers }).filter(([, value]) => value !== '')
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: outside.port,
        servername: NAME,
        ca: made.authority,
        method: asked.method ?? 'GET',
        path: asked.path,
        headers: Object.fromEntries(headers),
        setHost: false,
        agent: asked.agent ?? false,
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }))
      },
    )
    request.on('error', reject)
    request.end(asked.body)
  })
}

async function secured({ outside, made }: Pick<Site, 'outside' | 'made'>, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: outside.port, servername: NAME, ca: made.authority, ...options })
  await once(socket, 'secureConnect')
  return socket
}

test('TLS 1.3 with the hybrid of X25519 and ML-KEM-768; who only knows X25519 still comes in, TLS 1.2 only where it is allowed', async () => {
  await using at = await site()
  for (const [groups, negotiated] of [
    ['X25519MLKEM768:X25519:P-256', 'X25519MLKEM768'],
    ['X25519MLKEM768', 'X25519MLKEM768'],
    ['X25519', 'X25519'],
    ['P-256', 'prime256v1'],
  ] as const) {
    const socket = await secured(at, { ecdhCurve: groups })
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    const info = socket.getEphemeralKeyInfo() as { name?: string }
    assert.equal(info.name, negotiated, groups)
    socket.destroy()
  }
  const old: ConnectionOptions = { maxVersion: 'TLSv1.2' }
  await assert.rejects(secured(at, old))
  await using lenient = await site({}, true)
  const socket = await secured(lenient, old)
  assert.equal(socket.getProtocol(), 'TLSv1.2')
  assert.match(socket.getCipher().name, /^ECDHE-.*GCM/)
  socket.destroy()
  await assert.rejects(secured(lenient, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }))
})

test('nobody gets anything from the API before signing in, and the session of the start link is worth nothing here', async () => {
  await using at = await site()
  for (const [name, route] of ROUTES) {
    if (needsNobody(route.method, route.path)) continue
    for (const cookie of ['', at.gateway.cookie, `__Host-quorate=${at.gateway.cookie.split('=')[1]}`]) {
      const answer = await ask(at, { method: route.method, path: route.path.replace(':id', ID), headers: { cookie } })
      assert.equal(problemOf(answer).code, 'access.unauthenticated', name)
      assert.match(String(answer.headers['www-authenticate']), /^Quorate/, name)
    }
  }
  assert.equal(problemOf(await ask(at, { path: '/api/v1/nothing' })).code, 'access.unauthenticated')
  const body = JSON.stringify({ code: at.gateway.loopback.code })
  const opened = await ask(at, { method: 'POST', path: '/api/v1/session', headers: { 'content-type': 'application/json' }, body })
  assert.deepEqual([problemOf(opened).code, opened.headers['set-cookie']], ['api.not-found', undefined])
  assert.deepEqual(at.gateway.door.calls, [])
})

test('a person signs in from outside, and the cookie is bound to this name and to HTTPS', async () => {
  await using people = await startPeople()
  await using at = await site({ identity: people.identity })
  const admin = await joinByPasskey(people, 'admin', ['administrator'])
  const cookie = `__Host-quorate=${admin.session.secret}`
  const own = { origin: `https://${NAME}`, 'sec-fetch-site': 'same-origin' }
  const me = await ask(at, { path: '/api/v1/session', headers: { cookie, ...own } })
  assert.deepEqual([me.status, (JSON.parse(me.body.toString()) as { person: { name: string } }).person.name], [200, 'Dr admin'])
  // The same secret under the name of the loopback cookie, or from another page, is worth nothing.
  assert.equal(
    problemOf(await ask(at, { path: '/api/v1/people', headers: { cookie: `quorate-${at.outside.port}=${admin.session.secret}` } })).code,
    'access.unauthenticated',
  )
  assert.equal(
    problemOf(await ask(at, { path: '/api/v1/people', headers: { cookie, 'sec-fetch-site': 'cross-site' } })).code,
    'api.cross-site',
  )
  const out = await ask(at, {
    method: 'DELETE',
    path: '/api/v1/session',
    headers: { cookie, ...own },
  })
  assert.equal(out.status, 200)
  assert.equal(out.headers['set-cookie']?.[0], '__Host-quorate=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0')
  assert.equal(problemOf(await ask(at, { path: '/api/v1/people', headers: { cookie } })).code, 'access.unauthenticated')
})

test('every answer says that this name is HTTPS for a year', async () => {
  await using at = await site()
  for (const path of ['/health', '/', '/api/v1/site', '/nothing']) {
    const { headers } = await ask(at, { path })
    assert.equal(headers['strict-transport-security'], 'max-age=31536000', path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
  }
  assert.equal((await ask(at, { path: '/health' })).body.toString(), '{"status":"ok"}')
})

test('other names, other origins and other pages are refused, the own name is not', async () => {
  await using at = await site()
  for (const host of [
    'evil.example',
    `${NAME}:8443`,
    `${NAME}.`,
    `${NAME}.evil.example`,
    `user@${NAME}`,
    '127.0.0.1',
    'localhost',
    `x${NAME}`,
    `${NAME}, evil.example`,
  ])
    for (const path of ['/', '/health', '/api/v1/site'])
      assert.equal(problemOf(await ask(at, { path, headers: { host } })).code, 'api.host', `${host} ${path}`)
  for (const host of [NAME, NAME.toUpperCase(), `${NAME}:443`])
    assert.equal((await ask(at, { path: '/health', headers: { host } })).status, 200)
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: `http://${NAME}` },
    { origin: `https://${NAME}:8443` },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[])
    assert.equal(problemOf(await ask(at, { path: '/api/v1/site', headers })).code, 'api.cross-site', JSON.stringify(headers))
  const own = await ask(at, { path: '/api/v1/site', headers: { origin: `https://${NAME}`, 'sec-fetch-site': 'same-origin' } })
  assert.equal(problemOf(own).code, 'access.unauthenticated')
  // Headers of a proxy that nobody trusts change nothing.
  const forged = {
    host: 'evil.example',
    'x-forwarded-host': NAME,
    'x-forwarded-proto': 'https',
    forwarded: `for=127.0.0.1;proto=https;host=${NAME}`,
  }
  assert.equal(problemOf(await ask(at, { path: '/health', headers: forged })).code, 'api.host')
})

test('the certificate is changed while people work: open connections live on, new ones see the new one, no request fails', async () => {
  await using at = await site()
  const next = certificate({ until: new Date(Date.now() + 86_400_000) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const lasting = await secured(at)
  const before = lasting.getPeerCertificate().fingerprint256
  const seen = { asked: 0, over: false }
  const worker = async (kept: Agent | undefined): Promise<void> => {
    while (!seen.over) {
      assert.equal((await ask(at, { path: '/health', ...(kept === undefined ? {} : { agent: kept }) })).status, 200)
      seen.asked += 1
    }
  }
  const work = [worker(agent), worker(undefined), worker(undefined)]
  const untilAsked = async (wanted: number): Promise<void> => {
    while (seen.asked < wanted) await new Promise((turn) => setImmediate(turn))
  }
  await untilAsked(20)
  for (let round = 0; round < 10; round++) {
    at.outside.renew(round % 2 === 0 ? next.pair : at.made.pair)
    await untilAsked(seen.asked + 6)
  }
  at.outside.renew(next.pair)
  seen.over = true
  await Promise.all(work)
  agent.destroy()
  const fresh = await secured(at)
  assert.notEqual(fresh.getPeerCertificate().fingerprint256, before)
  fresh.destroy()
  // The connection of before still serves.
  lasting.write(`GET /health HTTP/1.1\r\nhost: ${NAME}\r\nconnection: close\r\n\r\n`)
  const [part] = (await once(lasting, 'data')) as [Buffer]
  assert.match(part.toString('latin1'), /^HTTP\/1.1 200 /)
  lasting.destroy()
})

test('plain HTTP at the port of TLS gets no answer that a browser would show', async () => {
  await using at = await site()
  const socket = connectPlain(at.outside.port, '127.0.0.1')
  socket.write(`GET / HTTP/1.1\r\nhost: ${NAME}\r\n\r\n`)
  assert.doesNotMatch(await everything(socket), /HTTP\//)
})

test('whoever never finishes the handshake or the headers is put out, and so is a bomb of headers', async () => {
  await using at = await site({ bounds: { handshakeMs: 150, requestHeadersMs: 150 } })
  const silent = connectPlain(at.outside.port, '127.0.0.1')
  assert.equal(await everything(silent), '')
  const half = await secured(at)
  half.write(`GET /health HTTP/1.1\r\nhost: ${NAME}\r\nx-slow: `)
  const drip = setInterval(() => half.write('a'), 20)
  assert.match(await everything(half), /^(?:HTTP\/1.1 408 |$)/)
  clearInterval(drip)
  const nothing = await secured(at)
  assert.match(await everything(nothing), /^(?:HTTP\/1.1 408 |$)/)
  const bomb = await secured(at)
  bomb.write(`GET /health HTTP/1.1\r\nhost: ${NAME}\r\nx-bomb: ${'b'.repeat(40_000)}\r\n\r\n`)
  assert.match(await everything(bomb), /^HTTP\/1.1 431 /)
  assert.equal((await ask(at, { path: '/health' })).status, 200)
})

test('one address holds a few connections and no more; when one goes, another may come', async () => {
  await using at = await site({ bounds: { connectionsPerAddressMax: 3 } })
  const held = [await secured(at), await secured(at), await secured(at)]
  await assert.rejects(ask(at, { path: '/health' }))
  held[0]!.destroy()
  for (;;) {
    const answer = await ask(at, { path: '/health' }).catch(() => undefined)
    if (answer?.status === 200) break
  }
  for (const socket of held) socket.destroy()
  // The loopback page has its own room.
  assert.equal((await fetch(`http://localhost:${at.gateway.port}/health`)).status, 200)
})

test('plain HTTP that was asked for leads to HTTPS under our own name and says nothing else', async () => {
  await using gateway = await startGateway()
  const port = await gateway.api.listenToRedirect({ address: '127.0.0.1', port: 0, origin: `https://${NAME}` })
  const plain = (path: string, headers: Record<string, string>, method = 'GET') => plainCall(port, { path, headers, method })
  for (const [path, location] of [
    ['/', '/'],
    ['/files?a=1', '/files?a=1'],
    ['//evil.example/', '//evil.example/'],
    ['http://evil.example/a', '/'],
    ['*', '/'],
    [`/${'a'.repeat(5000)}`, '/'],
  ] as const) {
    const answer = await plain(path, { host: 'evil.example', 'x-forwarded-host': 'evil.example' })
    assert.deepEqual([answer.status, answer.headers.location, answer.body.length], [308, `https://${NAME}${location}`, 0], path)
  }
  const posted = await plain('/api/v1/session', { host: NAME }, 'POST')
  assert.deepEqual([posted.status, posted.headers.location], [403, undefined])
})

test('behind a proxy that is trusted: its word counts, and plain HTTP beside it does not', async () => {
  await using gateway = await startGateway()
  const open = (trusted: string) =>
    gateway.api.listenOutside({
      address: '127.0.0.1',
      port: 0,
      entrance: createPublicEntrance({ url: new URL(`https://${NAME}`), proxy: createTrustedProxy([trusted]) }),
    })
  const [near, far] = [await open('127.0.0.1'), await open('10.0.0.5')]
  const told = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': NAME }
  const byNear = await plainCall(near.port, { path: '/health', headers: { host: 'backend:7879', ...told } })
  assert.deepEqual([byNear.status, byNear.headers['strict-transport-security']], [200, 'max-age=31536000'])
  assert.equal(
    problemOf(await plainCall(near.port, { path: '/api/v1/site', headers: { host: NAME, ...told } })).code,
    'access.unauthenticated',
  )
  for (const headers of [
    { host: NAME },
    { host: NAME, 'x-forwarded-proto': 'http' },
    { host: NAME, 'x-forwarded-for': '192.0.2.7' },
  ] as Record<string, string>[])
    for (const path of ['/', '/health', '/api/v1/site'])
      assert.equal(problemOf(await plainCall(near.port, { path, headers })).code, 'api.insecure', path)
  assert.equal(
    problemOf(await plainCall(near.port, { path: '/', headers: { ...told, 'x-forwarded-host': 'evil.example' } })).code,
    'api.host',
  )
  assert.equal(problemOf(await plainCall(far.port, { path: '/health', headers: { host: NAME, ...told } })).code, 'api.insecure')
})

test('the sheet for the own authority is on this machine only, in two languages, without a script', async () => {
  const made = certificate()
  const install = {
    origin: `https://${NAME}`,
    pem: made.authority,
    der: Buffer.from('der'),
    fingerprint: Array(32).fill('AB').join(':'),
    endsMs: Date.UTC(2036, 0, 2),
  }
  await using at = await site({ install })
  assert.equal(problemOf(await ask(at, { path: '/install' })).code, 'api.not-found')
  assert.equal(problemOf(await ask(at, { path: '/install/quorate-authority.crt' })).code, 'api.not-found')
  const here = (path: string, headers: Record<string, string> = {}) =>
    plainCall(at.gateway.port, { path, headers: { host: `localhost:${at.gateway.port}`, ...headers } })
  const english = await here('/install', { 'accept-language': 'fr, en;q=0.5' })
  assert.equal(english.status, 200)
  assert.match(english.body.toString(), /<html lang="en">[^]*AB AB AB AB AB AB AB AB<br>[^]*2036-01-02/)
  const german = await here('/install', { 'accept-language': 'de-DE,de;q=0.9' })
  assert.match(german.body.toString(), /<html lang="de">[^]*Fingerabdruck/)
  assert.match((await here('/install?lang=en', { 'accept-language': 'de' })).body.toString(), /<html lang="en">/)
  for (const page of [english, german]) {
    assert.doesNotMatch(page.body.toString(), /<script|<style|style=|javascript:/i)
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; style-src 'self'/)
    for (const system of ['Windows', 'macOS', 'iPhone', 'Android', 'Linux', 'Firefox']) assert.ok(page.body.includes(system), system)
  }
  const file = await here('/install/quorate-authority.crt')
  assert.deepEqual([file.body.toString(), file.headers['content-type']], ['der', 'application/x-x509-ca-cert'])
  assert.equal((await here('/install/quorate-authority.pem')).body.toString(), made.authority)
  assert.equal(problemOf(await here('/install', { host: 'evil.example' })).code, 'api.host')
})

function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let came = ''
    socket.on('data', (part: Buffer) => (came += part.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(came))
  })
}

function plainCall(port: number, wire: { path: string; headers: Record<string, string>; method?: string }): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const { path, headers, method = 'GET' } = wire
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false, setHost: false }, (response) => {
      const parts: Buffer[] = []
      const answered: { status: number; headers: IncomingHttpHeaders } = { status: response.statusCode!, headers: response.headers }
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => resolve({ ...answered, body: Buffer.concat(parts) }))
    })
    request.on('error', reject)
    request.end()
  })
}
