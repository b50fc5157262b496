// Every route over a real socket: what the contract promises, and a problem document for everything else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure, isFailure } from '#base'
import { createClient, identityRoutes, routes, toFailure, type Client, type Route } from '#contract'
import { inProcessTransport } from '#gateways/api'
import { socketTransport } from '../../../src/cli/socket-transport.ts'
import { parseQuery } from '../../../src/gateways/api/query.ts'
import { createMemoryDoor, ID, type MemoryDoor } from './memory-door.ts'
import { call, json, problemOf, raw, startGateway, type WireAnswer } from './support.ts'

const ROUTES: [string, Route][] = Object.entries(routes)

/** The same calls over each way to a site. */
async function eachTransport(work: (client: Client, door: MemoryDoor) => Promise<void>): Promise<void> {
  const door = createMemoryDoor()
  await work(createClient(inProcessTransport(door)), door)
  await using gateway = await startGateway()
  const transport = socketTransport(gateway.socket)
  await work(createClient(transport.call), gateway.door)
  transport.close()
}

test('a client reaches every call of the contract, with and without a socket', async () => {
  await eachTransport(async (client, door) => {
    const bytes = Buffer.from('hello')
    assert.equal((await client.site()).vault, null)
    const vault = await client.createVault({ threshold: 2, locations: [{ spec: 'folder:a' }, { spec: 'folder:b', label: 'B' }] })
    assert.deepEqual([vault.threshold, vault.count, vault.layout], [2, 2, 'shared'])
    assert.equal((await client.status()).health, 'healthy')
    assert.equal((await client.status({ check: true })).health, 'healthy')
    assert.equal((await client.addLocation({ spec: 'folder:c' })).label, 'folder:c')
    assert.equal((await client.testLocation({ location: 'folder:c' })).honestCreate, true)
    const stored = await client.upload({ path: '/a/b ü%&+#?.txt', body: bytes, size: 5, type: 'text/plain' })
    assert.deepEqual([stored.entry.path, stored.entry.size, stored.acknowledged], ['/a/b ü%&+#?.txt', 5, 3])
    assert.equal((await client.stat({ path: '/a/b ü%&+#?.txt' })).type, 'text/plain')
    assert.deepEqual(
      (await client.list({ path: '/', recursive: true })).entries.map((entry) => entry.path),
      ['/a', '/a/b ü%&+#?.txt'],
    )
    assert.equal((await client.list({ path: '/', limit: 1 })).next, null)
    assert.equal((await client.createFolder({ path: '/f' })).kind, 'folder')
    assert.equal((await client.copy({ from: '/a/b ü%&+#?.txt', to: '/c' })).path, '/c')
    assert.equal((await client.move({ from: '/c', to: '/d' })).path, '/d')
    assert.equal((await client.versions({ path: '/d' })).versions.length, 1)
    assert.equal((await client.placement({ path: '/d' })).threshold, 2)
    assert.deepEqual(Buffer.from(await client.fragment({ path: '/d', x: 1, offset: 1, length: 3 })).toString(), 'ell')
    assert.equal((await client.scrub({})).state, 'done')
    assert.equal((await client.repair({})).state, 'done')
    // What was asked for, and the vault as it is.
    assert.equal((await client.plan({ count: 3, threshold: 2, layouts: ['sealed'] })).considered, 2)
    assert.equal((await client.health()).debt.urgent, 1)
    assert.equal((await client.setHealth({ paused: true, schedule: [{ depth: 'tags', everyHours: 48 }] })).schedule[1]!.everyHours, 48)
    assert.equal((await client.healthHistory({ days: 7 })).samples.length, 3)
    assert.equal((await client.setTraits({ location: 'west', traits: { provider: 'West' } })).traits.provider, 'West')
    assert.equal((await client.join({ locations: [{ spec: 'folder:a' }, { spec: 'folder:b' }] })).state, 'done')
    assert.match((await client.writerKey({})).line, /^quorate-writer-1 /)
    assert.deepEqual(await client.addWriter({ line: 'quorate-writer-1 AA==', name: 'north' }), { writers: [], alarms: [] })
    assert.deepEqual(await client.removeWriter('north'), await client.writers())
    assert.deepEqual(await client.acknowledge({ alarm: 'x' }), { writers: [], alarms: [] })
    assert.equal((await client.recover({ locations: [{ spec: 'folder:a' }, { spec: 'folder:b' }] })).state, 'done')
    assert.equal((await client.tasks()).tasks.length, 1)
    assert.equal((await client.task(ID)).id, ID)
    assert.equal((await client.cancelTask(ID)).id, ID)
    assert.equal((await client.auditHead()).size, 1)
    assert.equal((await client.auditEntries({ kind: 'start', limit: 5 })).entries.length, 1)
    assert.equal(Buffer.from(await client.auditReceipt(0)).toString(), 'receipt\n')
    await assert.rejects(client.auditReceipt(7), (error) => isFailure(error, 'audit.absent'))
    assert.equal((await client.auditConsistency({ from: 1 })).from, 1)
    assert.deepEqual(await Array.fromAsync(client.auditVerify(), ({ kind }) => kind), ['progress', 'verdict'])
    assert.equal(Buffer.concat(await Array.fromAsync(await client.auditPersonal(), (part) => Uint8Array.from(part))).toString(), '{}\n')
    assert.deepEqual(await client.auditExport(), { folder: '/home/audit', size: 1 })
    assert.deepEqual(await client.auditErase({ person: 'ada', reason: 'asked' }), { entries: 0 })
    assert.equal((await client.auditRestart({ reason: 'the disk died' })).state, 'sound')
    assert.equal(Buffer.from((await client.auditFile('checkpoint'))!).toString(), 'head\n')
    assert.equal((await client.auditFile('tile/0/000.p/1'))?.length, 32)
    assert.equal(await client.auditFile('tile/0/000'), undefined)
    const download = await client.download({ path: '/d' })
    assert.deepEqual(
      [download.size, download.type, Buffer.concat(await Array.fromAsync(download.body, (part) => Uint8Array.from(part))).toString()],
      [5, 'text/plain', 'hello'],
    )
    assert.equal((await client.remove({ path: '/d' })).removed, 1)
    await assert.rejects(client.stat({ path: '/d' }), (error) => isFailure(error, 'storage.absent'))
    await assert.rejects(client.openSession({ code: 'x'.repeat(20) }), (error) => isFailure(error, 'api.not-found'))
    assert.ok(door.calls.includes('status checked'))
    assert.equal(door.openGrants(), 0)
  })
})

test('every failure of the door is a problem document with its code, next step and culprits', async () => {
  await eachTransport(async (client, door) => {
    door.refuse('stat', new Failure('storage.quorum', { detail: 'Two are away.', next: 'Wait.', culprits: ['west', 'east'] }))
    await assert.rejects(client.stat({ path: '/a' }), (error) => {
      assert.ok(isFailure(error, 'storage.quorum'))
      assert.deepEqual([error.message, error.next, error.culprits], ['Two are away.', 'Wait.', ['west', 'east']])
      return true
    })
    door.refuse('versions', new Error('words of /secret'))
    await assert.rejects(client.versions({ path: '/a' }), (error) => {
      assert.ok(isFailure(error, 'base.internal'))
      assert.doesNotMatch(JSON.stringify([error.message, error.next]), /secret/)
      return true
    })
  })
})

/** What their queries say is no path, or may be left away. */
const WITHOUT_PATH: ReadonlySet<string> = new Set([
  'status',
  'healthHistory',
  'uploads',
  'sendUpload',
  'trash',
  'deletions',
  'auditEntries',
  'alarms',
  'deliveries',
])

test('every route answers bad input with a problem that names the place', async () => {
  await using gateway = await startGateway()
  // Who may call the routes about people comes first; people.test.ts walks through those.
  for (const [name, route] of ROUTES.filter(([name]) => !(name in identityRoutes))) {
    const path = route.path.replace(':id', ID)
    const empty = route.body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: '{}' }
    const needed =
      name === 'sendUpload'
        ? `&turn=${ID}&offset=0`
        : name === 'planMoment'
          ? '&at=2026-01-01T00:00:00Z'
          : name === 'auditConsistency'
            ? '&from=1'
            : name === 'search'
              ? '&text=a'
              : ''
    const unknown = await call(gateway, { method: route.method, path: `${path}?path=/a&x=1&nonsense=1${needed}`, ...empty })
    if (name !== 'openSession') assert.match(problemOf(unknown).detail, /nonsense/, name)
    if (route.body !== undefined) {
      for (const body of ['', '{', '[]', 'null', '1', '"a"', '{"nonsense":1}', '{"__proto__":{"path":"/"}}', '\xff', '['.repeat(5000)]) {
        const answer = await call(gateway, { method: route.method, path, headers: { 'content-type': 'application/json' }, body })
        assert.equal(problemOf(answer).code, 'api.body', `${name} ${body}`)
      }
      const large = await json(gateway, route.method, path, { path: 'x'.repeat(100_000) })
      assert.equal(problemOf(large).code, 'api.limit', name)
    }
    if (route.query !== undefined && !WITHOUT_PATH.has(name)) {
      for (const query of ['', '?path=', '?path=relative', '?path=/a&path=/b', '?path=%ff', '?path=%', `?path=/${'x'.repeat(4097)}`]) {
        const answer = await call(gateway, { method: route.method, path: path + query })
        assert.equal(problemOf(answer).code, 'api.body', `${name} ${query}`)
      }
    }
  }
  assert.deepEqual(gateway.door.calls, [])
})

test('unknown addresses and methods are problems too; 405 says what is allowed', async () => {
  await using gateway = await startGateway()
  const { door } = gateway
  for (const path of [
    '/api/v1/nothing',
    '/api/v1/files/',
    '/api/v1/FILES',
    '/api/v2/files',
    '/api',
    '/x',
    '//api/v1/site',
    '/api/v1/../v1/site',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%00',
    '/%ff',
    '/%',
  ]) {
    const answer = await call(gateway, { path })
    assert.ok(['api.not-found', 'api.body'].includes(problemOf(answer).code), path)
  }
  for (const [method, path, allow] of [
    ['PATCH', '/api/v1/files', 'GET, DELETE, HEAD'],
    ['POST', '/api/v1/content', 'PUT, GET, HEAD'],
    ['GET', '/api/v1/vault', 'POST'],
    ['OPTIONS', `/api/v1/tasks/${ID}`, 'GET, DELETE, HEAD'],
  ] as const) {
    const answer = await call(gateway, { method, path })
    assert.deepEqual([answer.status, problemOf(answer).code, answer.headers.allow], [405, 'api.method', allow])
  }
  assert.deepEqual(door.calls, [])
})

test('what is no HTTP request, or too large a head, gets a problem and a closed connection', async () => {
  await using gateway = await startGateway()
  const head = `GET /api/v1/site HTTP/1.1\r\nhost: localhost:${gateway.port}\r\n`
  for (const [text, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/9.9\r\n\r\n', 400],
    [`${head}a: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    [`${head}${'a: b\r\n'.repeat(20_000)}\r\n`, 431],
    [`GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 431],
    [`${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`, 400],
    [`${head}content-length: -1\r\n\r\n`, 400],
    [`${head}a\u0000b: c\r\n\r\n`, 400],
  ] as const) {
    const answer = await raw(gateway, text)
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), `${text.slice(0, 40)} -> ${answer.slice(0, 60)}`)
    assert.equal(toFailure(status, Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4))).status, status)
  }
})

test('a head that never ends is closed with 408', async () => {
  await using gateway = await startGateway({ bounds: { requestHeadersMs: 50 } })
  assert.match(await raw(gateway, 'GET / HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1.1 408 /)
})

test('a JSON body that never ends is given up', async () => {
  await using gateway = await startGateway({ bounds: { requestBodyMs: 50, lingerMs: 50 } })
  const head = `POST /api/v1/folders HTTP/1.1\r\nhost: localhost:${gateway.port}\r\ncookie: ${gateway.cookie}\r\ncontent-type: application/json\r\n`
  assert.match(await raw(gateway, `${head}content-length: 100\r\n\r\n{"path`), /^HTTP\/1.1 408 [^]*api\.timeout/)
})

test('HEAD answers what GET does, without a body', async () => {
  await using gateway = await startGateway()
  gateway.door.put('/a', Buffer.from('hello'))
  for (const path of [
    '/api/v1/site',
    '/api/v1/status',
    '/api/v1/files?path=/',
    '/api/v1/content?path=/a',
    '/api/v1/entry?path=/nothing',
    '/health',
  ]) {
    const [get, head] = [await call(gateway, { path }), await call(gateway, { method: 'HEAD', path })]
    assert.deepEqual([head.status, head.headers['content-type'], head.body.length], [get.status, get.headers['content-type'], 0], path)
    assert.equal(head.headers['content-length'], get.headers['content-length'], path)
  }
  assert.equal((await call(gateway, { method: 'HEAD', path: '/api/v1/events' })).status, 200)
  assert.equal(gateway.door.openGrants(), 0)
})

test('law: a query comes back from any name and value, and anything else is refused with api.body', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((one) => one.isWellFormed())
  fc.assert(
    fc.property(fc.dictionary(text, text, { maxKeys: 8 }), (values) => {
      const search = new URLSearchParams(Object.entries(values)).toString()
      assert.deepEqual({ ...parseQuery(search) }, { ...values })
    }),
  )
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', '=', '&', '%', '+', ';', '/', '\u0000', 'é', '%ff', '%C3%A9', '__proto__', 'path'),
        maxLength: 60,
      }),
      (query) => {
        try {
          const values = parseQuery(query)
          assert.equal(Object.getPrototypeOf(values), null)
          for (const value of Object.values(values)) assert.equal(typeof value, 'string')
        } catch (error) {
          assert.ok(isFailure(error, 'api.body'))
        }
      },
    ),
  )
})

test('law: no query makes the site answer without the contract', async () => {
  await using gateway = await startGateway()
  gateway.door.put('/a', Buffer.from('hello'))
  const part = fc.constantFrom(
    'path',
    '=',
    '&',
    '/',
    'a',
    '%2e',
    '%2F',
    '%',
    'recursive',
    'limit',
    '-1',
    '9e99',
    'true',
    'after',
    '__proto__',
    '[]',
    'x',
    ' ',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('files', 'entry', 'content', 'versions', 'fragment', 'placement', 'status'),
      fc.array(part, { maxLength: 12 }),
      async (name, parts) => {
        const answer: WireAnswer = await call(gateway, { path: `/api/v1/${name}?${encodeURI(parts.join('')).replaceAll('%25', '%')}` })
        if (answer.status !== 200) assert.ok(problemOf(answer).status < 500)
      },
    ),
    { numRuns: 200 },
  )
})
