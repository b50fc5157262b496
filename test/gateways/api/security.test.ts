// Who may call over loopback, and what a stored file may do in a browser.
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { routes, type Route } from '#contract'
import { call, json, problemOf, raw, startGateway } from './support.ts'
import { ID } from './memory-door.ts'
import { needsNobody } from '../../../src/gateways/api/identity-rights.ts'

const ROUTES: [string, Route][] = Object.entries(routes)

test('every route of the table refuses whoever has no session', async () => {
  await using gateway = await startGateway()
  assert.ok(ROUTES.length > 20)
  for (const [name, route] of ROUTES) {
    if (needsNobody(route.method, route.path)) continue
    const answer = await call(gateway, { method: route.method, path: route.path.replace(':id', ID), headers: { cookie: '' } })
    assert.equal(problemOf(answer).code, 'access.unauthenticated', name)
    const wrong = await call(gateway, {
      method: route.method,
      path: route.path.replace(':id', ID),
      headers: { cookie: `quorate-${gateway.port}=x` },
    })
    assert.equal(problemOf(wrong).code, 'access.unauthenticated', name)
  }
  const unknown = await call(gateway, { path: '/api/v1/nothing', headers: { cookie: '' } })
  assert.equal(problemOf(unknown).code, 'access.unauthenticated')
  assert.deepEqual(gateway.door.calls, [])
})

test('only what leads to a session is for everybody', () => {
  const open = ROUTES.filter(([, route]) => needsNobody(route.method, route.path)).map(([name]) => name)
  assert.deepEqual(open.toSorted(), [
    'acceptByPasskey',
    'acceptByPassword',
    'invitationPasskeyOptions',
    'invitationTotp',
    'lookAtInvitation',
    'me',
    'openSession',
    'passkeySignIn',
    'passkeySignInOptions',
    'passwordSignIn',
    'providerBegin',
    'providerLogout',
    'providerSignIn',
  ])
})

test('every route refuses foreign host names and other pages before it looks at the session', async () => {
  await using gateway = await startGateway()
  const foreign: [Record<string, string>, string][] = [
    [{ host: 'evil.example' }, 'api.host'],
    [{ host: `evil.example:${gateway.port}` }, 'api.host'],
    [{ host: 'localhost' }, 'api.host'],
    [{ host: `localhost:${gateway.port + 1}` }, 'api.host'],
    [{ host: `localhost.evil.example:${gateway.port}` }, 'api.host'],
    [{ host: `user@localhost:${gateway.port}` }, 'api.host'],
    [{ 'sec-fetch-site': 'cross-site' }, 'api.cross-site'],
    [{ 'sec-fetch-site': 'same-site' }, 'api.cross-site'],
    [{ origin: 'null' }, 'api.cross-site'],
    [{ origin: 'http://evil.example' }, 'api.cross-site'],
    [{ origin: `http://127.0.0.1:${gateway.port}` }, 'api.cross-site'],
    [{ origin: `https://localhost:${gateway.port}` }, 'api.cross-site'],
  ]
  for (const [name, route] of ROUTES) {
    for (const [headers, code] of foreign) {
      const answer = await call(gateway, { method: route.method, path: route.path.replace(':id', ID), headers })
      assert.equal(problemOf(answer).code, code, `${name} ${JSON.stringify(headers)}`)
    }
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('a request without a host is refused, also as HTTP/1.0', async () => {
  await using gateway = await startGateway()
  assert.match(await raw(gateway, `GET /api/v1/site HTTP/1.0\r\ncookie: ${gateway.cookie}\r\n\r\n`), /^HTTP\/1.1 421 /)
})

test('the person at the machine is let in under each loopback name, from the page and by typing the address', async () => {
  await using gateway = await startGateway()
  for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
    const name = `${host}:${gateway.port}`
    const answer = await call(gateway, {
      path: '/api/v1/site',
      headers: { host: name, origin: `http://${name}`, 'sec-fetch-site': 'same-origin' },
    })
    assert.equal(answer.status, 200, host)
  }
  assert.equal((await call(gateway, { path: '/api/v1/site', headers: { 'sec-fetch-site': 'none' } })).status, 200)
  const typed = await json(gateway, 'POST', '/api/v1/folders', { path: '/a' }, { 'sec-fetch-site': 'none' })
  assert.equal(problemOf(typed).code, 'api.cross-site')
})

test('the code of the start link becomes a cookie that scripts cannot read; another code does not', async () => {
  await using gateway = await startGateway()
  const anonymous = { cookie: '' }
  const wrong = await json(gateway, 'POST', '/api/v1/session', { code: 'wrong-wrong-wrong' }, anonymous)
  assert.equal(problemOf(wrong).code, 'access.unauthenticated')
  assert.equal(wrong.headers['set-cookie'], undefined)
  for (let time = 0; time < 2; time++) {
    const opened = await json(gateway, 'POST', '/api/v1/session', { code: gateway.loopback.code }, anonymous)
    assert.equal(opened.status, 200)
    const cookie = opened.headers['set-cookie']?.[0] ?? ''
    assert.match(cookie, /^quorate-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    const inside = await call(gateway, { path: '/api/v1/site', headers: { cookie: `other=1; ${cookie.split(';')[0]}` } })
    assert.equal(inside.status, 200)
  }
  assert.ok(gateway.loopback.code.length >= 43)
})

test('a session of one start is worth nothing at another', async () => {
  await using first = await startGateway()
  await using second = await startGateway()
  const token = first.cookie.split('=')[1]
  const answer = await call(second, { path: '/api/v1/site', headers: { cookie: `quorate-${second.port}=${token}` } })
  assert.equal(problemOf(answer).code, 'access.unauthenticated')
})

test('a form of another page cannot speak JSON by the way', async () => {
  await using gateway = await startGateway()
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', '']) {
    const answer = await call(gateway, {
      method: 'POST',
      path: '/api/v1/folders',
      headers: { 'content-type': type },
      body: '{"path":"/a"}',
    })
    assert.equal(problemOf(answer).code, 'api.body', type)
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('the unix socket is its owner’s alone', async () => {
  await using gateway = await startGateway()
  assert.equal((await stat(gateway.socket)).mode & 0o777, 0o600)
})

test('health needs no session and says nothing else', async () => {
  await using gateway = await startGateway()
  const answer = await call(gateway, { path: '/health', headers: { cookie: '' } })
  assert.deepEqual([answer.status, answer.body.toString()], [200, '{"status":"ok"}'])
})

test('a stored page is saved, sandboxed and never sniffed, even when it is asked for in place', async () => {
  await using gateway = await startGateway()
  gateway.door.put('/page.html', Buffer.from('<script>alert(1)</script>'), 'text/html')
  gateway.door.put('/picture.png', Buffer.from('png'), 'image/png')
  gateway.door.put('/picture.svg', Buffer.from('<svg/>'), 'image/svg+xml')
  for (const [path, disposition] of [
    ['/page.html', 'attachment'],
    ['/picture.svg', 'attachment'],
    ['/picture.png', 'inline'],
  ] as const) {
    const answer = await call(gateway, { path: `/api/v1/content?path=${path}&inline=true` })
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers['content-security-policy']), /^sandbox; default-src 'none'/)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.ok(answer.headers['content-disposition']!.startsWith(`${disposition};`), path)
  }
  assert.ok((await call(gateway, { path: '/api/v1/content?path=/picture.png' })).headers['content-disposition']!.startsWith('attachment;'))
})

test('no answer invites another origin', async () => {
  await using gateway = await startGateway()
  const headers = { origin: 'http://evil.example', 'access-control-request-method': 'PUT' }
  for (const [method, path] of [
    ['OPTIONS', '/api/v1/content?path=/a'],
    ['GET', '/api/v1/site'],
    ['GET', '/health'],
    ['GET', '/'],
  ] as const) {
    const answer = await call(gateway, { method, path, headers })
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
      [],
      path,
    )
  }
})

test('the log knows routes, codes and times, and no path, no code, no cookie', async () => {
  await using gateway = await startGateway()
  gateway.door.refuse('versions', new Error('words about /secret/name', { cause: new TypeError('more of /secret/name') }))
  await call(gateway, { path: '/api/v1/entry?path=/secret/name' })
  await call(gateway, { path: '/api/v1/versions?path=/secret/name' })
  await call(gateway, { method: 'PUT', path: '/api/v1/content?path=/secret/name', body: 'secret bytes' })
  await call(gateway, { path: '/secret/name' })
  await call(gateway, { path: '/api/v1/secret/name' })
  await json(gateway, 'POST', '/api/v1/session', { code: gateway.loopback.code })
  await json(gateway, 'POST', '/api/v1/session', { code: 'secret-secret-secret' })
  const text = JSON.stringify(gateway.logged)
  assert.doesNotMatch(text, /secret/)
  assert.ok(!text.includes(gateway.loopback.code) && !text.includes(gateway.cookie.split('=')[1]!))
  assert.match(text, /"route":"\/api\/v1\/entry","status":404,"code":"storage.absent","milliseconds":\d/)
  assert.match(text, /"name":"TypeError"/)
  assert.equal(gateway.logged.length, 7)
})
