// What a site tells those who run it: metrics, health, and a name for each request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type Clock } from '#base'
import { createMetrics, type Metrics } from '../../../src/gateways/api/metrics.ts'
import { createReadiness } from '../../../src/gateways/api/readiness.ts'
import { joinByPasskey, LOCAL, startPeople } from '../../identity/support.ts'
import { createMemoryDoor, ID, accessTo, type MemoryDoor } from './memory-door.ts'
import { call, json, problemOf, raw, startGateway, until, type Gateway } from './support.ts'

async function observed(): Promise<Gateway> {
  const door = createMemoryDoor()
  const metrics = createMetrics({ door, databaseWait: () => ({ waiting: 2, waits: 7, waitedMs: 1500 }) })
  return Object.assign(await startGateway({ access: accessTo(door), metrics }), { door })
}

/** Values by name and labels, as a scraper reads them. */
async function scrape(gateway: Gateway): Promise<Map<string, number>> {
  const answer = await call(gateway, { path: '/metrics' })
  assert.equal(answer.status, 200, answer.body.toString())
  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  const lines = answer.body
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

test('requests are counted by operation, status and code; bytes, openings and durations with them', async () => {
  await using gateway = await observed()
  await call(gateway, { method: 'PUT', path: '/api/v1/content?path=/a', body: 'x'.repeat(1000) })
  await call(gateway, { path: '/api/v1/content?path=/a' })
  await call(gateway, { path: '/api/v1/content?path=/a', headers: { range: 'bytes=0-9' } })
  await call(gateway, { path: '/api/v1/content?path=/none' })
  await call(gateway, { path: '/api/v1/none' })
  const values = await scrape(gateway)
  assert.equal(values.get('quorate_requests_total{operation="upload",status="201",code=""}'), 1)
  assert.equal(values.get('quorate_requests_total{operation="download",status="200",code=""}'), 1)
  assert.equal(values.get('quorate_requests_total{operation="download",status="206",code=""}'), 1)
  assert.equal(values.get('quorate_requests_total{operation="download",status="404",code="storage.absent"}'), 1)
  assert.equal(values.get('quorate_requests_total{operation="none",status="404",code="api.not-found"}'), 1)
  assert.equal(values.get('quorate_openings_total{how="read"}'), 2)
  assert.equal(values.get('quorate_openings_total{how="write"}'), 1)
  assert.equal(values.get('quorate_body_bytes_total{direction="in"}'), 1000)
  assert.ok(values.get('quorate_body_bytes_total{direction="out"}')! >= 1010)
  assert.equal(values.get('quorate_request_duration_seconds_count{operation="download"}'), 3)
  assert.equal(values.get('quorate_database_waiting'), 2)
  assert.equal(values.get('quorate_database_waits_total'), 7)
  assert.equal(values.get('quorate_database_wait_seconds_total'), 1.5)
  assert.ok(values.get('process_resident_memory_bytes')! > 1e6)
  assert.ok(values.has('nodejs_eventloop_lag_p99_seconds'))
  // Asked again, sums of others are not added up.
  assert.equal((await scrape(gateway)).get('quorate_database_waits_total'), 7)
})

test('the state of the vault: health, locations, debt; and nothing old when it cannot be looked at', async () => {
  await using gateway = await observed()
  const { door } = gateway
  const location = {
    id: ID,
    label: '/secret/place',
    kind: 'folder',
    x: 1,
    state: 'lying',
    detail: 'secret',
    next: '',
    fragments: { held: 5, lost: 1, corrupt: 2, pending: 3 },
    bytes: 77,
    latencyMs: 20,
    lastSeen: null,
    capabilities: null,
    probe: null,
  } as const
  const status = await door.status({ check: false })
  await door.createVault({ name: 'secret', threshold: 2, locations: [{ spec: 'folder:/a' }, { spec: 'folder:/b' }] })
  const { vault } = await door.status({ check: false })
  const metrics = createMetrics({
    door: { ...door, status: async () => ({ ...status, vault, health: 'degraded', locations: [location] }) },
  })
  const { text } = await metrics.text()
  assert.match(text, /^quorate_state_readable 1$/m)
  assert.match(text, /^quorate_vault_health\{health="degraded"\} 1$/m)
  assert.match(text, /^quorate_vault_health\{health="healthy"\} 0$/m)
  assert.match(text, /^quorate_locations\{state="lying"\} 1$/m)
  assert.match(text, /^quorate_location_latency_seconds\{location="01234567"\} 0\.02$/m)
  assert.match(text, /^quorate_location_fragments\{location="01234567",state="corrupt"\} 2$/m)
  assert.match(text, /^quorate_repair_debt_urgent_fragments 1$/m)
  assert.doesNotMatch(text, /secret/)
  const blind = createMetrics({ door: { ...door, status: () => Promise.reject(new Failure('database.unavailable')) } })
  const { text: dark } = await blind.text()
  assert.match(dark, /^quorate_state_readable 0$/m)
  assert.doesNotMatch(dark, /^quorate_(?:files|repair_debt_bytes)\b [0-9]/m)
})

test('metrics are for the operator: with a session, over the socket, from no other page; without them the address is unknown', async () => {
  await using gateway = await observed()
  assert.equal((await call(gateway, { path: '/metrics', headers: { cookie: '' } })).status, 401)
  assert.equal((await call(gateway, { path: '/metrics', headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.equal((await call(gateway, { path: '/metrics', headers: { host: 'evil.example' } })).status, 421)
  await using plain = await startGateway()
  assert.equal(problemOf(await call(plain, { path: '/metrics' })).code, 'api.not-found')
})

test('of people, administrators read metrics: by a session, or by a token for the whole vault', async () => {
  await using people = await startPeople()
  const door = createMemoryDoor()
  await using gateway = await startGateway({ access: accessTo(door), metrics: createMetrics({ door }), identity: people.identity })
  const admin = await joinByPasskey(people, 'admin', ['administrator'])
  const auditor = await joinByPasskey(people, 'auditor', ['auditor'])
  const token = async (path: string): Promise<string> => {
    const made = await people.identity.makeSecret(LOCAL, admin.id, {
      means: 'token',
      name: 'for metrics',
      scope: { rights: 'read', path },
      days: 1,
    })
    return `Bearer ${made.secret}`
  }
  const asked = async (headers: Record<string, string>): Promise<number> => (await call(gateway, { path: '/metrics', headers })).status
  const session = (secret: string): Record<string, string> => ({ cookie: `quorate-${gateway.port}=${secret}` })
  assert.equal(await asked(session(admin.session.secret)), 200)
  assert.equal(await asked({ cookie: '', authorization: await token('/') }), 200)
  assert.equal(await asked({ cookie: '', authorization: await token('/mri') }), 403)
  assert.equal(await asked(session(auditor.session.secret)), 403)
  assert.equal(await asked({}), 401, 'the start link is nobody where people administer')
  assert.equal(await asked({ cookie: '', authorization: 'Bearer qt_made-up' }), 401)
})

test('scrapes at once look once', async () => {
  const door = createMemoryDoor()
  const held = Promise.withResolvers<void>()
  let looks = 0
  const status: MemoryDoor['status'] = async (request) => {
    looks += 1
    await held.promise
    return door.status(request)
  }
  const metrics: Metrics = createMetrics({ door: { ...door, status } })
  const both = [metrics.text(), metrics.text()]
  held.resolve()
  const [one, other] = await Promise.all(both)
  assert.equal(one!.text, other!.text)
  assert.equal(looks, 1)
})

test('ready: the database answers and k locations do; it says no more, to anybody', async () => {
  await using gateway = await startGateway()
  const ask = async () => {
    const answer = await call(gateway, { path: '/health/ready', headers: { cookie: '' } })
    return [answer.status, JSON.parse(answer.body.toString())] as const
  }
  assert.deepEqual(await ask(), [200, { status: 'ready', database: 'answers', vault: 'none' }])
  assert.equal((await call(gateway, { path: '/health', headers: { cookie: '' } })).status, 200)
})

test('not ready: too few locations, a database that refuses, one that says nothing; asked again after a second', async () => {
  const door = createMemoryDoor()
  await door.createVault({ name: 'v', threshold: 2, locations: [{ spec: 'folder:/a' }, { spec: 'folder:/b' }] })
  const status = await door.status({ check: false })
  const at = (state: 'healthy' | 'unreachable' | 'lying' | 'empty') => ({ state }) as (typeof status.locations)[number]
  let now = 0
  const sleeping: (() => void)[] = []
  const clock: Clock = { now: () => now, sleep: () => new Promise((resolve) => sleeping.push(resolve)) }
  let looks = 0
  let answer: () => Promise<typeof status> = async () => ({ ...status, locations: [at('healthy'), at('lying'), at('unreachable')] })
  const ready = createReadiness({ status: () => ((looks += 1), answer()) }, clock)
  const asked = async () => {
    now += 1000
    return ready()
  }
  assert.deepEqual(await asked(), { status: 'ready', database: 'answers', vault: 'reachable' })
  await ready()
  assert.equal(looks, 1)
  answer = async () => ({ ...status, locations: [at('healthy'), at('empty'), at('unreachable')] })
  assert.deepEqual(await asked(), { status: 'not-ready', database: 'answers', vault: 'too-few-locations' })
  answer = () => Promise.reject(new Failure('database.unavailable', { detail: '/secret' }))
  assert.deepEqual(await asked(), { status: 'not-ready', database: 'silent', vault: 'unknown' })
  answer = () => Promise.reject(new Error('/secret'))
  assert.deepEqual(await asked(), { status: 'not-ready', database: 'answers', vault: 'unknown' })
  answer = () => new Promise(() => {})
  const silent = asked()
  sleeping.at(-1)?.()
  assert.deepEqual(await silent, { status: 'not-ready', database: 'silent', vault: 'unknown' })
})

test('every answer names its request as the log and the problem do', async () => {
  await using gateway = await startGateway()
  gateway.door.put('/a', Buffer.from('x'))
  const good = await call(gateway, { path: '/api/v1/content?path=/a' })
  const bad = await call(gateway, { path: '/api/v1/entry?path=/none' })
  const none = await call(gateway, { path: '/nowhere' })
  const sent = await json(gateway, 'POST', '/api/v1/folders', { path: '/f' }, { 'x-request-id': 'mine' })
  const garbage = await raw(gateway, 'nonsense\r\n\r\n')
  await until(() => gateway.logged.length === 5)
  const ids = gateway.logged.map((line) => (line as { instance: string }).instance)
  for (const answer of [good, bad, none, sent]) {
    assert.match(String(answer.headers['x-request-id']), /^urn:uuid:[0-9a-f-]{36}$/)
    assert.ok(ids.includes(String(answer.headers['x-request-id'])))
  }
  assert.equal(problemOf(bad).instance, bad.headers['x-request-id'])
  assert.ok(ids.includes(/^x-request-id: (\S+)\r$/m.exec(garbage)![1]!))
  assert.equal(new Set(ids).size, 5)
  const health = await call(gateway, { path: '/health' })
  assert.match(String(health.headers['x-request-id']), /^urn:uuid:/)
})

test('/api/docs leads to the page of the API, without a session', async () => {
  await using gateway = await startGateway()
  const answer = await call(gateway, { path: '/api/docs', headers: { cookie: '' } })
  assert.deepEqual([answer.status, answer.headers.location], [302, '/#/api'])
})
