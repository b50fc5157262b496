// What comes in that no honest client sends: bombs in JSON and headers, smuggled requests, bodies drop by drop. Clear status, bounded memory.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '#base'
import { identityRoutes, routes, type Route } from '#contract'
import { call, json, problemOf, raw, startGateway, until, type Gateway } from './support.ts'

/** Without those about people, which ask who calls before they read. */
const POSTS = (Object.entries(routes) as [string, Route][]).filter(
  ([name, { body }]) => body !== undefined && name !== 'openSession' && !(name in identityRoutes),
)

function head(gateway: Gateway, lines: readonly string[]): string {
  return [...lines, `host: localhost:${gateway.port}`, `cookie: ${gateway.cookie}`, '', ''].join('\r\n')
}

test('JSON bombs are refused within the bound of a body: depth, width, digits, keys that mean something to programs', async () => {
  await using gateway = await startGateway()
  const bombs = {
    depth: `{"path":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    'depth of objects': `${'{"path":'.repeat(7000)}1${'}'.repeat(7000)}`,
    width: `{"path":[${'0,'.repeat(30_000)}0]}`,
    digits: `{"path":1${'0'.repeat(60_000)}}`,
    escapes: `{"path":"${'\\u0000'.repeat(10_000)}"}`,
    'half a character': '{"path":"\\ud800"',
    prototype: '{"path":"/f","__proto__":{"admin":true}}',
    constructor: '{"path":"/f","constructor":{"prototype":{"admin":true}}}',
    'no text': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    'a mark before': '\ufeff{"path":"/f"}',
    empty: '',
    null: 'null',
    list: '[]',
    text: '"{}"',
  }
  for (const [name, body] of Object.entries(bombs)) {
    const answer = await call(gateway, { method: 'POST', path: '/api/v1/folders', headers: { 'content-type': 'application/json' }, body })
    const problem = problemOf(answer)
    assert.deepEqual([answer.status, problem.code], [400, 'api.body'], name)
    assert.ok(answer.body.length < 2000, `${name}: a short answer`)
  }
  assert.ok(!('admin' in {}), 'nothing was written to the prototype of everything')
  assert.deepEqual(gateway.door.calls, [])
})

test('a body over the bound is refused by its announced length and by what comes, for every route', async () => {
  await using gateway = await startGateway()
  const large = `{"path":"${'x'.repeat(limits.requestBodyBytesMax)}"}`
  for (const [name, { method, path }] of POSTS) {
    const at = path.replace(/:\w+/g, '0123456789abcdef0123456789abcdef')
    const said = await call(gateway, { method, path: at, headers: { 'content-type': 'application/json' }, body: large })
    assert.deepEqual([said.status, problemOf(said).code], [413, 'api.limit'], name)
    const unsaid = await call(gateway, {
      method,
      path: at,
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      body: large,
    })
    assert.deepEqual([unsaid.status, problemOf(unsaid).code], [413, 'api.limit'], name)
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('law: no JSON value reaches the door but one that the contract takes', async () => {
  await using gateway = await startGateway()
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...POSTS), fc.jsonValue({ maxDepth: 4 }), async ([name, route], value) => {
      const before = gateway.door.calls.length
      const path = route.path.replace(/:\w+/g, '0123456789abcdef0123456789abcdef')
      const answer = await json(gateway, route.method, path, value)
      if (answer.status < 400) assert.ok(route.body!.safeParse(value).success, `${name} took ${JSON.stringify(value)}`)
      else if (answer.status === 400) assert.equal(problemOf(answer).code, 'api.body')
      if (answer.status === 400) assert.equal(gateway.door.calls.length, before, name)
      assert.notEqual(answer.status, 500, `${name} ${JSON.stringify(value)}`)
    }),
    { numRuns: 300 },
  )
})

test('header bombs: one that is large, many that are small, names that are none, lines that are folded', async () => {
  await using gateway = await startGateway()
  const large = await raw(gateway, head(gateway, ['GET /api/v1/site HTTP/1.1', `x: ${'a'.repeat(limits.requestHeadersBytesMax)}`]))
  assert.match(large, /^HTTP\/1\.1 431 /)
  assert.match(large, /"code":"api\.headers"/)
  const many = await raw(gateway, head(gateway, ['GET /api/v1/site HTTP/1.1', ...Array.from({ length: 5000 }, (_, at) => `x-${at}: 1`)]))
  assert.match(many, /^HTTP\/1\.1 431 /)
  for (const line of ['x y: 1', 'x\x00: 1', 'x: a\x00b', ': 1', 'x: 1\r\n folded: 2\x01']) {
    const answer = await raw(gateway, head(gateway, ['GET /api/v1/site HTTP/1.1', line]))
    assert.match(answer, /^HTTP\/1\.1 400 /, JSON.stringify(line))
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('smuggled requests: two lengths, a length beside chunks, chunks that lie; the second request is never seen', async () => {
  await using gateway = await startGateway()
  const inner = `GET /api/v1/site HTTP/1.1\r\nhost: localhost:${gateway.port}\r\ncookie: ${gateway.cookie}\r\n\r\n`
  const json = 'content-type: application/json'
  const tricks = [
    [['POST /api/v1/folders HTTP/1.1', json, 'content-length: 2', 'content-length: 200'], `{}${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'content-length: 2', 'transfer-encoding: chunked'], `0\r\n\r\n${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'transfer-encoding: chunked, identity'], `0\r\n\r\n${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'transfer-encoding : chunked'], `0\r\n\r\n${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'content-length: +2'], `{}${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'content-length: 0x2'], `{}${inner}`],
    [['POST /api/v1/folders HTTP/1.1', json, 'transfer-encoding: chunked'], `g\r\n{}\r\n0\r\n\r\n${inner}`],
    [['GET /api/v1/folders HTTP/1.1\nx: 1'], inner],
    [['GET http://evil.example/api/v1/site HTTP/1.1'], ''],
    [['GET /api/v1/site HTTP/9.9'], inner],
  ] as const
  for (const [lines, body] of tricks) {
    const answer = await raw(gateway, `${head(gateway, lines)}${body}`, { thenEnd: true })
    // Where a body turns out to be none, the connection is closed without a word.
    assert.match(answer, /^(?:HTTP\/1\.1 4\d\d |$)/, JSON.stringify(lines))
    assert.ok([...answer.matchAll(/^HTTP\/1\.1 /gm)].length <= 1, `${JSON.stringify(lines)}: ${answer}`)
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('a body that comes drop by drop does not keep a call beyond its bound', { timeout: 20_000 }, async () => {
  await using gateway = await startGateway({ bounds: { requestBodyMs: 300 } })
  const begun = performance.now()
  const came = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(gateway.port, '127.0.0.1', () => {
      socket.write(head(gateway, ['POST /api/v1/folders HTTP/1.1', 'content-type: application/json', 'content-length: 60000']))
      const drop = setInterval(() => socket.write(' '), 20)
      socket.on('close', () => {
        clearInterval(drop)
        resolve(text)
      })
    })
    socket.on('data', (part) => (text += part.toString()))
    socket.on('error', () => {})
  })
  assert.match(came, /^HTTP\/1\.1 408 /)
  assert.ok(performance.now() - begun >= 290)
  assert.deepEqual(gateway.door.calls, [])
})

test('connections that say nothing, or half a head, are closed; others are served meanwhile', { timeout: 30_000 }, async () => {
  await using gateway = await startGateway({ bounds: { requestHeadersMs: 300 } })
  const silent = Array.from({ length: 50 }, (_, at) => raw(gateway, at % 2 === 0 ? '' : 'GET /api/v1/site HTTP/1.1\r\nhost: x'))
  assert.equal((await call(gateway, { path: '/api/v1/site' })).status, 200)
  const answers = await Promise.all(silent)
  assert.ok(answers.every((answer) => answer === '' || answer.startsWith('HTTP/1.1 408 ')))
})

test('uploads of one name at once become versions, each whole; one that breaks off leaves the others alone', async () => {
  await using gateway = await startGateway()
  const bodies = Array.from({ length: 8 }, (_, at) => Buffer.alloc(200_000, at + 1))
  const broken = new Promise<void>((resolve) => {
    const socket = connect(gateway.port, '127.0.0.1', () => {
      socket.write(head(gateway, ['PUT /api/v1/content?path=/same HTTP/1.1', 'content-length: 200000']))
      socket.write(Buffer.alloc(1000, 99), () => void until(() => gateway.door.calls.includes('part')).then(() => socket.destroy()))
    })
    socket.on('close', () => resolve())
    socket.on('error', () => {})
  })
  const answers = await Promise.all(bodies.map((body) => call(gateway, { method: 'PUT', path: '/api/v1/content?path=/same', body })))
  await broken
  await until(() => gateway.door.dropped.length === 1)
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
  const { versions } = await gateway.door.versions({ path: '/same' })
  assert.equal(versions.length, 8)
  const seen = new Set<number>()
  for (const { number } of versions) {
    const { body } = await call(gateway, { path: `/api/v1/content?path=/same&version=${number}` })
    assert.equal(body.length, 200_000)
    assert.ok(body.every((byte) => byte === body[0]))
    seen.add(body[0]!)
  }
  assert.equal(seen.size, 8)
})
